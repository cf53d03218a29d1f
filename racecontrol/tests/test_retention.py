"""Every table says how long it keeps its rows; what is too old goes, in small steps, and again."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache.backends.db import DatabaseCache
from django.core.management import call_command
from django.db import connection, models
from django.utils.module_loading import import_string
from django.utils.timezone import now

from coaching.models import LlmExchange
from coaching.services import mission_upkeep
from racecontrol import retention, tasks
from racecontrol.models import ApiToken, AuditEvent, Job, LiveEvent, RateWindow
from racecontrol.schedules import CRON
from racecontrol.shared import audit, jobs, pruning

TABLES = {
    model._meta.label_lower
    for model in apps.get_models(include_auto_created=True)
    if model._meta.managed and not model._meta.proxy
}


def test_every_table_says_how_long_it_keeps_its_rows():
    answers = [*retention.PRUNED, *retention.GOES_WITH, *retention.KEPT]

    assert sorted(answers) == sorted(TABLES)


@pytest.mark.parametrize("table", sorted(retention.PRUNED))
def test_what_is_pruned_is_pruned_by_a_schedule_and_a_setting(table):
    task, setting = retention.PRUNED[table]

    assert task in CRON
    assert callable(import_string(task))
    assert not setting or getattr(settings, setting) > 0


@pytest.mark.parametrize(("table", "owner"), sorted(retention.GOES_WITH.items()))
def test_what_goes_with_another_row_hangs_on_it(table, owner):
    fields = apps.get_model(table)._meta.concrete_fields
    ways = [f for f in fields if f.remote_field and f.related_model._meta.label_lower == owner]

    assert any(f.remote_field.on_delete is models.CASCADE for f in ways)


def test_the_docs_name_every_setting_and_every_growing_table():
    told = (settings.BASE_DIR / "docs" / "growth.md").read_text()

    for _, setting in retention.PRUNED.values():
        assert not setting or f"`{setting}`" in told


@pytest.fixture
def long_ago():
    return now() - timedelta(days=5_000)


def aged(row: models.Model, **moments) -> models.Model:
    type(row)._base_manager.filter(pk=row.pk).update(**moments)
    return row


@pytest.mark.django_db
def test_the_house_forgets_what_is_old_and_keeps_what_is_young(user, long_ago):
    ended = jobs.run_now(jobs.enqueue("racecontrol.tests.work.refuse"))
    aged(ended, finished_at=long_ago)
    waiting = jobs.enqueue("racecontrol.tests.work.count", 1)
    aged(waiting, created_at=long_ago)
    for n in range(3):
        event = LiveEvent.objects.create(topic=f"t:{n}", body="{}")
        aged(event, created_at=long_ago)
    newest = LiveEvent.objects.latest("pk").pk
    aged(audit.record(by=user, verb="team.created", obj=user), at=long_ago)
    aged(audit.record(by=user, verb="driver.merged", obj=user), at=long_ago)
    young = audit.record(by=user, verb="team.created", obj=user)
    for n, moments in enumerate(({"revoked_at": long_ago}, {"expires_at": long_ago}, {})):
        ApiToken.objects.create(user=user, name=f"t{n}", prefix="rc_", sha256=str(n), **moments)
    for n, ends in enumerate((long_ago, now() + timedelta(days=1))):
        Session.objects.create(session_key=f"key{n}", session_data="", expire_date=ends)
    RateWindow.objects.create(key="user:1", window=long_ago, count=1)
    RateWindow.objects.create(key="user:1", window=now(), count=1)

    first, second = tasks.prune(), tasks.prune()

    assert {name: count for name, count in first.items() if count} == {
        "jobs": 1, "live": 2, "audit": 1, "tokens": 2, "sessions": 1, "windows": 1,
    }  # fmt: skip
    assert not any(second.values())
    assert Job.objects.get() == waiting
    assert LiveEvent.objects.get().pk == newest  # tells where the counting stands
    assert set(AuditEvent.objects.values_list("verb", flat=True)) == {"driver.merged", young.verb}
    assert ApiToken.objects.get().name == "t2"
    assert Session.objects.get().session_key == "key1"


@pytest.mark.django_db
def test_old_rows_go_in_small_steps_and_what_is_left_goes_next_time(long_ago):
    RateWindow.objects.bulk_create(
        RateWindow(key=f"user:{n}", window=long_ago, count=1) for n in range(25)
    )
    old = RateWindow.objects.filter(window__lt=now())

    assert pruning.delete_old(old, batch=10, seconds=0) == 0  # no time: nothing is begun
    assert pruning.delete_old(old, batch=10) == 25
    assert pruning.delete_old(old, batch=10) == 0


@pytest.mark.django_db
def test_old_prompts_are_emptied_in_small_steps(user, long_ago, django_assert_num_queries):
    for n in range(25):
        exchange = LlmExchange.objects.create(owner=user, provider="endpoint", answer=f"words {n}")
        aged(exchange, created_at=long_ago)
    old = LlmExchange.objects.filter(pruned_at=None)
    values = {"answer": "", "pruned_at": now()}

    assert pruning.empty_old(old, values, batch=10, seconds=0) == 0
    with django_assert_num_queries(3 * 4 + 3):  # three steps, and a look that finds none
        assert pruning.empty_old(old, values, batch=10) == 25
    assert pruning.empty_old(old, values, batch=10) == 0
    assert set(LlmExchange.objects.values_list("answer", flat=True)) == {""}


@pytest.mark.django_db(transaction=True)
def test_a_night_of_pruning_empties_prompts_past_one_somebody_holds(user, long_ago):
    rows = [LlmExchange.objects.create(owner=user, provider="x", answer="words") for _ in range(3)]
    LlmExchange.objects.update(created_at=long_ago)
    somebody = connection.copy()
    with somebody.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM coaching_llmexchange WHERE id = %s FOR UPDATE", [rows[1].pk])
        try:
            assert mission_upkeep.prune(real_now=now()) == 2
        finally:
            cursor.execute("ROLLBACK")
            somebody.close()

    assert mission_upkeep.prune(real_now=now()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_somebody_holds_is_passed_over_without_waiting(long_ago):
    rows = [RateWindow.objects.create(key=f"k{n}", window=long_ago, count=1) for n in range(3)]
    somebody = connection.copy()
    with somebody.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT 1 FROM racecontrol_ratewindow WHERE id = %s FOR UPDATE", [rows[1].pk]
        )
        try:
            assert pruning.delete_old(RateWindow.objects.all(), batch=2) == 2
        finally:
            cursor.execute("ROLLBACK")
            somebody.close()

    assert RateWindow.objects.get().pk == rows[1].pk
    assert pruning.delete_old(RateWindow.objects.all()) == 1


@pytest.fixture
def cache_table(transactional_db):
    call_command("createcachetable", "racecontrol_cache", verbosity=0)
    yield DatabaseCache("racecontrol_cache", {})
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE racecontrol_cache")


def test_cached_values_that_ran_out_are_dropped(cache_table, settings):
    settings.CACHES = {"default": {"BACKEND": "x", "LOCATION": "racecontrol_cache"}}
    cache_table.set("young", 2, timeout=600)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO racecontrol_cache VALUES ('old', 'x', now() - interval '1 hour')"
        )

    assert retention.forget_cached() == 1
    assert retention.forget_cached() == 0
    assert cache_table.get("young") == 2
