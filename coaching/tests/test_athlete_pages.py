"""The athlete's pages: form and trends, bringing a file with progress, what is refused in place."""

import io
import os
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now
from playwright.sync_api import expect

from coaching.models import Activity, AthleteUpload
from coaching.services import athlete as services
from coaching.tests.health_exports import record, xml, zipped
from racecontrol.testing.browser import PHONE
from racecontrol.testing.pages import HTMX, Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_storage")]
INTO = HTMX | {"HX-Target": "uploads"}
EXPORT = zipped(
    xml(
        *[
            record("RestingHeartRate", 48 + d % 3, f"2026-03-{d:02} 08:00:00 +1100")
            for d in range(1, 20)
        ]
    )
).getvalue()


def file(content=EXPORT, name="export.zip"):
    return SimpleUploadedFile(name, content)


def test_a_newcomer_is_led_to_bringing_a_file(client):
    page = client.get("/coaching/athlete/").text

    assert "No training load yet" in page
    assert "/coaching/athlete/uploads/" in page


def test_a_file_is_brought_read_and_shown(client, user, run_jobs):
    answer = client.post("/coaching/athlete/uploads/", {"file": file(), "consent": "on"})
    assert answer.status_code == 302

    run_jobs()

    assert "19 daily values" in client.get("/coaching/athlete/uploads/").text
    assert "Resting heart rate" in client.get("/coaching/athlete/?span=1y").text


def test_without_consent_the_form_says_so_in_place(client):
    answer = client.post("/coaching/athlete/uploads/", {"file": file()}, headers=INTO)

    assert answer.status_code == 422
    assert "Agree" in Page(answer).text("uploads")
    assert AthleteUpload.objects.count() == 0


def test_the_swapped_part_is_what_a_reload_shows(client, user):
    services.set_health_consent(by=user, is_given=True)
    swapped = client.post("/coaching/athlete/uploads/", {"file": file()}, headers=INTO)

    assert Page(swapped).part("uploads") == Page(client.get("/coaching/athlete/uploads/")).part(
        "uploads"
    )


def test_health_pages_are_not_kept_by_caches(client):
    for path in ("/coaching/athlete/", "/coaching/athlete/uploads/", "/coaching/athlete/numbers/"):
        assert "no-store" in client.get(path)["Cache-Control"]


def test_effort_gives_a_load_and_nonsense_changes_nothing(client, user):
    ride = Activity.objects.create(
        owner=user,
        source="FIT file",
        starts_at=now(),
        on=now().date(),
        elapsed_s=3600,
        moving_s=3600,
    )
    url = f"/coaching/athlete/activities/{ride.pk}/effort/"

    assert client.post(url, {"effort": "7"}).status_code == 302
    assert ">100<" in client.get("/coaching/athlete/").text
    assert client.post(url, {"effort": "11"}).status_code == 422
    ride.refresh_from_db()
    assert ride.effort == 7


def test_the_number_of_queries_does_not_grow_with_the_history(
    client, user, django_assert_max_num_queries
):
    Activity.objects.bulk_create(
        Activity(
            owner=user,
            source="FIT file",
            starts_at=now() - timedelta(days=n),
            on=now().date() - timedelta(days=n),
            elapsed_s=3600,
            moving_s=3600,
            effort=5,
        )
        for n in range(200)
    )

    with django_assert_max_num_queries(20):
        client.get("/coaching/athlete/")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_bringing_a_file_in_a_browser(browser_client, user, run_jobs, tmp_path):
    path = tmp_path / "Export.zip"
    with zipfile.ZipFile(io.BytesIO(EXPORT)) as old, zipfile.ZipFile(path, "w") as box:
        for name in old.namelist():
            box.writestr(name, old.read(name))
        box.writestr("workout-routes/long.bin", os.urandom(1_500_000))  # a while on the way
    page = browser_client
    page.set_viewport_size(PHONE)

    page.goto("/coaching/athlete/uploads/")
    page.set_input_files("input[type=file]", str(path))
    page.check("input[name=consent]")
    page.evaluate(
        """() => {
            window.shown = [];
            document.addEventListener("htmx:xhr:progress", (event) => {
                const bar = event.target.closest("[data-upload]")?.querySelector("progress");
                if (bar) window.shown.push([bar.hidden, bar.value]);
            });
        }"""
    )
    page.click("button:has-text('Send')")
    page.wait_for_selector("text=Read Apple Health export")
    shown = page.evaluate("window.shown")
    assert shown[-1] == [False, 100]
    assert [value for _, value in shown] == sorted(value for _, value in shown)
    run_jobs()

    # what came of it stands there by itself
    expect(page.locator("#upload-history")).to_contain_text("19 daily values")
    expect(page.locator("#upload-history .badge")).to_have_text("read")
