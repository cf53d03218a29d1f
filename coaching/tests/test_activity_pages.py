"""Activities over the whole history, and one with its curves and a stranger's words."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from coaching.models import Activity, ActivityDetail
from coaching.services import athlete, upload_contents
from coaching.tests.activity_bytes import START, fit, gpx

pytestmark = pytest.mark.django_db


def ride(user, days=0, **values) -> Activity:
    starts = now() - timedelta(days=days)
    return Activity.objects.create(
        **{"owner": user, "source": "FIT file", "kind": "cycling", "starts_at": starts,
           "on": starts.date(), "elapsed_s": 3900, "moving_s": 3600} | values
    )  # fmt: skip


def test_the_list_shows_all_page_by_page(client, user):
    for days in range(60):
        ride(user, days, source=f"device {days}")

    first = client.get("/coaching/athlete/activities/")
    second = client.get("/coaching/athlete/activities/?cursor=50")

    assert "60 recordings" in first.text
    assert ("device 49" in first.text, "device 50" in first.text) == (True, False)
    assert ("device 59" in second.text, "device 49" in second.text) == (True, False)
    assert client.get("/coaching/athlete/activities/?cursor=x").status_code == 422


def test_an_activity_shows_numbers_formula_curves_and_words_as_text(client, user):
    athlete.save_numbers(by=user, values={"threshold_w": 250})
    row = ride(user, normalised_w=200, distance_m=31_400)
    ActivityDetail.objects.create(
        activity=row, title="<script>alert(1)</script>", note="Windy & wet",
        curves={"time_s": [0, 60, 120], "watts": [180, 220, None], "bpm": [None, None, None]},
    )  # fmt: skip

    page = client.get(f"/coaching/athlete/activities/{row.pk}/").text

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "31.4" in page
    assert "64.0 by power" in page
    assert "220 W" in page
    assert "Heart rate</" not in page  # nothing was recorded
    assert "Windy &amp; wet" in page


def test_somebody_elses_is_not_there(client, other):
    assert client.get(f"/coaching/athlete/activities/{ride(other).pk}/").status_code == 404


def test_two_recordings_point_at_the_one_that_counts(client, user):
    athlete.save_numbers(by=user, values={"threshold_w": 250})
    counts = ride(user, normalised_w=200)
    double = ride(user, source="iPhone", starts_at=counts.starts_at + timedelta(seconds=5))

    page = client.get(f"/coaching/athlete/activities/{double.pk}/").text

    assert f"/coaching/athlete/activities/{counts.pk}/" in page


def test_what_a_policy_keeps_out_says_so_and_until_when(client, user):
    row = ride(user, source="Strava", llm_allowed=False, keep_until=now() + timedelta(days=3))

    page = client.get(f"/coaching/athlete/activities/{row.pk}/").text

    assert "policy keeps it out" in page
    assert "dropped after" in page


def test_effort_set_on_the_page_comes_back_to_it(client, user):
    row = ride(user)

    answer = client.post(
        f"/coaching/athlete/activities/{row.pk}/effort/", {"effort": "6", "next": "activity"}
    )

    assert answer["Location"] == f"/coaching/athlete/activities/{row.pk}/"
    assert "by perceived" in client.get(answer["Location"]).text


def test_a_file_brings_its_curves_and_a_zip_of_years_only_the_newest(
    client, user, run_jobs, own_storage, monkeypatch
):
    monkeypatch.setattr(upload_contents, "MOST_CURVES", 2)
    athlete.set_health_consent(by=user, is_given=True)
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as files:
        files.writestr("new.fit", fit())
        for hour in (6, 8, 10):
            files.writestr(f"{hour}.gpx", gpx(start=START - timedelta(hours=hour)))

    athlete.request_upload(
        by=user, file=SimpleUploadedFile("rides.zip", box.getvalue()), name="rides.zip"
    )
    run_jobs()

    drawn = ActivityDetail.objects.filter(curves__isnull=False).order_by("activity__starts_at")
    assert Activity.objects.count() == 4
    assert drawn.count() == 2
    page = client.get(f"/coaching/athlete/activities/{drawn.last().pk}/").text
    assert "chart" in page
