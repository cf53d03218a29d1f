"""What an export says of each day, and everything a damaged or hostile one may try."""

import io
import random
import struct
import zipfile
from datetime import date

import pytest

from coaching.tests.health_exports import HEAD, record, sleep, workout, xml, zipped
from coaching.uploads import archive
from coaching.uploads.apple_health import read_export
from coaching.uploads.errors import BadUpload

DAY = "2026-03-01"
HRV = "HeartRateVariabilitySDNN"


def values(file) -> dict:
    return {(v.metric, str(v.on), v.source): v.value for v in read_export(file).values}


def at(clock: str, day: str = DAY, zone: str = "+1100") -> str:
    return f"{day} {clock}:00 {zone}"


def test_a_day_is_made_of_its_records_apart_by_source():
    file = zipped(
        xml(
            record(HRV, 40, at("06:00"), unit="ms"),
            record(HRV, 60, at("07:00"), unit="ms"),
            record("RestingHeartRate", 48, at("08:00")),
            record("StepCount", 1000, at("09:00"), at("09:10"), unit="count"),
            record("StepCount", 500, at("10:00"), at("10:10"), unit="count"),
            record("StepCount", 1400, at("09:00"), at("10:10"), unit="count", source="Phone"),
        )
    )

    assert values(file) == {
        ("hrv_sdnn", DAY, "Watch"): 50,
        ("resting_hr", DAY, "Watch"): 48,
        ("steps", DAY, "Watch"): 1500,
        ("steps", DAY, "Phone"): 1400,
    }


def test_units_are_read_off_each_record():
    file = zipped(
        xml(
            record("ActiveEnergyBurned", 418.4, at("09:00"), unit="kJ"),
            record("ActiveEnergyBurned", 50, at("10:00"), unit="Cal"),
            record("RestingHeartRate", 0.8, at("10:00"), unit="count/s"),
        )
    )

    assert values(file) == {("active_energy", DAY, "Watch"): 150, ("resting_hr", DAY, "Watch"): 48}


def test_the_local_day_is_the_phones_own():
    late = record(
        "RestingHeartRate", 50, "2026-03-01 23:59:00 +1100"
    )  # still February in UTC's eyes

    assert list(values(zipped(xml(late)))) == [("resting_hr", "2026-03-01", "Watch")]


def test_sleep_belongs_to_the_day_of_waking_and_overlaps_count_once():
    file = zipped(
        xml(
            sleep("InBed", at("22:00"), at("06:30", "2026-03-02")),
            sleep("AsleepCore", at("22:30"), at("02:00", "2026-03-02")),
            sleep("AsleepDeep", at("01:00", "2026-03-02"), at("03:00", "2026-03-02")),
            sleep("Awake", at("03:00", "2026-03-02"), at("03:30", "2026-03-02")),
            sleep("AsleepREM", at("03:30", "2026-03-02"), at("06:00", "2026-03-02")),
        )
    )

    # 22:30–03:00 and 03:30–06:00, though the first span ended on the 2nd too
    assert values(file) == {("sleep", "2026-03-02", "Watch"): 7 * 60}


def test_a_record_written_twice_counts_once_and_nested_ones_not_at_all():
    twice = record("StepCount", 100, at("09:00"), unit="count")
    nested = (
        f'<Correlation type="x">{record("StepCount", 7, at("11:00"), unit="count")}</Correlation>'
    )

    assert values(zipped(xml(twice, twice, nested))) == {("steps", DAY, "Watch"): 100}


def test_the_order_of_records_changes_nothing():
    chance = random.Random(4)
    rows = [
        record(HRV, round(chance.uniform(20, 90), 4), at(f"{h:02}:{m:02}"), unit="ms")
        for h in range(24)
        for m in range(0, 60, 7)
    ]
    first = read_export(zipped(xml(*rows)))
    for _ in range(5):
        chance.shuffle(rows)
        assert read_export(zipped(xml(*rows))) == first


def test_workouts_of_old_and_new_exports():
    new = workout(
        at("10:00"),
        at("11:30"),
        inner='<WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" sum="800" unit="Cal"/>'
        '<WorkoutStatistics type="HKQuantityTypeIdentifierDistanceCycling" sum="40" unit="km"/>'
        '<WorkoutStatistics type="HKQuantityTypeIdentifierHeartRate" average="142" unit="count/min"/>',
    )
    old = workout(
        at("15:00"),
        at("15:30"),
        kind="Running",
        extra='totalEnergyBurned="1673.6" totalEnergyBurnedUnit="kJ" totalDistance="3" totalDistanceUnit="mi"',
    )
    ride, run = read_export(zipped(xml(new, old))).workouts

    assert (ride.kind, ride.seconds, ride.energy_kcal, ride.distance_m, ride.average_bpm) == (
        "Cycling",
        5400,
        800,
        40_000,
        142,
    )
    assert ride.starts_at.isoformat() == "2026-02-28T23:00:00+00:00"
    assert ride.on == date(2026, 3, 1)
    assert (run.kind, run.energy_kcal, run.distance_m) == ("Running", 400, 4828.0)


def test_impossible_values_are_left_out_and_counted():
    export = read_export(
        zipped(
            xml(
                record("RestingHeartRate", 900, at("08:00")),
                record("RestingHeartRate", "nan", at("08:00")),
                record("RestingHeartRate", "", at("08:00")),
                record("RestingHeartRate", 50, "yesterday"),
                sleep("Asleep", at("23:00"), at("22:00")),
            )
        )
    )

    assert export.values == []
    assert export.left_out == 5


# -- names, shapes and damage seen in real exports --------------------------------------------------


@pytest.mark.parametrize(
    "name", ["apple_health_export/exportación.xml", "导出.xml", "apple_health_export/Export.XML"]
)
def test_the_files_name_is_localised(name):
    file = zipped(xml(record("RestingHeartRate", 50, at("08:00"))), name=name)

    assert len(values(file)) == 1


def test_the_clinical_document_beside_it_is_not_taken_for_the_export():
    file = zipped(
        xml(record("RestingHeartRate", 50, at("08:00"))),
        apple_health_export__export_cda_dot_xml=b"<ClinicalDocument>" + b" " * 99_999,
    )

    assert len(values(file)) == 1


def test_a_bare_xml_is_taken_too():
    assert len(values(io.BytesIO(xml(record("RestingHeartRate", 50, at("08:00")))))) == 1


def test_control_characters_a_broken_dtd_and_doubled_attributes_are_mended():
    doubled = (
        '<WorkoutStatistics type="HKQuantityTypeIdentifierDistanceCycling" startDate="a" '
        'startDate="b" sum="2" unit="km"/>'
    )
    content = xml(
        record("RestingHeartRate", 50, at("08:00"), source="Wa\x0btch"),
        workout(at("10:00"), at("11:00"), inner=doubled),
        head=b"<?xml version='1.0'?><!DOCTYPE HealthData [<!ELEMENT broken ((>]>",
    )
    export = read_export(zipped(content))

    assert [v.source for v in export.values] == ["Watch"]
    assert export.workouts[0].distance_m == 2000


GOOD = xml(record("RestingHeartRate", 50, at("08:00")))


def encrypted() -> io.BytesIO:
    data = bytearray(zipped(GOOD).getvalue())
    data[6] |= 1  # local header
    data[data.rfind(b"PK\x01\x02") + 8] |= 1  # central directory
    return io.BytesIO(bytes(data))


def cut_zip() -> io.BytesIO:
    data = zipped(GOOD * 50).getvalue()
    return io.BytesIO(data[: len(data) // 2])


def damaged_zip() -> io.BytesIO:
    data = bytearray(
        zipped(xml(*[record("RestingHeartRate", n, at("08:00")) for n in range(30, 90)])).getvalue()
    )
    data[120:140] = struct.pack("20s", b"\xff" * 20)
    return io.BytesIO(bytes(data))


def many_entries() -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as box:
        for number in range(30):
            box.writestr(f"{number}.txt", b"")
    file.seek(0)
    return file


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE HealthData [<!ENTITY a "%s"><!ENTITY b "&a;&a;">]>'
HOSTILE = {
    "not a zip": lambda: io.BytesIO(b"GIF89a" * 100),
    "nothing": lambda: io.BytesIO(b""),
    "an empty zip": lambda: io.BytesIO(b"PK\x05\x06" + b"\0" * 18),
    "a cut zip": cut_zip,
    "a damaged zip": damaged_zip,
    "a password": encrypted,
    "no export inside": lambda: zipped(b"hello", name="readme.txt"),
    "another XML": lambda: zipped(b"<gpx></gpx>"),
    "cut XML": lambda: zipped(GOOD[:-20]),
    "an entity bomb": lambda: zipped(xml("&b;", head=ENTITIES % (b"ha" * 1000))),
    "a file outside": lambda: zipped(
        xml("&e;", head=b'<!DOCTYPE HealthData [<!ENTITY e SYSTEM "file:///etc/passwd">]>')
    ),
    "a tag without end": lambda: zipped(HEAD + b"<HealthData " + b"a" * 3_000_000),
    "nested for ever": lambda: zipped(xml("<x>" * 5000 + "</x>" * 5000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_an_export_is_refused_in_words_for_people(name):
    with pytest.raises(BadUpload) as refusal:
        read_export(HOSTILE[name]())

    assert refusal.value.fields["file"]
    assert "Traceback" not in str(refusal.value)


def test_a_bomb_is_stopped_while_it_inflates(monkeypatch):
    monkeypatch.setattr(archive, "RATIO_COUNTS_FROM", 1024**2)
    bomb = zipped(HEAD + b"<HealthData>" + b"<x/>" * 5_000_000 + b"</HealthData>")
    read = []

    with pytest.raises(BadUpload, match="inflates"):
        read_export(bomb, on_progress=read.append)

    assert len(read) < 20  # of 77 chunks


def test_an_entry_that_lies_about_its_size_is_stopped(monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 100_000)

    with pytest.raises(BadUpload):
        read_export(zipped(HEAD + b"<HealthData>" + b" " * 200_000 + b"</HealthData>"))


def test_a_directory_of_endless_entries_is_refused(monkeypatch):
    monkeypatch.setattr(archive, "MOST_ENTRIES", 20)

    with pytest.raises(BadUpload, match="too many"):
        read_export(many_entries())
