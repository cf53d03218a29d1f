"""Which of many labels are worth keeping: those no other beats in everything at once."""

import numpy as np

CHUNK = 192


def skyline(cost: np.ndarray, table: np.ndarray, more: np.ndarray | None = None) -> np.ndarray:
    """Indices of the rows no other row beats in cost and in every column (of `more` too)."""
    if table.shape[1] == 0 and (more is None or more.shape[1] == 0):
        return np.array([int(cost.argmin())])
    keys = tuple(table[:, c] for c in range(table.shape[1] - 1, -1, -1))
    order = np.lexsort((*keys, cost)) if keys else np.argsort(cost, kind="stable")
    table = table[order]
    more = more[order] if more is not None else None
    kept = np.zeros(0, dtype=np.int64)
    for start in range(0, len(order), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(order)))
        if len(kept):
            rows = rows[~_beaten(table, more, kept, rows, strict=False)]
        if len(rows):
            rows = rows[~_beaten(table, more, rows, rows, strict=True)]
        kept = np.concatenate((kept, rows))
    return order[kept]


def _beaten(
    table: np.ndarray,
    more: np.ndarray | None,
    by: np.ndarray,
    rows: np.ndarray,
    *,
    strict: bool,
) -> np.ndarray:
    """Which of `rows` some row of `by` (all cheaper or equal) is no worse than, column by column.

    `strict`: by and rows are the same ordered chunk; only an earlier row may beat a later one.
    """
    beats = np.ones((len(rows), len(by)), dtype=bool)
    if strict:
        beats = np.tri(len(rows), len(by), -1, dtype=bool)
    for c in range(table.shape[1]):
        beats &= table[by, c][None, :] <= table[rows, c][:, None]
    if more is None or not more.shape[1]:
        return np.asarray(beats.any(axis=1))
    hit = np.zeros(len(rows), dtype=bool)
    at, other = np.nonzero(beats)
    for part in np.array_split(np.arange(len(at)), max(len(at) // 4096, 1)):
        good = (more[by[other[part]]] <= more[rows[at[part]]]).all(axis=1)
        hit[at[part][good]] = True
    return hit
