"""Curves of an activity made small enough to keep and to draw."""

from collections.abc import Mapping, Sequence

MOST_POINTS = 600


def thin(
    curves: Mapping[str, Sequence[float | None]], *, most: int = MOST_POINTS
) -> dict[str, list[float | None]]:
    """Means of equal stretches where there are more than `most` samples.

    Every curve is cut to the shortest, so that positions in all of them are the same moments.
    Samples that are missing are left out of a mean; a stretch without any is None.
    """
    kept = {name: values for name, values in curves.items() if values}
    if not kept:
        return {}
    length = min(len(values) for values in kept.values())
    step = -(-length // most)
    return {
        name: [_mean(values[at : at + step]) for at in range(0, length, step)]
        for name, values in ((name, list(values[:length])) for name, values in kept.items())
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 2) if known else None
