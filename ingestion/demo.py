"""The demo's event: imported through the real pipeline from the stand-in, never from LiveRC itself."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.world import DEMO_EVENT_ID
from ingestion.models import Event
from ingestion.services.imports import request_import
from racecontrol.shared.errors import NotReady


def load_demo(*, by: Any) -> None:
    """Queue the import of the demo event, once. Raises NotReady where the source is not the stand-in."""
    if urlsplit(settings.LIVERC_URL_TEMPLATE).hostname not in ("127.0.0.1", "localhost"):
        raise NotReady(
            "The demo needs the stand-in: set LIVERC_URL_TEMPLATE to manage.py fake_liverc."
        )
    known = Event.objects.filter(source_event_id=str(DEMO_EVENT_ID)).first()
    if known is None or known.last_ingested_at is None:
        request_import(source_event_id=str(DEMO_EVENT_ID), track_slug=DEMO, by=by)
