"""Scores are computed here and stored beside what they were computed from."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.timezone import now

from coaching.domain import orp_v1, orp_v2
from coaching.domain.session_score import HeatScore, session_score
from coaching.models import Heat, OrpScore, RunLog, Session


@dataclass(frozen=True, slots=True)
class Inputs:
    """All a formula is given for one heat. `flags` by position from 1; `confidence` the latest rating, or None."""

    laps_ms: tuple[int, ...]
    flags: dict[int, str]
    kind: str
    confidence: int | None
    experience: str

    @property
    def laps_s(self) -> list[float]:
        return [ms / 1000 for ms in self.laps_ms]

    def hash(self, formula: str) -> str:
        told: list[Any] = [formula, self.laps_ms, sorted(self.flags.items())]
        told += [self.kind, self.confidence, self.experience]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class ScoredLap(NamedTuple):
    """What a score needs of a logged lap."""

    lap_number: int
    lap_ms: int
    flag: str
    confidence: int | None


def inputs_of(laps: Sequence[RunLog | ScoredLap], *, kind: str, experience: str) -> Inputs:
    """From laps in driven order. The latest rating counts: it is what the driver thinks of the car now."""
    has_grid_lap = kind == Heat.Kind.RACE and bool(laps) and laps[0].lap_number == 1
    rated = [lap.confidence for lap in laps if lap.confidence is not None]
    return Inputs(
        laps_ms=tuple(lap.lap_ms for lap in laps),
        flags={place: lap.flag for place, lap in enumerate(laps, start=1) if lap.flag},
        kind="race" if has_grid_lap else "practice",
        confidence=rated[-1] if rated else None,
        experience=experience,
    )


def compute(inputs: Inputs, *, formula: str) -> dict[str, Any]:
    """The formula's own answer for these inputs; v1 takes an unrated run as confidence 3."""
    if formula == orp_v1.VERSION:
        return orp_v1.orp_v1(
            inputs.laps_s,
            experience_level=inputs.experience,
            driver_confidence=3 if inputs.confidence is None else inputs.confidence,
        )
    return run_v2(inputs).as_dict()


def run_v2(inputs: Inputs) -> orp_v2.OrpV2:
    return orp_v2.orp_v2(
        inputs.laps_s, kind=inputs.kind, flags=inputs.flags, confidence=inputs.confidence
    )


def read_v2(result: dict[str, Any]) -> orp_v2.OrpV2:
    """A stored v2 answer as the object it was, trend included."""
    values = {name: result[name] for name in orp_v2.OrpV2.__dataclass_fields__ if name in result}
    values["excluded"] = {int(place): why for place, why in result["excluded"].items()}
    line = values.pop("trend", None)
    if line:
        values["trend"] = orp_v2.Trend(
            line["slope_s_per_lap"],
            line["low_s_per_lap"],
            line["high_s_per_lap"],
            line["at_first_s"],
            line["first_lap"],
            line["last_lap"],
        )
    return orp_v2.OrpV2(**values)


def tried(
    heat: Heat, *, formula: str, confidence: int | None = None, experience: str = ""
) -> OrpScore:
    """A heat's score with another confidence or experience than was logged; not stored."""
    inputs = inputs_of(
        list(heat.laps.order_by("lap_number")),
        kind=heat.kind,
        experience=experience or heat.session.profile.experience_level,
    )
    if confidence is not None:
        inputs = replace(inputs, confidence=confidence)
    row = OrpScore(session=heat.session, heat=heat, formula=formula)
    return _fill(row, inputs.hash(formula), compute(inputs, formula=formula), len(inputs.laps_ms))


def score_heat(heat: Heat, *, with_session: bool = True) -> dict[str, OrpScore]:
    """Score a heat by both formulas, and its session; a heat whose inputs are unchanged is left alone."""
    with transaction.atomic():
        scores = score_heats([heat])[heat.pk]
        if with_session:
            score_session(heat.session)
    return scores


@transaction.atomic
def score_heats(heats: Sequence[Heat]) -> dict[int, dict[str, OrpScore]]:
    """Heat id -> formula -> score, in four queries however many heats; their sessions are not scored here."""
    ids = [heat.pk for heat in heats]
    laps: dict[int, list[ScoredLap]] = {pk: [] for pk in ids}
    rows = RunLog.objects.filter(heat_id__in=ids).order_by("heat_id", "lap_number")
    for heat_id, *values in rows.values_list(
        "heat_id", "lap_number", "lap_ms", "flag", "confidence"
    ).iterator(chunk_size=5000):
        laps[heat_id].append(ScoredLap(*values))
    known = {(row.heat_id, row.formula): row for row in OrpScore.objects.filter(heat_id__in=ids)}
    answers: dict[int, dict[str, OrpScore]] = {pk: {} for pk in ids}
    written = []
    for heat in heats:
        inputs = inputs_of(
            laps[heat.pk], kind=heat.kind, experience=heat.session.profile.experience_level
        )
        for formula in (orp_v1.VERSION, orp_v2.VERSION):
            digest = inputs.hash(formula)
            row = known.get((heat.pk, formula))
            if row is None or row.inputs_hash != digest:
                row = OrpScore(session=heat.session, heat=heat, formula=formula)
                row.computed_at = now()
                written.append(
                    _fill(row, digest, compute(inputs, formula=formula), len(inputs.laps_ms))
                )
            answers[heat.pk][formula] = row
    OrpScore.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["session", "heat", "formula"],
        update_fields=[
            "inputs_hash", "status", "score", "low", "high", "laps", "result", "computed_at",
        ],
        batch_size=500,
    )  # fmt: skip
    return answers


@transaction.atomic
def score_session(session: Session) -> None:
    """The session's own scores: the lap-weighted mean of its heats, never of their joined laps."""
    rows = OrpScore.objects.filter(session=session, heat__isnull=False).order_by("heat__order")
    for formula in (orp_v1.VERSION, orp_v2.VERSION):
        heats = list(rows.filter(formula=formula).select_related("heat"))
        together = session_score(
            [HeatScore(row.heat.name, row.laps, row.score, row.low, row.high) for row in heats]
        )
        told = [formula, [[row.heat.name, row.laps, row.inputs_hash] for row in heats]]
        digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        OrpScore.objects.update_or_create(
            session=session,
            heat=None,
            formula=formula,
            defaults={
                "inputs_hash": digest,
                "status": together.status,
                "score": together.score,
                "low": together.low,
                "high": together.high,
                "laps": together.laps,
                "result": {"heats": together.heats},
            },
        )


def _fill(row: OrpScore, digest: str, answer: dict[str, Any], laps: int) -> OrpScore:
    score = answer.get("orp_score") if row.formula == orp_v1.VERSION else answer["score"]
    row.inputs_hash, row.status, row.result, row.laps = digest, answer["status"], answer, laps
    # v1 says 0 for a refusal; it stays so in `result`, but a refusal is no measurement
    row.score = score if answer["status"] == "valid" else None
    row.low, row.high = answer.get("low"), answer.get("high")
    return row
