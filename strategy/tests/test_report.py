"""A race measured after the flag: kept, measured again when corrected, shown, exported, compared."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from racecontrol.shared import jobs
from racecontrol.shared.errors import NotReady
from racecontrol.testing.pages import Page
from strategy.models import LapEvent, LiveRun, Membership, RaceReport
from strategy.queries import analytics as reads
from strategy.services import analytics, drivers
from strategy.services.live import changes, race
from strategy.services.live.frame import Order
from strategy.tests.builders import make_event, make_person, sign_up
from strategy.tests.live_builders import fresh, make_run
from strategy.tests.race_builders import drive

pytestmark = pytest.mark.django_db


def measured(owner, **values):
    run = drive(owner, **values)
    report = analytics.measure(run_id=run.pk, seconds=2)
    assert report is not None
    return report


def test_a_race_driven_as_planned_is_kept_with_its_drivers(user):
    report = measured(user)

    assert report.strategy_adherence == report.pit_efficiency == 1
    assert report.finish_ms == report.run.strategy.current.z1_ms
    rows = list(report.drivers.all())
    assert next(r.driver_id for r in rows) == user.pk
    assert rows[0].dry_ms == 150_000  # as signed up
    assert sum(r.laps for r in rows) == report.laps
    assert report.body["hindsight"]["loss"]["total_ms"] >= 0


def test_slow_laps_and_stops_are_found(user):
    report = measured(user, slower_ms=500, slow_stop_ms=9_000)

    stops = report.body["pit"]["green"]["stops"]
    assert report.body["pit"]["green"]["loss_ms"] == 9_000 * stops
    assert report.drivers.first().dry_ms == 150_500
    assert report.drivers.first().to_plan_ms == pytest.approx(500)


def test_it_is_measured_again_only_after_a_correction(user):
    report = measured(user)
    first = report.computed_at

    again = analytics.measure(run_id=report.run_id, seconds=2)
    LapEvent.objects.filter(run=report.run, lap=3, kind="lap").update(is_void=True)
    fresh = analytics.measure(run_id=report.run_id, seconds=2)

    assert again is not None
    assert again.computed_at == first
    assert fresh is not None
    assert fresh.pk == report.pk
    assert fresh.body["hindsight"] is None  # a lap is missing now
    assert RaceReport.objects.count() == 1
    assert report.drivers.count() == len(report.run.strategy.drivers)


def test_a_race_under_way_has_no_report(user):
    run = drive(user, laps=10)

    with pytest.raises(NotReady, match="after the flag"):
        analytics.request_report(strategy_id=run.strategy_id, by=user)
    assert analytics.measure(run_id=run.pk) is None


def test_asking_twice_is_one_job_and_it_measures(user, queued):
    run = drive(user)

    first = analytics.request_report(strategy_id=run.strategy_id, by=user)
    second = analytics.request_report(strategy_id=run.strategy_id, by=user)
    jobs.run_now(first)

    assert first.pk == second.pk
    first.refresh_from_db()
    assert first.result["url"] == reverse("strategy:report", args=[run.strategy_id])


def test_the_page_shows_scores_stints_stops_and_parts(client, user):
    report = measured(user)

    page = client.get(reverse("strategy:report", args=[report.run.strategy_id]))

    words = Page(page).text("report")
    assert "100.0 %" in words
    assert "The plan was not changed during the race." in words
    assert "Lost by" in words
    assert "Measure" not in words


def test_a_corrected_log_asks_to_be_measured_again(client, user):
    report = measured(user)
    LapEvent.objects.filter(run=report.run, lap=3, kind="lap").update(is_void=True)
    url = reverse("strategy:report", args=[report.run.strategy_id])

    assert "Measure it again" in Page(client.get(url)).text("report")
    assert client.post(url).status_code == 302


@pytest.mark.parametrize("table", ["stints", "drivers", "stops", "decisions"])
def test_every_table_is_a_file(client, user, table):
    report = measured(user)

    answer = client.get(
        reverse("strategy:report-csv", args=[report.run.strategy_id]), {"table": table}
    )

    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    wanted = {"stints": len(report.body["stints"]), "drivers": 2, "decisions": 0,
              "stops": len(report.body["stops"])}  # fmt: skip
    assert len(rows) == wanted[table]


def test_an_unknown_table_is_refused_by_name(client, user):
    report = measured(user)
    url = reverse("strategy:report-csv", args=[report.run.strategy_id])

    assert client.get(url, {"table": "secrets"}).status_code == 422


def test_the_json_file_is_the_report(client, user):
    report = measured(user)

    answer = client.get(reverse("strategy:report-json", args=[report.run.strategy_id]))

    assert json.loads(answer.content) == report.body


def test_a_race_without_report_has_no_files(client, user):
    run = drive(user, laps=5)

    answer = client.get(reverse("strategy:report-json", args=[run.strategy_id]))

    assert answer.status_code == 404


# -- across races, and on to the next


def test_a_team_sees_its_races_beside_each_other(client, user):
    first = measured(user)

    page = client.get(reverse("strategy:trends", args=[first.run.strategy.team_id]))

    assert page.status_code == 200
    assert b"1 measured race" in page.content
    assert str(first.run.strategy.event).encode() in page.content


def test_training_races_do_not_count_among_races(client, user):
    report = measured(user, is_training=True)

    assert list(reads.reports_of(report.run.strategy.team)) == []
    assert list(reads.results_of(user)) == []


def test_the_burn_that_was_measured_goes_to_the_car(client, user):
    report = measured(user)
    report.body["fuel"]["burn_ml"] = {"D": 4_210, "N": 4_210, "W": 3_789, "X": 3_789}
    report.save()

    client.post(reverse("strategy:take-burn", args=[report.run.strategy_id]))

    car = report.run.strategy.car
    car.refresh_from_db()
    assert (car.burn_ml, car.wet_burn_percent) == (4_210, 90)


def test_a_driver_of_the_team_may_not_set_the_car(client, user):
    report = measured(user)
    Membership.objects.filter(user=user).update(role="driver")

    answer = client.post(reverse("strategy:take-burn", args=[report.run.strategy_id]))

    assert answer.status_code == 403


def test_measured_pace_is_offered_at_the_same_track_only(user):
    report = measured(user, event={"track": "Spa"})
    other = make_person("somebody")

    found = reads.measured_pace(user, "spa")

    assert found is not None
    assert found.dry_ms == 150_000
    assert str(report.run.strategy.event) in found.source
    assert reads.measured_pace(user, "Monza") is None
    assert reads.measured_pace(other, "Spa") is None


def test_the_next_signup_is_filled_in_with_the_race_as_its_source(client, user):
    report = measured(user, event={"track": "Spa"}, slower_ms=500)
    event = make_event(user, report.run.strategy.team, name="Next year", track="Spa")

    page = client.get(reverse("strategy:signup", args=[event.pk]))

    assert page.context["form"]["lap_ms"].value() == 150.5
    assert b"Three hours" in page.content


def test_the_next_plan_takes_the_measured_pace_and_says_so(user):
    report = measured(user, event={"track": "Spa"}, slower_ms=500)
    event = make_event(user, report.run.strategy.team, name="Next year", track="Spa")

    pace = drivers.pace_of(sign_up(event, user))
    typed = drivers.pace_of(sign_up(event, user, lap_ms=149_000, base_version=1))

    assert pace["lap_ms"] == 150_500
    assert pace["source"].startswith("measured in Three hours")
    assert (typed["lap_ms"], typed["source"]) == (149_000, "typed in at sign-up")


# -- the same by API


def test_the_api_gives_report_and_results(client, user):
    report = measured(user)
    base, team = f"/api/v1/strategies/{report.run.strategy_id}", report.run.strategy.team_id

    told = client.get(f"{base}/report").json()
    results = client.get(f"/api/v1/teams/{team}/race-results").json()

    assert told["report"] == report.body
    assert told["is_outdated"] is False
    assert results["items"][0]["drivers"][0]["dry_ms"] == 150_000
    assert results["next_cursor"] is None


def test_the_api_measures_in_the_background(client, user, queued):
    run = drive(user)

    answer = client.post(f"/api/v1/strategies/{run.strategy_id}/report")

    assert answer.status_code == 202
    assert queued() == [("strategy.tasks.measure", (run.pk,))]
    assert client.get(f"/api/v1/strategies/{run.strategy_id}/report").status_code == 404


def test_a_correction_while_measuring_is_measured_too(user, monkeypatch):
    run = drive(user)
    job = analytics.queue_report(run)
    real = analytics.measure

    def corrected_meanwhile(**values):
        report = real(seconds=1, **values)
        LapEvent.objects.filter(run=run, lap=3, kind="lap").update(is_void=True)
        return report

    monkeypatch.setattr(analytics, "measure", corrected_meanwhile)
    jobs.run_now(job)

    job.refresh_from_db()
    assert job.state == job.State.PAUSED
    assert "corrected" in job.message


def test_a_decision_on_the_wall_is_weighed_in_the_report(user):
    run = make_run(user, laps=3, lap_ms=154_000)
    changes.extend_current_stint(Order(run.strategy_id, user), stint=1, laps=-2, reason="tyres")
    finish(fresh(run), lap_ms=154_000)
    race.set_state(Order(run.strategy_id, user), state="finished")

    report = analytics.measure(run_id=run.pk, seconds=1)

    assert report is not None
    decision = report.body["decisions"][0]
    assert (decision["kind"], decision["lap"], decision["by"]) == ("extend", 3, str(user))
    assert decision["label"] == "Stint 1 goes 2 laps shorter."
    assert decision["low_ms"] <= decision["expected_ms"] <= decision["high_ms"]
    # the second stint: two laps early by the plan of the start, on time by the one then valid
    assert report.body["stints"][1]["end_laps"] == -2
    assert report.body["stints"][1]["valid_end_laps"] == 0
    assert report.body["hindsight"]["loss"] is not None


def finish(run, *, lap_ms):
    """The laps still to come, by the plan that counts, a minute for each stop."""
    at, lap = 3 * lap_ms, 3
    stints = list(run.strategy.current.stints.order_by("number"))
    events = []
    for n, stint in enumerate(stints):
        while lap < stint.start_lap + stint.laps:
            lap, at = lap + 1, at + lap_ms
            events.append(("lap", lap, at))
        if n < len(stints) - 1:
            events += [("pit_in", lap, at), ("pit_out", lap, at + 60_000)]
            at += 60_000
    LapEvent.objects.bulk_create(
        LapEvent(run=run, source="rest", key=str(n), kind=kind, lap=lap, at_ms=ms)
        for n, (kind, lap, ms) in enumerate(events)
    )
    LiveRun.objects.filter(pk=run.pk).update(green_at=now() - timedelta(milliseconds=at))
