"""An operator's bad day, as docs/operations.md tells it: by admin, by Operations, by API, by command."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils.timezone import now
from playwright.sync_api import expect
from psycopg.sql import SQL, Identifier
from waffle.models import Flag

from coaching.models import Heat, OrpScore, RacerProfile
from coaching.services import claims
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import BumpUp, Driver, HostBlock, Race
from ingestion.tests.builders import import_demo
from racecontrol.devdb import bin_dir, cluster_of
from racecontrol.models import ApiToken, AuditEvent, Job
from racecontrol.shared import flags, jobs
from racecontrol.testing.people import program

pytestmark = pytest.mark.django_db(transaction=True)

CLASS, NAME = "1/8 Nitro Buggy", "Harlan Underhill"
DOCS = Path(settings.BASE_DIR) / "docs"


@pytest.fixture
def meeting(site, staff):
    """The big meeting is here, and a racer (olga) was found to be one of its drivers."""
    for flag in flags.ALL:
        Flag.objects.get_or_create(name=flag)
    Flag.objects.filter(name=flags.ENABLE_SESSION_TYPE_INFERENCE).update(everyone=True)
    import_demo(by=staff)
    return Race.objects.get(event__source_event_id=DEMO_EVENT_ID, label=f"{CLASS} A-Main").event


@pytest.fixture
def racer(meeting, staff, other, run_jobs):
    profile = RacerProfile.objects.create(user=other, name="Olga", is_default=True)
    driver = Driver.objects.get(name__iexact=NAME)
    claim = claims.claim_driver(profile_id=profile.pk, driver_id=driver.pk, by=other)
    claims.decide_claim(claim_id=claim.pk, by=staff, approve=True)
    run_jobs()
    profile.refresh_from_db()
    return profile


def by_action(page, model: str, row: str, action: str) -> None:
    """Admin: tick a row of a list, choose an action, go."""
    page.goto(f"/admin/{model}/")
    page.locator("#result_list tbody tr").filter(has_text=row).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Go", exact=True).click()
    page.locator(".messagelist li").first.wait_for()


def a_track_asks_whether_we_are_human(page, site, final, run_jobs):
    """The import pauses, nothing more is asked, staff see why and let it go on."""
    site.fail("view_race_result", "bot", times=1)
    page.goto(f"/timing/races/{final.pk}/")
    page.get_by_role("button", name="Fetch again").click()
    run_jobs()
    asked = sum(site.hits.values())
    refetch = Job.objects.get(key=f"import:race:{final.source_race_id}")
    assert (refetch.state, HostBlock.objects.get().reason) == ("paused", "bot_check")
    jobs.run_now(jobs.enqueue("ingestion.tasks.run_import_race", final.pk))
    assert sum(site.hits.values()) == asked
    page.goto("/ops/")
    expect(page.locator("#ops")).to_contain_text("rests until")
    expect(page.locator(f"#job-{refetch.pk}")).to_contain_text("prove that we are human")
    page.get_by_role("link", name="Resting hosts").click()
    by_action(page, "ingestion/hostblock", "127.0.0.1", "Ask this host again from now on")
    Job.objects.get(pk=refetch.pk, run_at__lte=now())  # due at once
    jobs.run(str(refetch.pk))
    assert sum(site.hits.values()) > asked
    refetch.refresh_from_db()
    assert refetch.state == "done"


def a_worker_died_and_a_job_failed(page, final):
    """The first is marked and taken up again; the second is tried again."""
    lost = jobs.enqueue("ingestion.tasks.run_import_race", final.pk, title="Fetch it anew")
    Job.objects.filter(pk=lost.pk).update(
        state="running", attempts=1, started_at=now() - timedelta(minutes=10)
    )
    failed = jobs.run_now(jobs.enqueue("racecontrol.tests.work.refuse", title="Import Saturday"))
    page.goto("/ops/")
    expect(page.get_by_text("Its worker is gone, 10 min ago begun")).to_be_visible()
    page.locator(f"#job-{failed.pk}").get_by_role("button", name="Try again").click()
    expect(page.locator(f"#job-{failed.pk}")).to_contain_text("waiting")
    jobs.revive()
    jobs.run(str(lost.pk))
    lost.refresh_from_db()
    assert (lost.state, lost.attempts) == ("done", 2)
    page.locator(f"#job-{failed.pk}").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(page.locator(f"#job-{failed.pk}")).to_contain_text("Cancelled before it began")


def the_final_was_a_practice_run(page, final, racer, staff, run_jobs):
    """Said by hand, and the racer's score follows; taken back, it is as before."""
    heat = Heat.objects.get(session__profile=racer, source_ref__startswith="race:", name="A-Main",
                            session__name__contains=CLASS)  # fmt: skip
    before = OrpScore.objects.get(heat=heat, formula="v2").inputs_hash
    page.goto(f"/timing/races/{final.pk}/")
    page.get_by_label("Session type").select_option("practice")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_text("Set by a person; inferred was race")).to_be_visible()
    run_jobs()
    heat.refresh_from_db()
    assert heat.kind == "practice"
    assert OrpScore.objects.get(heat=heat, formula="v2").inputs_hash != before
    assert not BumpUp.objects.standing().filter(target_race=final).exists()
    import_demo(by=staff, refresh=True)
    final.refresh_from_db()
    assert (final.kind, final.session_type) == ("practice", "race")
    page.goto(f"/admin/ingestion/race/{final.pk}/change/")
    page.get_by_label("Session type override").select_option("")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".messagelist li").first.wait_for()
    run_jobs()
    heat.refresh_from_db()
    assert heat.kind == "race"
    assert OrpScore.objects.get(heat=heat, formula="v2").inputs_hash == before


def somebody_did_not_move_up(page, final, racer, staff):
    """Rejected, and no import brings it back."""
    move = BumpUp.objects.get(target_race=final, driver=racer.driver)
    by_action(page, "ingestion/bumpup", "HARLAN UNDERHILL", "Reject")
    import_demo(by=staff, refresh=True)
    move.refresh_from_db()
    assert (move.status, move.decided_by) == ("rejected", staff)
    page.goto(f"/timing/races/{final.pk}/")
    row = page.get_by_role("region", name="Results, wide table").get_by_role("row")
    expect(row.filter(has_text=NAME)).not_to_contain_text("from B-Main")
    expect(page.get_by_text("from B-Main").first).to_be_visible()  # the others did


def a_feature_for_one_person(open_page, page, other, user):
    """A flag for them alone: the room is there for them and for nobody else."""
    flag = Flag.objects.get(name=flags.RUN_PLANS_V1)
    page.goto(f"/admin/waffle/flag/{flag.pk}/change/")
    page.locator("[name=users]").fill(str(other.pk))
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".messagelist li").first.wait_for()
    page.goto("/ops/")
    expect(page.locator("#ops")).to_contain_text("for 1 person")
    assert open_page(other).goto("/run-plans/").status == 200
    outside = open_page(user)
    assert outside.goto("/run-plans/").status == 404
    outside.problems.clear()


def a_token_in_wrong_hands(page, other):
    """It is revoked, and opens nothing from then on."""
    api = program(other, "read")
    assert api.get("/api/v1/me").status_code == 200
    by_action(page, "racecontrol/apitoken", "program", "Revoke")
    assert api.get("/api/v1/me").status_code == 401


@pytest.mark.browser
def test_an_operators_bad_day(open_page, staff, other, user, site, racer, meeting, run_jobs):
    page = open_page(staff)
    final = meeting.races.get(label=f"{CLASS} A-Main")
    a_track_asks_whether_we_are_human(page, site, final, run_jobs)
    a_worker_died_and_a_job_failed(page, final)
    the_final_was_a_practice_run(page, final, racer, staff, run_jobs)
    somebody_did_not_move_up(page, final, racer, staff)
    a_feature_for_one_person(open_page, page, other, user)
    a_token_in_wrong_hands(page, other)

    verbs = set(AuditEvent.objects.filter(by=staff).values_list("verb", flat=True))
    assert {"host_block.lifted", "race.session_type_set", "token.revoked"} <= verbs


def test_the_same_over_the_api(site, staff, other, client, racer, meeting, run_jobs):
    """What has an API: imports and jobs, bump-ups, one's tokens, the figures operators watch."""
    api = program(staff)
    site.fail("view_event", "bot", times=1)
    url = f"/api/v1/events/{DEMO_EVENT_ID}/import"
    body = {"refresh": True}
    made = api.post(url, body, content_type="application/json").json()["import_id"]
    run_jobs()
    told = api.get(f"/api/v1/imports/{made}").json()
    assert told["state"] == "paused"
    assert "prove that we are human" in told["message"]
    ended = api.post(f"/api/v1/jobs/{made}/cancel").json()
    assert ended["state"] == "cancelled"
    assert client.post(f"/api/v1/jobs/{made}/retry").status_code in (403, 404)  # not theirs
    assert api.post(f"/api/v1/jobs/{made}/retry").json()["state"] == "queued"

    [move] = api.get("/api/v1/bump-ups", {"driver": racer.driver_id}).json()["items"]
    answer = api.patch(
        f"/api/v1/bump-ups/{move['id']}", {"status": "rejected", "note": "Did not start"},
        content_type="application/json",
    )  # fmt: skip
    assert answer.json()["status"] == "rejected"

    theirs = program(other)
    token = ApiToken.objects.get(user=other)
    assert theirs.delete(f"/api/v1/tokens/{token.pk}").status_code == 204
    assert theirs.get("/api/v1/me").status_code == 401


# -- a backup -------------------------------------------------------------------------------------


def documented(begins: str) -> str:
    """The command of deployment.md's section on backups that begins so."""
    text = (DOCS / "deployment.md").read_text().partition("## 6. Backups")[2]
    [line] = re.findall(rf"^    ({begins} .*)$", text.partition("\n## ")[0], re.MULTILINE)
    return line


@pytest.mark.processes
def test_a_backup_is_restored_with_the_documented_commands(tmp_path, racer):
    values = connection.settings_dict
    if cluster_of(values) is None:
        pytest.skip("the tools must be those of the server; the embedded one brings its own")
    place = f"host={quote(values['HOST'], safe='')}&port={values['PORT'] or 5432}"
    address = f"postgres://{values['USER']}@/{{}}?{place}"
    environment = os.environ | {
        "PATH": f"{bin_dir()}:{os.environ['PATH']}",
        "PGHOST": str(values["HOST"]), "PGPORT": str(values["PORT"] or 5432),
        "PGUSER": values["USER"], "DATABASE_URL": address.format(values["NAME"]),
    }  # fmt: skip
    restored = f"restored_{os.getpid()}"

    def run(command: str) -> None:
        command = command.replace("racecontrol_restored", restored)
        command = re.sub(r"(-O|--role) racecontrol\b", rf"\1 {values['USER']}", command)
        command = re.sub(r"race-\S+\.dump|race-\$\(.*?\)\.dump", "race.dump", command)
        subprocess.run(
            ["bash", "-euc", command], cwd=tmp_path, env=environment, check=True, timeout=300
        )

    def counts(name: str) -> list[tuple]:
        with psycopg.connect(address.format(name)) as database:
            tables = database.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
                " AND table_type = 'BASE TABLE' ORDER BY 1"
            ).fetchall()
            return [
                (table, database.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table)))
                 .fetchone())
                for (table,) in tables
            ]  # fmt: skip

    run(documented("pg_dump"))
    try:
        run(documented("createdb"))
        run(documented("pg_restore"))
        there = counts(restored)
        assert dict(there)["ingestion_lap"][0] > 1000
        assert there == counts(values["NAME"])
        settled = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--check"], cwd=settings.BASE_DIR, timeout=300,
            env=environment | {"DATABASE_URL": address.format(restored)}, check=False,
        )  # fmt: skip
        assert settled.returncode == 0
    finally:
        run(f"dropdb --if-exists --force {restored}")
