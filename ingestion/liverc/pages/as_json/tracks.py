"""The catalogue, a track's dashboard and its list of events."""

from dataclasses import asdict

from ingestion.liverc.pages.as_json._common import iso
from ingestion.liverc.pages.catalogue import CataloguePage
from ingestion.liverc.pages.dashboard import DashboardPage
from ingestion.liverc.pages.events import EventsPage


def catalogue(page: CataloguePage) -> dict:
    tracks = [
        {
            "slug": one.slug,
            "host": one.host,
            "name": one.name,
            "data_href": one.data_href,
            "event_label": one.event_label,
            "age_text": one.age_text,
            "video": one.has_video,
            "status": one.status,
            "featured": one.is_featured,
        }
        for one in page.tracks
    ]
    return {"tracks": tracks, "count": len(tracks)}


def dashboard(page: DashboardPage) -> dict:
    return {
        "track_name": page.track_name,
        "panels": [asdict(one) for one in page.panels],
        "address_lines": list(page.address_lines),
        "website": page.website,
        "lifetime": page.lifetime,
        "map_query": page.map_query,
        "logo_url": page.logo_url,
    }


def events(page: EventsPage) -> dict:
    events = [
        {
            "event_id": one.event_id,
            "name": one.name,
            "url": one.url,
            "sort_datetime": one.sort_datetime,
            "date_text": one.days.text,
            "start": iso(one.days.start),
            "end": iso(one.days.end),
            "entries": one.entries,
            "drivers": one.drivers,
        }
        for one in page.events
    ]
    return {"events": events, "count": len(events)}
