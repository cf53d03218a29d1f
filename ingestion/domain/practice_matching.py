"""Who drove a practice session: practice pages know names and transponders, races know drivers.

The entry list of a race (name and transponder) is the bridge. Each decision carries its evidence
in words, for whoever has to correct it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

HIGH, MEDIUM, LOW = "high", "medium", "low"
TRANSPONDER_AND_NAME, NAME, NAME_AT_TRACK = "transponder_and_name", "name", "name_at_track"
TRANSPONDER, NEW, AMBIGUOUS, UNKNOWN = "transponder", "new", "ambiguous", "unknown"
FOUND = (TRANSPONDER_AND_NAME, NAME, NAME_AT_TRACK, TRANSPONDER)


@dataclass(frozen=True, slots=True)
class Match:
    """`driver_id` is None where nobody known is meant: somebody new, or nobody at all."""

    driver_id: int | None
    method: str
    confidence: str
    evidence: tuple[str, ...]


def match_driver(
    *,
    name_key: str,
    is_unknown: bool,
    transponder: str,
    holders: Mapping[int, str],
    namesakes: Mapping[int, str],
    at_track: Collection[int] = (),
) -> Match:
    """Decide by transponder and name.

    `holders` are the drivers seen with this transponder, `namesakes` those of this name (id ->
    name); `at_track` are those of them who drove at this track before. A transponder alone tells
    only when exactly one driver holds it, and against another name never: cars are lent.
    """
    worn = f"Transponder {transponder} was seen with {', '.join(sorted(holders.values()))}."
    if is_unknown:
        if len(holders) == 1:
            return Match(next(iter(holders)), TRANSPONDER, MEDIUM, (worn,))
        said = (worn,) if holders else ("No name, and nobody is known by this transponder.",)
        return Match(None, UNKNOWN, LOW, said)
    both = [one for one in namesakes if one in holders]
    if len(both) == 1:
        return Match(both[0], TRANSPONDER_AND_NAME, HIGH, (worn, f"The name is {name_key}."))
    others = (worn,) if transponder and holders else ()
    if len(namesakes) == 1:
        [only] = namesakes
        return Match(only, NAME, MEDIUM, (f"One driver is called {name_key}.", *others))
    if namesakes:
        here = [one for one in namesakes if one in at_track]
        several = f"{len(namesakes)} drivers are called {name_key}"
        if len(here) == 1:
            return Match(
                here[0], NAME_AT_TRACK, MEDIUM, (f"{several}; one drove here before.", *others)
            )
        return Match(None, AMBIGUOUS, LOW, (f"{several}.", *others))
    if others:
        return Match(None, NEW, LOW, (f"Nobody is called {name_key}.", *others))
    return Match(None, NEW, MEDIUM, (f"Nobody is called {name_key}.",))
