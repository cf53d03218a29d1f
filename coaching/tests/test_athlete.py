"""An athlete's files become days, activities and form: once, whole, and only theirs."""

import random
from datetime import date, timedelta
from itertools import permutations

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from coaching.models import Activity, AthleteUpload, DailyMetric
from coaching.queries import athlete as queries
from coaching.services import athlete as services
from coaching.services.upload_contents import MEASURED
from coaching.tests.activity_bytes import START, fit, gpx
from coaching.tests.athletes import bring
from coaching.tests.health_exports import record, sleep, workout, xml, zipped
from coaching.uploads.errors import BadUpload
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, NotReady

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_storage")]


def at(clock: str, day: str = "2026-03-01") -> str:
    return f"{day} {clock}:00 +1100"


EXPORT = zipped(
    xml(
        record("StepCount", 4000, at("09:00"), unit="count", source="Sam’s Watch"),
        record("StepCount", 3500, at("09:00"), unit="count", source="iPhone"),
        sleep("AsleepCore", at("22:00", "2026-02-28"), at("05:00")),
        workout(at("07:00"), at("08:00")),
    )
).getvalue()


ENERGY = (
    '<WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" sum="%d" unit="kcal"/>'
)


def test_a_file_is_read_by_the_worker_and_then_let_go(athlete, run_jobs):
    upload = bring(athlete, EXPORT)
    stored = upload.stored_as
    assert default_storage.exists(stored)

    assert run_jobs() == 1

    upload.refresh_from_db()
    assert (upload.state, upload.message) == ("done", "3 daily values, 1 workout")
    assert not default_storage.exists(stored)
    assert DailyMetric.objects.filter(owner=athlete).count() == 3


def test_one_source_speaks_for_a_day_and_the_athlete_decides_which(athlete, run_jobs):
    bring(athlete, EXPORT)
    run_jobs()
    day = date(2026, 3, 1)

    steps = queries.daily_values(athlete, since=day, until=day)["steps"][day]
    assert (steps.value, steps.source) == (4000, "Sam’s Watch")

    services.save_numbers(by=athlete, values={"source_order": ["iPhone"]})
    assert queries.daily_values(athlete, since=day, until=day)["steps"][day].value == 3500


def test_bringing_files_again_in_any_order_gives_the_same_rows(athlete, run_jobs):
    first = zipped(xml(record("StepCount", 100, at("09:00"), unit="count"))).getvalue()
    later = zipped(
        xml(
            record("StepCount", 100, at("09:00"), unit="count"),
            record("StepCount", 50, at("19:00"), unit="count"),
            record("RestingHeartRate", 50, at("08:00")),
        )
    ).getvalue()
    files = [later, fit(), EXPORT, gpx()]
    names = ["export.zip", "ride.fit", "other.zip", "walk.gpx"]

    def rows():
        metrics = DailyMetric.objects.order_by("metric", "on", "source").values_list(
            "metric", "on", "source", "value"
        )
        done = Activity.objects.order_by("starts_at", "source").values_list(
            "source", "starts_at", "distance_m"
        )
        return list(metrics), list(done)

    bring(athlete, first)
    run_jobs()
    seen = set()
    chance = random.Random(3)
    for _ in range(3):
        order = list(zip(files, names, strict=True))
        chance.shuffle(order)
        for content, name in order:
            bring(athlete, content, name)
            run_jobs()
        seen.add(str(rows()))

    assert len(seen) == 1


def measured(owner) -> str:
    rows = Activity.objects.filter(owner=owner).order_by("source", "starts_at")
    return str(list(rows.values_list("source", "starts_at", *MEASURED)))


def test_two_exports_that_differ_give_the_same_rows_in_any_order(athlete, run_jobs):
    """A workout grows while the watch still sends; a long name may differ late only."""
    names = ["S" * 120 + "one", "S" * 120 + "two"]
    exports = [
        zipped(
            xml(
                workout(at("07:00"), at(end), inner=inner),
                *[record("StepCount", 100 + n, at("09:00"), unit="count", source=s) for s in names],
            )
        ).getvalue()
        for n, (end, inner) in enumerate(
            [("07:40", ENERGY % 300), ("08:00", ""), ("08:00", ENERGY % 250)]
        )
    ]
    seen = set()
    for order in permutations(exports):
        Activity.objects.all().delete()
        DailyMetric.objects.all().delete()
        for content in (*order, order[0]):
            bring(athlete, content)
            run_jobs()
        assert set(AthleteUpload.objects.values_list("state", flat=True)) == {"done"}
        days = DailyMetric.objects.values_list("metric", "on", "source", "value", "records")
        seen.add(measured(athlete) + str(list(days)))

    assert len(seen) == 1
    assert Activity.objects.get().elapsed_s == 3600
    assert Activity.objects.get().energy_kcal == 250


def test_a_workout_before_all_calendars_is_left_out(athlete, run_jobs):
    bad = [
        workout(f"{year}-01-01 00:00:00 +0100", f"{year}-01-01 01:00:00 +0100")
        for year in ("0001", "9999")
    ]
    upload = bring(athlete, zipped(xml(*bad, workout(at("07:00"), at("08:00")))).getvalue())
    run_jobs()

    upload.refresh_from_db()
    assert (upload.state, upload.problems) == ("done", ["2 records could not be used."])
    assert Activity.objects.count() == 1


@pytest.mark.parametrize("what", ["upload", "job", "consent"])
@pytest.mark.parametrize("name", ["export.zip", "ride.fit"])
def test_what_is_stopped_while_it_is_read_leaves_nothing(
    athlete, run_jobs, monkeypatch, what, name
):
    """However late it is said: all was read, nothing is saved yet."""
    upload = bring(athlete, EXPORT if name == "export.zip" else fit(), name)
    stored, read = upload.stored_as, services._read

    def then_stop(*args):
        found = read(*args)
        if what == "upload":
            services.cancel_upload(by=athlete, upload_id=upload.pk)
        elif what == "job":
            raise jobs.Cancelled
        else:
            services.set_health_consent(by=athlete, is_given=False)
        return found

    monkeypatch.setattr(services, "_read", then_stop)
    run_jobs()

    upload.refresh_from_db()
    assert (upload.state, upload.job.state) == ("cancelled", "cancelled")
    assert upload.message == (services.NO_CONSENT if what == "consent" else "Cancelled.")
    assert not Activity.objects.exists()
    assert not DailyMetric.objects.exists()
    assert not default_storage.exists(stored)


@pytest.mark.parametrize("name", ["export.zip", "ride.fit"])
def test_progress_is_told_outside_the_transaction(athlete, name):
    """Else nobody would see it, and whoever cancels would wait for the lock on the job's row."""
    upload = bring(athlete, EXPORT if name == "export.zip" else fit(), name)
    outside, seen = len(connection.savepoint_ids), []
    services.read_upload(
        upload_id=upload.pk, on_progress=lambda step: seen.append(len(connection.savepoint_ids))
    )

    assert set(seen) == {outside}


def test_a_file_left_by_a_stop_after_saving_goes_with_the_next_delivery(athlete, monkeypatch):
    upload = bring(athlete, EXPORT)
    with monkeypatch.context() as patch:
        patch.setattr(services, "let_go", lambda upload: None)
        services.read_upload(upload_id=upload.pk)
    assert default_storage.exists(upload.stored_as)

    assert services.read_upload(upload_id=upload.pk) == {}
    assert not default_storage.exists(upload.stored_as)
    upload.refresh_from_db()
    assert upload.stored_as == ""


def test_nothing_of_a_damaged_export_is_kept(athlete, run_jobs):
    whole = xml(
        *[record("RestingHeartRate", 50, at("08:00", f"2026-03-{d:02}")) for d in range(1, 29)]
    )
    upload = bring(athlete, zipped(whole[:-100]).getvalue())
    stored = upload.stored_as
    run_jobs()

    upload.refresh_from_db()
    assert upload.state == "failed"
    assert "export it again" in upload.message
    assert upload.job.state == "failed"
    assert DailyMetric.objects.count() == 0
    assert not default_storage.exists(stored)


def test_one_file_at_a_time(athlete):
    bring(athlete, EXPORT)

    with pytest.raises(NotReady, match="being read"):
        bring(athlete, EXPORT)

    upload = AthleteUpload.objects.get()
    services.cancel_upload(by=athlete, upload_id=upload.pk)
    bring(athlete, EXPORT)
    with pytest.raises(NotReady):
        services.cancel_upload(by=athlete, upload_id=upload.pk)


def test_a_second_delivery_does_nothing(athlete, run_jobs):
    upload = bring(athlete, EXPORT)
    run_jobs()
    DailyMetric.objects.update(value=1)

    assert services.read_upload(upload_id=upload.pk) == {}
    assert set(DailyMetric.objects.values_list("value", flat=True)) == {1}


def test_without_consent_nothing_is_taken_and_withdrawing_stops_what_waits(user, run_jobs):
    with pytest.raises(NotAllowed, match="Agree"):
        bring(user, EXPORT)
    services.set_health_consent(by=user, is_given=True)
    upload = bring(user, EXPORT)
    services.set_health_consent(by=user, is_given=False)
    run_jobs()

    upload.refresh_from_db()
    assert upload.state == "cancelled"
    assert DailyMetric.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "content"), [("a.exe", b"MZ"), ("export.zip", b""), ("export.zip", b"no zip")]
)
def test_a_wrong_file_is_refused_at_the_door(athlete, name, content):
    with pytest.raises(BadUpload):
        bring(athlete, content, name)

    assert AthleteUpload.objects.count() == 0


def test_others_cannot_steer_or_rate(athlete, other):
    upload = bring(athlete, EXPORT)
    ride = Activity.objects.create(
        owner=athlete,
        source="File",
        starts_at=START,
        on=START.date(),
        elapsed_s=3600,
        moving_s=3600,
    )

    with pytest.raises(NotFound):
        services.cancel_upload(by=other, upload_id=upload.pk)
    with pytest.raises(NotFound):
        services.rate_effort(by=other, activity_id=ride.pk, effort=5)


def test_load_comes_from_the_best_thing_known(athlete):
    ride = Activity(
        owner=athlete,
        source="File",
        starts_at=START,
        on=START.date(),
        elapsed_s=3600,
        moving_s=3600,
        average_bpm=165,
        effort=7,
        normalised_w=250,
    )
    numbers = queries.numbers_of(athlete)
    assert queries.load_of(ride, numbers).method == "perceived"

    numbers.resting_bpm, numbers.threshold_bpm, numbers.max_bpm = 50, 165, 185
    assert queries.load_of(ride, numbers).method == "heart_rate"

    numbers.threshold_w = 250
    load = queries.load_of(ride, numbers)
    assert (load.method, load.points) == ("power", pytest.approx(100))


def test_two_recordings_of_one_effort_count_once(athlete):
    services.save_numbers(by=athlete, values={"threshold_w": 250})
    for source, minutes, watts in [("Watch", 0, None), ("File", 2, 250.0), ("Evening", 600, 250.0)]:
        Activity.objects.create(
            owner=athlete,
            source=source,
            starts_at=START + timedelta(minutes=minutes),
            on=START.date(),
            elapsed_s=3600,
            moving_s=3600,
            normalised_w=watts,
        )

    loaded = queries.activities_of(athlete)
    assert [one.activity.source for one in loaded if one.double_of is None] == ["File", "Evening"]

    form = queries.form_of(athlete, until=START.date())
    assert form.last.load == pytest.approx(200)
    assert form.building == 1


def test_what_a_providers_policy_keeps_out_is_shown_and_enters_no_form(athlete):
    Activity.objects.create(
        owner=athlete,
        source="Strava",
        starts_at=START,
        on=START.date(),
        elapsed_s=3600,
        moving_s=3600,
        effort=7,
        llm_allowed=False,
    )

    assert len(queries.activities_of(athlete)) == 1
    assert queries.form_of(athlete, until=START.date()).days == []
    assert queries.form_of(athlete, until=START.date(), for_coach=True).days == []


def test_heart_rates_must_rise(athlete):
    with pytest.raises(InvalidInput) as refusal:
        services.save_numbers(
            by=athlete, values={"resting_bpm": 60, "threshold_bpm": 170, "max_bpm": 165}
        )

    assert "threshold_bpm" in refusal.value.fields
