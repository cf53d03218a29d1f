"""How well any two signups fit, kept until one of them changes."""

import hashlib
import json
from dataclasses import astuple, dataclass
from itertools import combinations
from statistics import pstdev

from django.core.cache import cache

from strategy.domain.formation import pair_fit
from strategy.models import EventInstance, StrategyEvent
from strategy.services.formation import people_of

WEIGHTS = (0.5, 0.2, 0.15, 0.15)  # hours, car, skill, roles
MOST_SHOWN = 100
KEEP_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Fit:
    """Two signups: hours in common, those over the shorter availability, and the parts (0..1)."""

    one: int
    two: int
    hours: float
    overlap: float
    car: float
    skill: float
    roles: float
    total: float


def fits_of(event: StrategyEvent, *, weights: tuple[float, float, float, float]) -> list[Fit]:
    """Every pair that waits for a team or is in one, best first.

    The key holds every signup with its version, so a changed signup is worked out anew and nothing
    has to be thrown away.
    """
    rows = event.signups.exclude(status="withdrawn").order_by("pk")
    versions = list(rows.values_list("pk", "version"))
    first = event.instances.first()
    start = first.starts_at.isoformat() if first else ""
    told = json.dumps([event.pk, start, event.duration_ms, weights, versions])
    key = f"pairs:{hashlib.sha256(told.encode()).hexdigest()}"
    known = cache.get(key)
    if known is None:
        ids = [pk for pk, _ in versions]
        known = [astuple(fit) for fit in _work_out(event, first, ids, weights)]
        cache.set(key, known, KEEP_S)
    return [Fit(*values) for values in known]


def _work_out(
    event: StrategyEvent,
    first: EventInstance | None,
    ids: list[int],
    weights: tuple[float, float, float, float],
) -> list[Fit]:
    if len(ids) < 2:
        return []
    people = people_of(event, ids, first=first)
    spread = pstdev(p.skill for p in people)
    found = []
    for a, b in combinations(people, 2):
        fit = pair_fit(a, b, race_ms=event.duration_ms, spread=spread, weights=weights)
        found.append(Fit(a.key, b.key, *astuple(fit)))
    return sorted(found, key=lambda fit: (-fit.total, fit.one, fit.two))
