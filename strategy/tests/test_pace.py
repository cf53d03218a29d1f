"""Whose laps a plan counts on, and that it always says where they are from."""

from datetime import date

import pytest

from ingestion.tests import builders as timing
from racecontrol.shared.errors import InvalidInput
from strategy.models import Car
from strategy.queries.analytics import Measured
from strategy.services import drivers, events, plans, problems, refresh, what_if
from strategy.tests.builders import make_event, make_person, make_strategy, sign_up

pytestmark = pytest.mark.django_db
LAPS = [35_000, 30_000, 30_400, 29_600, 30_100, 29_900, 30_200, 47_000]  # standing start, crash


@pytest.fixture
def circuit():
    return timing.make_track("lantern", name="Lantern Park")


def drive(driver, track, laps=LAPS, day=date(2026, 10, 3), **values):
    event = timing.make_event(track=track, day=day)
    return timing.make_result(timing.make_race(event=event, **values), laps, driver=driver)


def at(user, **values):
    return make_event(user, lap_ms=31_000, track="Lantern Park", **values)


def test_imported_laps_at_the_track_tell_the_pace_of_a_linked_driver(user, circuit):
    ann = timing.make_driver("ANN SWIFT")
    drive(ann, circuit)
    drive(ann, circuit, [30_900, 30_300, 30_500, 30_000], day=date(2026, 10, 10))
    drive(ann, timing.make_track("elsewhere"), [20_000] * 9)

    row = sign_up(at(user), user, lap_ms=33_000, timing_driver="ann swift")
    pace = drivers.pace_of(row)

    # the middle of 29.6 29.9 30.0 30.0 30.1 30.2 30.3 30.4 30.5, without first laps and the crash
    assert pace["lap_ms"] == 30_100
    assert pace["spread_ms"] == round(1.4826 * 200)
    assert pace["source"].startswith("imported: median of 9 clean laps in 2 races at Lantern Park")
    assert pace["source"].endswith("up to 2026-10-10")


def test_the_class_driven_last_counts(user, circuit):
    ann = timing.make_driver("ANN SWIFT")
    drive(ann, circuit, [25_000] * 9, day=date(2026, 9, 1), label="Truggy A-Main")
    drive(ann, circuit, day=date(2026, 10, 3), label="Buggy A-Main")

    assert drivers.pace_of(sign_up(at(user), user, timing_driver="ann swift"))["lap_ms"] == 30_050


@pytest.mark.parametrize(
    ("typed", "laps", "source"),
    [(33_000, 33_000, "typed in at sign-up"), (None, 31_000, "the event's typical lap")],
)
def test_without_laps_at_the_track_the_typed_pace_counts_and_says_so(
    user, circuit, typed, laps, source
):
    ann = timing.make_driver("ANN SWIFT")
    drive(ann, timing.make_track("elsewhere"), [20_000] * 9)
    drive(ann, circuit, LAPS[:4])  # three clean laps are too few

    pace = drivers.pace_of(sign_up(at(user), user, lap_ms=typed, timing_driver="ann swift"))

    assert (pace["lap_ms"], pace["source"], pace["spread_ms"]) == (laps, source, None)


def test_a_settled_claim_links_without_typing_a_name(user, circuit, settings):
    ann = timing.make_driver("ANN SWIFT")
    drive(ann, circuit)
    settings.TIMING_DRIVERS_OF = f"{__name__}.everybody_is_the_newest_driver"

    assert drivers.pace_of(sign_up(at(user), user))["lap_ms"] == 30_050


def everybody_is_the_newest_driver(user_id: int) -> list[int]:
    return list(drivers.known_drivers().order_by("-pk").values_list("pk", flat=True)[:1])


@pytest.mark.parametrize(("typed", "why"), [("swift", "Several drivers fit"), ("bob", "No such")])
def test_a_name_nobody_or_several_carry_is_refused(user, typed, why):
    for name in ("ANN SWIFT", "BEN SWIFT"):
        timing.make_driver(name)

    with pytest.raises(InvalidInput) as refused:
        sign_up(at(user), user, timing_driver=typed)

    assert why in refused.value.fields["timing_driver"][0]
    assert not events.EventParticipation.objects.exists()


def test_reading_the_numbers_anew_keeps_the_plan_and_the_version_before(user, circuit):
    row = make_strategy(user, lap_ms=31_000, hours=0.5, track="Lantern Park")
    mine = row.event.signups.get(user=user)
    mine.timing_driver = timing.make_driver("ANN SWIFT")
    mine.save()
    drive(mine.timing_driver, circuit)
    before = row.current

    row = refresh.refresh(strategy_id=row.pk, base_version=row.version, by=user)

    assert row.drivers[0]["lap_ms"] == 30_050
    assert row.current.number == before.number + 1
    assert plans.plan_of(row.current) == plans.plan_of(before)
    assert row.current.z1_ms < before.z1_ms


def test_eligibility_typed_at_sign_up_reaches_the_problem(user):
    event = make_event(user, regulations={"by_category": [{"category": ["Bronze"], "min_s": 3600}]})
    sign_up(event, user, category="Bronze", no_night=True)
    found = drivers.drivers_of(event, event.instances.get(), [user.pk])
    car = Car(tank_ml=100_000, reserve_ml=2_000, burn_ml=4_000, wet_burn_percent=90,
              fuel_us_per_ml=27, tyre_life_laps=60, tyre_deg_ms=0, tyre_deg2_us=0,
              tyre_cold_ms=0, tyre_wrong_ms=0)  # fmt: skip

    who = problems.problem_of(event, car, found)["drivers"][0]

    assert (who["min_drive_ms"], who["no_night"], who["no_wet"]) == (3_600_000, True, False)


def test_a_driver_who_did_not_sign_up_cannot_join_a_plan(user):
    row = make_strategy(user)
    with pytest.raises(InvalidInput, match="signed up"):
        refresh.refresh(strategy_id=row.pk, base_version=1, by=user,
                        user_ids=[make_person("stranger").pk])  # fmt: skip


def test_races_scatter_as_the_imported_laps_do(user):
    row = make_strategy(user)

    def width(spread):
        row.drivers = [who | {"spread_ms": spread} for who in row.drivers]
        row.save()
        trial = what_if.simulate(strategy_id=row.pk, numbers=[1], races=200, by=user)[0]
        return trial.outcome.p90_ms - trial.outcome.p10_ms

    assert width(20_000) > width(100)


@pytest.mark.parametrize(
    ("raced_on", "lap_ms", "source"),
    [(date(2026, 11, 1), 31_500, "measured in"), (date(2026, 9, 1), 30_050, "imported")],
)
def test_the_newer_of_imported_laps_and_a_race_of_ours_counts(
    user, circuit, monkeypatch, raced_on, lap_ms, source
):
    ann = timing.make_driver("ANN SWIFT")
    drive(ann, circuit)
    found = Measured(31_500, None, "Three hours: 20 clean laps", raced_on)
    monkeypatch.setattr(drivers, "measured_pace", lambda user, track: found)

    pace = drivers.pace_of(sign_up(at(user), user, timing_driver="ann swift"))

    assert pace["lap_ms"] == lap_ms
    assert pace["source"].startswith(source)
    assert "newest" not in pace
