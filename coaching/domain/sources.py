"""Which source speaks for a day. Watch and phone count the same steps: one is chosen, none added."""

from collections.abc import Iterable, Sequence

# Without the athlete's own order: what is worn knows best, then apps, then the phone in a pocket.
WORN = ("watch", "ring", "oura", "garmin", "polar", "suunto", "whoop", "coros", "fitbit", "wahoo")
PHONE = ("iphone", "phone", "ipad")


# Services by the name we gave them ourselves; every other name is whatever a phone wrote.
SERVICES = ("Oura", "intervals.icu", "Strava", "Apple Health")


def kind_of(source: str) -> str:
    """What a model may hear of a source. Its name may hold a person's, or a stranger's sentences."""
    if source in SERVICES:
        return source
    name = source.lower()
    if any(word in name for word in WORN):
        return "a worn device"
    return "a phone" if any(word in name for word in PHONE) else "an app"


def rank(source: str, order: Sequence[str] = ()) -> tuple[int, int, str]:
    """Low is better: the athlete's order first, then worn things, other sources, phones."""
    if source in order:
        return (0, order.index(source), source)
    name = source.lower()
    if any(word in name for word in WORN):
        return (1, 0, source)
    return (1, 2 if any(word in name for word in PHONE) else 1, source)


def chosen(sources: Iterable[str], order: Sequence[str] = ()) -> str | None:
    """The source that speaks, or None where there is none."""
    return min(sources, key=lambda source: rank(source, order), default=None)
