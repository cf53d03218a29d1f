"""The run log: laps in, figures and scores out. Several tests stand for a defect of the forerunner."""

from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction

from coaching.domain.laps import RawLap
from coaching.domain.orp_v1 import orp_v1
from coaching.domain.orp_v2 import orp_v2
from coaching.models import Heat, OrpScore, RunLog, Session
from coaching.queries import garage as queries
from coaching.services import garage, laps, scores
from coaching.services.garage import SessionClosed
from coaching.services.laps import LapTaken
from coaching.tests.builders import STEADY, drive, make_profile, make_session
from ingestion.models import Track
from racecontrol.shared.errors import InvalidInput, NotFound, NotReady

pytestmark = pytest.mark.django_db

IMPROVING = [61.0, 60.71, 60.12, 59.85, 59.28, 59.09, 58.6, 58.31]


def times_of(session, heat="Q1"):
    return [lap.lap_ms / 1000 for lap in queries.laps_of(session) if lap.heat.name == heat]


# -- laps -----------------------------------------------------------------------------------------


def test_laps_follow_each_other_and_start_the_session(session, user):
    for time in (58.1, "58.2", "1:02.345"):
        laps.add_lap(session_id=session.pk, by=user, heat_name="Q1", lap=RawLap(time))

    session.refresh_from_db()
    assert [lap.lap_number for lap in queries.laps_of(session)] == [1, 2, 3]
    assert times_of(session) == [58.1, 58.2, 62.345]
    assert session.status == Session.Status.ACTIVE


def test_laps_stay_in_driven_order(session):
    """The forerunner's file store sorted by time, so an improving run looked like a fading one."""
    drive(session, times=IMPROVING)

    assert times_of(session) == IMPROVING
    result = session.scores.get(heat__name="Q1", formula="v2").result
    assert result["fade_label"] == "improving"


def test_heats_are_scored_apart_and_weighed_by_laps(session):
    """The forerunner ordered a session by lap number alone, shuffling its heats into each other."""
    drive(session, "Q1", [60.0, 60.1, 60.2, 60.1, 60.0])
    drive(session, "Q2", [57.0, 57.1, 57.2, 57.1, 57.0, 57.1, 57.2, 57.1, 57.0, 57.1])

    q1, q2, together = (
        session.scores.get(heat__name="Q1", formula="v1").score,
        session.scores.get(heat__name="Q2", formula="v1").score,
        session.scores.get(heat=None, formula="v1").score,
    )
    assert together == round((5 * q1 + 10 * q2) / 15, 1)
    assert [lap.heat.name for lap in queries.laps_of(session)] == ["Q1"] * 5 + ["Q2"] * 10


def test_the_gate_reads_the_confidence_that_was_logged(session):
    """The forerunner stored a rating with each lap and asked a default of 3 instead."""
    drive(session, "Q1", STEADY, confidence=2)

    v1, v2 = (session.scores.get(heat__name="Q1", formula=f) for f in ("v1", "v2"))
    assert (v1.status, v1.score, v1.result["orp_score"]) == ("rejected", None, 0)
    assert (v2.status, v2.result["gate"]) == ("valid", "closed")
    assert v2.score == orp_v2(STEADY).score


def test_a_batch_is_all_or_nothing_and_names_the_wrong_lap(session, user):
    """The forerunner committed lap by lap and swallowed the faults."""
    wrong = [RawLap(58.1), RawLap(0.0), RawLap(58.2, confidence=9), RawLap("fast")]

    with pytest.raises(InvalidInput, match="Lap 2 of 4: A lap time is above zero") as refusal:
        laps.add_laps(session_id=session.pk, by=user, heat_name="Q1", laps=wrong)

    assert set(refusal.value.fields) == {"laps.1", "laps.2", "laps.3"}
    assert not RunLog.objects.exists()
    assert not Heat.objects.exists()


def test_a_batch_goes_on_where_the_last_one_ended(session):
    """The forerunner numbered from 1 on every call."""
    assert drive(session, "Q1", [58.1, 58.2]) == 2
    assert drive(session, "Q1", [58.3]) == 1

    assert [lap.lap_number for lap in queries.laps_of(session)] == [1, 2, 3]


def test_the_same_numbered_laps_twice_change_nothing(session, user):
    """The forerunner had no uniqueness: importing again doubled the laps."""
    rows = [RawLap(time, number=n) for n, time in enumerate(STEADY, start=1)]
    first = laps.add_laps(session_id=session.pk, by=user, heat_name="Q1", laps=rows)
    before = list(OrpScore.objects.order_by("pk").values())

    again = laps.add_laps(session_id=session.pk, by=user, heat_name="Q1", laps=rows)

    assert (first, again) == (12, 0)
    assert RunLog.objects.count() == 12
    assert [row["inputs_hash"] for row in before] == [
        row.inputs_hash for row in OrpScore.objects.order_by("pk")
    ]


def test_a_taken_number_with_another_time_is_refused(session, user):
    drive(session, "Q1", [58.1])

    with pytest.raises(LapTaken, match=r"Lap 1 of Q1 is logged with 58\.100"):
        laps.add_laps(
            session_id=session.pk, by=user, heat_name="Q1", laps=[RawLap(60.0), RawLap(59.0, 1)]
        )

    assert times_of(session) == [58.1]


@pytest.mark.parametrize(
    ("lap", "field"),
    [
        (RawLap(0.0), "lap_time"),
        (RawLap(-3.0), "lap_time"),
        (RawLap(3600.0), "lap_time"),
        (RawLap(1e300), "lap_time"),
        (RawLap("soon"), "lap_time"),
        (RawLap(58.0, confidence=0), "lap_time"),
        (RawLap(58.0, confidence=6), "lap_time"),
        (RawLap(58.0, flag="crash"), "lap_time"),
        (RawLap(58.0, number=0), "lap_time"),
    ],
)
def test_what_cannot_be_a_lap_is_refused(session, user, lap, field):
    with pytest.raises(InvalidInput) as refusal:
        laps.add_lap(session_id=session.pk, by=user, heat_name="Q1", lap=lap)

    assert field in refusal.value.fields
    assert not RunLog.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_heat_needs_a_name(session, user, name):
    with pytest.raises(InvalidInput) as refusal:
        laps.add_lap(session_id=session.pk, by=user, heat_name=name, lap=RawLap(58.0))

    assert "heat_name" in refusal.value.fields


@pytest.mark.parametrize(
    "values", [{"lap_ms": 0}, {"lap_ms": 3_600_000}, {"confidence": 6}, {"lap_number": 0}]
)
def test_the_database_keeps_impossible_laps_out_too(session, values):
    drive(session, "Q1", [58.1])
    heat = session.heats.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        RunLog.objects.create(heat=heat, **{"lap_number": 2, "lap_ms": 58_000} | values)


def test_the_database_keeps_a_lap_number_once(session):
    drive(session, "Q1", [58.1])

    with pytest.raises(IntegrityError), transaction.atomic():
        RunLog.objects.create(heat=session.heats.get(), lap_number=1, lap_ms=58_100)


def test_a_closed_session_takes_no_laps(session, user):
    garage.close_session(session_id=session.pk, by=user)

    with pytest.raises(SessionClosed, match="reopen it"):
        drive(session)

    garage.reopen_session(session_id=session.pk, by=user)
    assert drive(session) == 12


def test_somebody_elses_session_does_not_exist(session, other):
    for attempt in (
        lambda: laps.add_lap(session_id=session.pk, by=other, heat_name="Q1", lap=RawLap(58.0)),
        lambda: laps.delete_laps(session_id=session.pk, by=other),
        lambda: garage.close_session(session_id=session.pk, by=other),
        lambda: queries.session_for(other, session.pk),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_deleting_answers_how_many_there_were(session, user):
    drive(session, "Q1")
    drive(session, "Q2", [57.0] * 6)

    assert laps.delete_laps(session_id=session.pk, by=user, heat_name="Q2") == 6
    assert laps.delete_laps(session_id=session.pk, by=user) == 12
    assert not Heat.objects.exists()
    assert session.scores.get(heat=None, formula="v2").score is None


def test_flagging_a_lap_scores_the_heat_again(session, user):
    drive(session, "Practice 1", [75.2, *STEADY])
    lap = RunLog.objects.get(lap_number=1)
    before = session.scores.get(heat__name="Practice 1", formula="v2").score

    laps.flag_lap(session_id=session.pk, lap_id=lap.pk, by=user, flag="out")

    after = session.scores.get(heat__name="Practice 1", formula="v2")
    assert (before, after.score) == (89.5, 98.4)
    assert after.result["excluded"] == {"1": "out"}


def test_deleting_the_last_lap_takes_the_heat_with_it(session, user):
    drive(session, "Q1", [58.1])

    laps.delete_lap(session_id=session.pk, lap_id=RunLog.objects.get().pk, by=user)

    assert not session.heats.exists()


# -- figures --------------------------------------------------------------------------------------


def test_the_summary_is_overall_and_per_heat(session):
    drive(session, "Q1", [58.0, 59.0, 60.0])
    drive(session, "A-Main", [57.0, 61.5])

    overall, heats = queries.summary_of(session)

    assert (overall.laps, overall.total_ms) == (5, 295_500)
    assert (overall.best_ms, overall.worst_ms, overall.spread_ms) == (57_000, 61_500, 4_500)
    assert [(row.name, row.laps, row.average_ms) for row in heats] == [
        ("Q1", 3, 59_000),
        ("A-Main", 2, 59_250),
    ]


def test_a_false_read_is_nobodys_best_lap(session):
    drive(session, "Practice 1", [*STEADY, 31.0])

    assert queries.summary_of(session)[0].best_ms == 31_000
    assert queries.best_clean_ms(session) == 57_950


def test_an_empty_session_has_no_figures_and_no_made_up_score(session):
    """The forerunner showed 50 where nothing was driven."""
    overall, heats = queries.summary_of(session)
    scores.score_session(session)

    assert (overall.laps, overall.best_ms, overall.spread_ms, heats) == (0, None, None, [])
    score = session.scores.get(formula="v2", heat=None)
    assert (score.status, score.score) == ("insufficient_data", None)


# -- scores ---------------------------------------------------------------------------------------


def test_a_stored_score_is_the_formulas_own_answer_and_can_be_reproduced(session):
    """The forerunner's screen read fields the formula never gave, and showed 0.0 % and 1.000."""
    drive(session, "Q1", STEADY, confidence=4)

    v1, v2 = (session.scores.get(heat__name="Q1", formula=f) for f in ("v1", "v2"))
    assert v1.result == orp_v1(STEADY, driver_confidence=4)
    assert v2.result == orp_v2(STEADY, confidence=4).as_dict()
    logged = list(session.heats.get().laps.all())
    inputs = scores.inputs_of(logged, kind="qualifying", experience="Intermediate")
    for score in (v1, v2):
        assert inputs.hash(score.formula) == score.inputs_hash
        assert scores.compute(inputs, formula=score.formula) == score.result


def test_the_hash_changes_with_each_input(session):
    drive(session)
    logged = list(session.heats.get().laps.all())

    def digest(kind="race", experience="Pro", formula="v2"):
        return scores.inputs_of(logged, kind=kind, experience=experience).hash(formula)

    hashes = {
        digest(),
        digest(kind="practice"),
        digest(experience="Sportsman"),
        digest(formula="v1"),
    }
    logged[3].flag = "pit"
    hashes.add(digest())
    logged[-1].confidence = 2
    hashes.add(digest())
    logged.reverse()
    hashes.add(digest())

    assert len(hashes) == 7


def test_a_race_heat_leaves_out_its_grid_lap_only_while_it_is_there(session, user):
    drive(session, "A-Main", [64.4, *STEADY])
    score = session.scores.get(heat__name="A-Main", formula="v2")
    assert (session.heats.get().kind, score.result["excluded"]) == ("race", {"1": "start"})

    laps.delete_lap(session_id=session.pk, lap_id=RunLog.objects.get(lap_number=1).pk, by=user)

    assert session.scores.get(heat__name="A-Main", formula="v2").result["excluded"] == {}


def test_another_kind_scores_the_heat_again(session, user):
    drive(session, "Saturday 3", [64.4, *STEADY])
    heat = session.heats.get()

    garage.change_heat(session_id=session.pk, heat_id=heat.pk, by=user, kind="race")

    assert session.scores.get(heat=heat, formula="v2").result["excluded"] == {"1": "start"}


def test_a_heat_is_rated_after_it_was_driven(session, user):
    """Laps from timing carry no confidence: the driver rates the heat, and the gate follows."""
    drive(session, "Q1", STEADY)
    heat = session.heats.get()

    garage.change_heat(session_id=session.pk, heat_id=heat.pk, by=user, confidence=2)

    score = session.scores.get(heat=heat, formula="v2")
    assert (score.result["gate"], score.score) == ("closed", 98.4)
    assert RunLog.objects.get(confidence__isnull=False).lap_number == 12
    with pytest.raises(InvalidInput):
        garage.change_heat(session_id=session.pk, heat_id=heat.pk, by=user, confidence=6)


def test_a_track_of_timing_is_known_by_its_name(user):
    track = Track.objects.create(slug="club", name="Club Track")

    assert make_session(user, track_name="club track").track == track
    assert make_session(user, name="Other", track_name="My backyard").track is None


# -- garage ---------------------------------------------------------------------------------------


def test_the_first_racer_is_the_default_and_there_is_one(user):
    first = make_profile(user, name="Ann")
    second = make_profile(user, name="Ben")
    assert (first.is_default, second.is_default) == (True, False)

    garage.make_default(profile_id=second.pk, by=user)

    assert [p.name for p in user.racer_profiles.filter(is_default=True)] == ["Ben"]
    with pytest.raises(InvalidInput, match="of this name"):
        make_profile(user, name="Ann")


def test_a_session_takes_the_cars_baseline_setup(user):
    car = garage.save_vehicle(
        by=user, brand="Tekno", model="EB48", baseline_setup={"SO_F": "40 wt"}
    )

    session = make_session(user, profile_id=car.profile_id, vehicle=car)

    assert session.setup == {"SO_F": "40 wt"}
    with pytest.raises(NotReady, match="has sessions"):
        garage.delete_vehicle(vehicle_id=car.pk, by=user)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"practice_rounds": 11}, "practice_rounds"),
        ({"qualifying_rounds": 7}, "qualifying_rounds"),
        ({"setup": {"Wings": "big"}}, "setup.Wings"),
        ({"setup": {"SO_F": "x" * 81}}, "setup.SO_F"),
        ({"name": "  "}, "name"),
    ],
)
def test_a_session_names_the_field_that_is_wrong(user, values, field):
    with pytest.raises(InvalidInput) as refusal:
        make_session(user, **values)

    assert field in refusal.value.fields
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_phones_on_one_heat_take_turns(user):
    """Both log the next lap of the same heat: the session's lock gives each its own number."""
    session = make_session(user)

    def log(times) -> None:
        try:
            for time in times:
                laps.add_lap(session_id=session.pk, by=user, heat_name="Q1", lap=RawLap(time))
        finally:
            connection.close()

    phones = [Thread(target=log, args=([58.0 + n] * 10,)) for n in range(2)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()

    numbers = [lap.lap_number for lap in queries.laps_of(session)]
    assert numbers == list(range(1, 21))
    assert session.scores.get(heat__name="Q1", formula="v2").laps == 20
