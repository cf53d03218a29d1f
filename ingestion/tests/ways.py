"""What people do in a browser on their way to timing data."""

from ingestion.fake_liverc.people import DEMO


def ask_liverc(page, first, last=None, track: str = DEMO) -> None:
    """Fill the form of a span of days (one day without `last`) and ask."""
    page.get_by_label("Track", exact=True).fill(track)
    page.get_by_label("From", exact=True).fill(first.isoformat())
    page.get_by_label("To", exact=True).fill((last or first).isoformat())
    page.get_by_role("button", name="Ask LiveRC").click()
