"""FIT, GPX and TCX files: what they say, and what cannot be one."""

import gzip
import io
import zipfile

import pytest

from coaching.tests.activity_bytes import START, fit, gpx, tcx
from coaching.uploads.activity_files import read_activity, read_file
from coaching.uploads.errors import BadUpload


def test_a_gpx_track():
    ride = read_activity(gpx(), "ride.gpx")

    assert (ride.kind, ride.starts_at, ride.elapsed_s, ride.moving_s) == ("cycling", START, 60, 60)
    assert ride.distance_m == pytest.approx(60 * 11.1195, rel=1e-3)
    assert (ride.ascent_m, ride.average_bpm, ride.max_bpm) == (30, 140, 140)


def test_a_stop_is_not_moving():
    ride = read_activity(gpx(10, step_s=60), "ride.gpx")

    assert (ride.elapsed_s, ride.moving_s) == (540, 0)


def test_a_tcx_ride_with_power():
    ride = read_activity(tcx(watts=200), "ride.TCX")

    assert (ride.kind, ride.distance_m, ride.average_w, ride.average_bpm) == (
        "Biking",
        960,
        200,
        150,
    )
    assert ride.normalised_w == pytest.approx(200, abs=2)
    assert ride.energy_kcal == 55


def test_a_fit_session():
    ride = read_activity(fit(), "ride.fit")

    assert (ride.kind, ride.starts_at, ride.elapsed_s, ride.moving_s) == (
        "cycling",
        START,
        120,
        100,
    )
    assert (ride.distance_m, ride.average_w, ride.average_bpm) == (960, 210, 145)
    assert ride.normalised_w == pytest.approx(210, abs=2)


def test_a_fit_file_cut_off_before_its_session_still_has_its_records():
    ride = read_activity(fit(session=False), "ride.fit")

    assert (ride.elapsed_s, ride.distance_m, ride.average_bpm) == (120, 960, 145)


def test_gzip_and_zip():
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as file:
        file.writestr("a/ride.fit", fit())
        file.writestr("b/walk.gpx.gz", gzip.compress(gpx()))
        file.writestr("c/broken.fit", fit()[:-40])
        file.writestr("notes.txt", b"hello")
    box.seek(0)

    found = dict(read_file(box, "all.zip"))

    assert set(found) == {"a/ride.fit", "b/walk.gpx.gz", "c/broken.fit"}
    assert isinstance(found["c/broken.fit"], BadUpload)
    assert found["a/ride.fit"].elapsed_s == 120


BAD = {
    "empty.fit": b"",
    "text.fit": b"hello world, this is no FIT file",
    "cut.fit": fit()[:200],
    "flipped.fit": fit()[:-3] + b"\xff" + fit()[-2:],
    "cut.gpx": gpx()[:-30],
    "other.gpx": b"<html></html>",
    "empty.gpx": b"<gpx></gpx>",
    "timeless.gpx": b'<gpx><trkpt lat="1" lon="2"/><trkpt lat="1" lon="3"/></gpx>',
    "entities.gpx": b'<!DOCTYPE gpx [<!ENTITY a "aa">]><gpx>&a;</gpx>',
    "deep.tcx": b"<TrainingCenterDatabase>" + b"<a>" * 500,
    "cut.gpx.gz": gzip.compress(gpx())[:-20],
    "ride.exe": b"MZ",
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_refused(name):
    with pytest.raises(BadUpload) as refusal:
        read_activity(BAD[name], name)

    assert refusal.value.fields["file"]


def test_impossible_positions_and_jumps_make_no_distance():
    jump = gpx(3).replace(b'lat="-34.999900"', b'lat="89.0"')

    assert (read_activity(jump, "x.gpx").distance_m or 0) < 50
