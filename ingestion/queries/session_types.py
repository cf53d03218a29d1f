"""Races without a session type: read by batch, as the backfill goes through them."""

from typing import NamedTuple

from django.db.models import Count, Max, Min, Q, QuerySet

from ingestion.models import Race


class Candidate(NamedTuple):
    """What the inference reads of a stored race."""

    race_id: int
    event_id: int
    source: str
    round_label: str
    round_code: str
    label: str
    main: str
    final: int | None
    heat: int | None
    run_order: int


def candidates(after: int, upto: int, batch: int) -> list[Candidate]:
    """The next races nobody has inferred a type for, in order of their number."""
    rows = (
        untyped(upto)
        .filter(pk__gt=after)
        .order_by("pk")
        .values_list(
            "pk", "event_id", "source", "round_label", "round_code", "label", "main", "final",
            "heat", "run_order",
        )
    )  # fmt: skip
    return [Candidate(*row) for row in rows[:batch]]


def untyped(upto: int) -> QuerySet[Race]:
    return Race.objects.filter(pk__lte=upto, session_type=None, session_type_confidence="")


def candidates_left(upto: int) -> int:
    return untyped(upto).count()


def first_main_orders(event_ids: set[int]) -> dict[int, int]:
    """Event -> running order of its first main; events without mains are absent."""
    mains = Race.objects.filter(~Q(main="") | Q(final__isnull=False), event_id__in=event_ids)
    rows = mains.filter(missing_since=None).order_by().values_list("event_id")
    return dict(rows.annotate(first=Min("run_order")))


def last_race_id() -> int:
    return Race.objects.aggregate(last=Max("pk"))["last"] or 0


def type_counts(upto: int) -> dict[str, int]:
    """Races per stored session type, "" for none."""
    rows = Race.objects.filter(pk__lte=upto).order_by().values_list("session_type")
    return {kind or "": count for kind, count in rows.annotate(count=Count("pk"))}
