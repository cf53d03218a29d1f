"""Which known words somebody may have meant who typed an unknown one."""

from collections.abc import Iterable

SHORTEST = 4  # shorter words are too near to too many others
TWO_FROM = 8  # from this length on two slips are forgiven


def slips_allowed(word: str) -> int:
    if len(word) < SHORTEST:
        return 0
    return 2 if len(word) >= TWO_FROM else 1


def slips(a: str, b: str, *, most: int) -> int:
    """Letters added, lost, changed or swapped with a neighbour between two words; most + 1 if more.

    The restricted Damerau-Levenshtein distance (optimal string alignment), by rows.
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        before, last, row = row, before, [i]
        for j, other in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def likely_words(typed: str, known: Iterable[str], *, most: int = 5) -> list[str]:
    """The nearest known words within the slips allowed for the length, nearest first."""
    allowed = slips_allowed(typed)
    if not allowed:
        return []
    near = ((slips(typed, word, most=allowed), word) for word in known)
    return [word for count, word in sorted(one for one in near if one[0] <= allowed)][:most]
