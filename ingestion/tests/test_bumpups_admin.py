"""Corrections in the admin go the same way as everywhere: through the service, with a trail."""

import pytest

from ingestion.models import BumpUp
from racecontrol.models import AuditEvent

pytestmark = pytest.mark.django_db

LIST = "/admin/ingestion/bumpup/"


def test_staff_reject_many_at_once(boss, event):
    ids = list(event.bump_ups.values_list("pk", flat=True)[:2])

    boss.post(LIST, {"action": "reject", "_selected_action": ids})

    assert set(event.bump_ups.filter(pk__in=ids).values_list("status", flat=True)) == {"rejected"}
    assert AuditEvent.objects.filter(verb="bump_up.rejected").count() == 2


def test_one_is_corrected_with_a_note(boss, event, staff):
    row = BumpUp.objects.first()

    answer = boss.post(f"{LIST}{row.pk}/change/", {"status": "confirmed", "note": "Saw it"})

    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.status, row.note, row.decided_by) == ("confirmed", "Saw it", staff)
    assert AuditEvent.objects.get(verb="bump_up.confirmed").reason == "Saw it"


def test_lists_and_searches_open(boss, event):
    assert "Driver n" in boss.get(f"{LIST}?q=Driver&status__exact=detected").text
    assert boss.get("/admin/ingestion/officialbumpslot/").status_code == 200
    assert boss.get(f"{LIST}add/").status_code == 403


def test_other_people_stay_out(client, event):
    assert client.get(LIST).status_code in (302, 403)
