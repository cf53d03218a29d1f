"""The formation wizard: options with pairs, who fits whom, confirming, telling, undoing."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from racecontrol.shared.errors import NotReady
from racecontrol.testing.pages import Page
from strategy.models import FormationDraft, Team
from strategy.services import events, formation, pairs
from strategy.tests.builders import START, make_event, make_person, sign_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(user):
    event = make_event(user)
    for n, zone in enumerate(("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")):
        sign_up(event, make_person(f"p{n}", time_zone=zone), skill=10 * n)
    return event


def ids(event):
    return list(event.signups.order_by("pk").values_list("pk", flat=True))


def asked(**pairs_typed):
    data = {"smallest": 2, "largest": 2, "cover_one": 35, "cover_two": 15, "car": 20, "roles": 10,
            "pair": 5, "skill": 15, "pairs-TOTAL_FORMS": 3, "pairs-INITIAL_FORMS": 0}  # fmt: skip
    return data | {f"pairs-{name}": value for name, value in pairs_typed.items()}


def test_locked_pairs_and_exclusions_are_kept(client, event, run_jobs):
    a, b, c, d = ids(event)
    url = reverse("strategy:formation-new", args=[event.pk])
    typed = {
        "0-one": a,
        "0-kind": "together",
        "0-two": d,
        "1-one": b,
        "1-kind": "apart",
        "1-two": a,
    }

    answer = client.post(url, asked(**typed))
    run_jobs()

    draft = FormationDraft.objects.get()
    assert answer.url == reverse("strategy:formation", args=[event.pk, draft.pk])
    assert sorted(map(sorted, draft.teams)) == [[a, d], [b, c]]
    told = Page(client.get(answer.url)).text("formation")
    assert "p0 and p3 together kept" in told
    again = client.get(url, {"from": draft.pk})
    assert again.text.count("selected") >= 6


def test_a_hand_move_that_parts_a_locked_pair_is_shown(client, event, user, run_jobs):
    a, *_, d = ids(event)
    draft = formation.request_formation(
        event_id=event.pk, by=user,
        options={"smallest": 1, "largest": 3, "together": [[a, d]], "seconds": 0.1},
    )  # fmt: skip
    run_jobs()
    draft.refresh_from_db()
    home = next(n for n, team in enumerate(draft.teams) if a in team)
    formation.move_person(draft_id=draft.pk, base_version=1, signup_id=a, to_team=1 - home, by=user)

    page = client.get(reverse("strategy:formation", args=[event.pk, draft.pk]))

    assert "p0 and p3 together not kept" in Page(page).text("formation")


@pytest.mark.parametrize(
    ("typed", "words"),
    [({"0-one": "same"}, "Two different people"), ({"0-one": "x"}, "valid choice")],
)
def test_a_pair_that_is_none_is_refused(client, event, typed, words):
    first = ids(event)[0]
    data = {name: first if value == "same" else value for name, value in typed.items()}

    answer = client.post(reverse("strategy:formation-new", args=[event.pk]), asked(**data))

    assert answer.status_code == 422
    assert words in answer.text
    assert not FormationDraft.objects.exists()


def test_fits_are_cached_until_a_signup_changes(event, monkeypatch):
    worked_out = []
    fit = pairs.pair_fit
    monkeypatch.setattr(pairs, "pair_fit", lambda *a, **k: worked_out.append(1) or fit(*a, **k))

    before = pairs.fits_of(event, weights=pairs.WEIGHTS)
    assert pairs.fits_of(event, weights=pairs.WEIGHTS) == before
    assert len(worked_out) == len(before) == 6

    row = event.signups.first()
    sign_up(event, row.user, [(START, START + timedelta(hours=1))])
    after = pairs.fits_of(event, weights=pairs.WEIGHTS)

    assert len(worked_out) == 12
    assert {f.hours for f in after if row.pk in (f.one, f.two)} == {1.0}
    assert {f.hours for f in after if row.pk not in (f.one, f.two)} == {3.0}


def test_the_weights_are_shown_and_change_the_order(client, event):
    a, *_, d = ids(event)
    sign_up(event, event.signups.get(pk=d).user, [(START, START + timedelta(minutes=30))], skill=0)
    url = reverse("strategy:pairs", args=[event.pk])

    plain = client.get(url)
    skill = client.get(url, {"hours": 0, "car": 0, "skill": 100, "roles": 0})

    assert 'value="50"' in plain.text
    best = Page(skill).text("main").split("p0 and ")[1]
    assert best.startswith("p3 100.0 %")
    assert str(a) in skill.text


def test_everybody_is_told_team_mates_and_the_start_in_his_own_zone(event, user, run_jobs):
    draft = formation.request_formation(
        event_id=event.pk, options={"smallest": 2, "largest": 2, "seconds": 0.1}, by=user
    )
    run_jobs()
    draft.refresh_from_db()
    mail.outbox.clear()

    formation.confirm(draft_id=draft.pk, base_version=draft.version, by=user)
    run_jobs()

    told = {m.to[0].split("@")[0]: m.body for m in mail.outbox}
    assert "Saturday 13 June 2026 at 16:00 CEST" in told["p0"]
    assert "10:00 EDT" in told["p1"]
    assert "23:00 JST" in told["p2"]
    mate = next(
        n for team in draft.teams for n in team if ids(event)[0] in team and n != ids(event)[0]
    )
    assert f"with {event.signups.get(pk=mate).user}" in told["p0"]


def test_confirming_closes_the_sign_up_and_undoing_opens_it(client, event, user, run_jobs):
    draft = formation.request_formation(
        event_id=event.pk, options={"smallest": 2, "largest": 2, "seconds": 0.1}, by=user
    )
    run_jobs()
    draft.refresh_from_db()
    draft = formation.confirm(draft_id=draft.pk, base_version=draft.version, by=user)

    with pytest.raises(NotReady, match="closed"):
        events.sign_up(event_id=event.pk, by=event.signups.first().user)

    formation.undo(draft_id=draft.pk, base_version=draft.version, by=user)
    event.refresh_from_db()
    assert event.is_signup_open
    assert Team.objects.count() == 1
    client.post(reverse("strategy:signup-open", args=[event.pk]), {"is_open": "no"})
    event.refresh_from_db()
    assert not event.is_signup_open
