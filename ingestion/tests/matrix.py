"""Who may open ingestion's addresses. Timing data is for every signed-in person."""

from ingestion.tests import matrix_bumpups

SHARED = set(matrix_bumpups.SHARED)


def samples(owner):
    return matrix_bumpups.samples(owner)
