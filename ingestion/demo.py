"""The demo's event and practice day: imported through the real pipeline from the stand-in, never from LiveRC itself."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from ingestion.domain.practice import day_id
from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_DAY, DEMO_EVENT_ID
from ingestion.models import Event
from ingestion.services.imports import request_import
from ingestion.services.practice import requests as practice
from racecontrol.shared.errors import NotReady


def load_demo(*, by: Any) -> None:
    """Queue the import of the demo event, once. Raises NotReady where the source is not the stand-in."""
    need_stand_in()
    known = Event.objects.filter(source_event_id=str(DEMO_EVENT_ID)).first()
    if known is None or known.last_ingested_at is None:
        request_import(source_event_id=str(DEMO_EVENT_ID), track_slug=DEMO, by=by)


def load_practice_demo(*, by: Any) -> None:
    """Queue the import of the day of open running before the demo event, once."""
    need_stand_in()
    wanted = day_id(DEMO, DEMO_DAY - timedelta(days=1))
    known = Event.objects.filter(source_event_id=wanted).first()
    if known is None or known.last_ingested_at is None:
        practice.request_import(source_event_id=wanted, by=by)


def need_stand_in() -> None:
    """Raises NotReady where imports would go to LiveRC itself."""
    if urlsplit(settings.LIVERC_URL_TEMPLATE).hostname not in ("127.0.0.1", "localhost"):
        raise NotReady(
            "The demo needs the stand-in: set LIVERC_URL_TEMPLATE to manage.py fake_liverc."
        )
