"""The score of an event: a pure function of rules, plan and stage rows, never a counter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from coaching.domain.missions.rules import REST, Bonus, PointsSchema, Stage, StagePlan


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage as ridden. `on` is the local date of the ride."""

    number: int
    on: date
    type: str
    mode: str
    imported_points: int | None = None
    is_recorded: bool = False  # scored from an activity, not entered by hand


@dataclass(frozen=True, slots=True)
class StageLine:
    """A line of the board. status: done, open (can still be ridden), today, ahead, lost."""

    number: int
    on: date
    type: str
    name: str
    status: str
    mode: str = ""
    points: int = 0
    most_points: int = 0
    imported_points: int | None = None
    is_recorded: bool = False

    @property
    def is_imported_different(self) -> bool:
        return self.imported_points is not None and self.imported_points != self.points


@dataclass(frozen=True, slots=True)
class BonusLine:
    id: str
    label: str
    points: int
    have: int
    need: int
    is_earned: bool
    is_reachable: bool


@dataclass(frozen=True, slots=True)
class Progress:
    total: int
    stage_points: int
    bonus_points: int
    done: int
    planned: int
    by_mode: dict[str, int]
    streak: int
    lines: tuple[StageLine, ...]
    bonuses: tuple[BonusLine, ...]
    most_reachable: int


def progress(
    *,
    schema: PointsSchema,
    plan: StagePlan,
    rows: Iterable[StageRow],
    today: date,
    late_days: int = 0,
) -> Progress:
    """The whole board from the rows. A stage can be entered until `late_days` after its date."""
    rows = sorted(rows, key=lambda row: (row.number, row.on))
    ridden = {row.number: row for row in rows}
    planned = [stage for stage in plan.stages if stage.number not in ridden]
    is_over = {stage.number: stage.on + timedelta(days=late_days) < today for stage in planned}
    left = [stage for stage in planned if not is_over[stage.number]]

    stage_points = sum(schema.points(row.type, row.mode) for row in rows)
    bonuses = tuple(_bonus_line(bonus, schema, plan, rows, left) for bonus in schema.bonuses)
    bonus_points = sum(line.points for line in bonuses if line.is_earned)
    counted = [row for row in rows if _counts(schema, row.mode)]
    by_mode = {mode: sum(row.mode == mode for row in rows) for mode in schema.modes}

    lines = [_ridden_line(row, schema, plan) for row in rows]
    lines += [
        _planned_line(stage, schema, today, is_over=is_over[stage.number]) for stage in planned
    ]
    return Progress(
        total=stage_points + bonus_points,
        stage_points=stage_points,
        bonus_points=bonus_points,
        done=len(counted),
        planned=len(plan.stages),
        by_mode=by_mode,
        streak=_longest_streak(schema, plan, rows),
        lines=tuple(sorted(lines, key=lambda line: (line.number, line.on))),
        bonuses=bonuses,
        most_reachable=most_reachable(schema=schema, plan=plan, rows=rows, left=left),
    )


def _ridden_line(row: StageRow, schema: PointsSchema, plan: StagePlan) -> StageLine:
    return StageLine(
        number=row.number,
        on=row.on,
        type=row.type,
        name=stage.name if (stage := plan.number(row.number)) else "",
        status="done",
        mode=row.mode,
        points=schema.points(row.type, row.mode),
        imported_points=row.imported_points,
        is_recorded=row.is_recorded,
    )


def _planned_line(stage: Stage, schema: PointsSchema, today: date, *, is_over: bool) -> StageLine:
    if is_over:
        return StageLine(stage.number, stage.on, stage.type, stage.name, "lost")
    status = "open" if stage.on < today else "today" if stage.on == today else "ahead"
    most = _most(schema, stage.type)
    return StageLine(stage.number, stage.on, stage.type, stage.name, status, most_points=most)


def total(schema: PointsSchema, plan: StagePlan, rows: Sequence[StageRow]) -> int:
    """Stage points plus the bonuses the rows earn."""
    return sum(schema.points(row.type, row.mode) for row in rows) + sum(
        bonus.points for bonus in schema.bonuses if is_earned(bonus, schema, plan, rows)
    )


def _counts(schema: PointsSchema, mode: str) -> bool:
    return schema.is_rest_a_stage or mode != REST


def _most(schema: PointsSchema, stage_type: str) -> int:
    return max((schema.points(stage_type, mode) for mode in schema.modes), default=0)


# -- bonuses ---------------------------------------------------------------------------------


def is_earned(
    bonus: Bonus, schema: PointsSchema, plan: StagePlan, rows: Sequence[StageRow]
) -> bool:
    have, need, is_spoiled = _have_and_need(bonus, schema, plan, rows)
    return need > 0 and have >= need and not is_spoiled


def _have_and_need(
    bonus: Bonus, schema: PointsSchema, plan: StagePlan, rows: Sequence[StageRow]
) -> tuple[int, int, bool]:
    counted = [row for row in rows if _counts(schema, row.mode)]
    match bonus.kind:
        case "streak":
            return _longest_streak(schema, plan, rows), bonus.count or 0, False
        case "count_mode":
            return sum(row.mode == bonus.mode for row in rows), bonus.count or 0, False
        case "all_of_type":
            have = sum(row.mode == bonus.mode and row.type in bonus.types for row in rows)
            # The plan says how many there are; a row of a type the plan lacks cannot lower it.
            need = bonus.count or sum(stage.type in bonus.types for stage in plan.stages)
            return have, need, False
        case "final_block":
            have = sum(row.number >= (bonus.first or 0) for row in counted)
            return have, bonus.count or 0, False
        case "never_mode":
            is_spoiled = any(row.mode == bonus.mode for row in rows)
            return len(counted), bonus.count or 0, is_spoiled
    raise ValueError(f"unknown kind of bonus {bonus.kind}")


def _bonus_line(
    bonus: Bonus,
    schema: PointsSchema,
    plan: StagePlan,
    rows: Sequence[StageRow],
    left: Sequence[Stage],
) -> BonusLine:
    have, need, is_spoiled = _have_and_need(bonus, schema, plan, rows)
    earned = need > 0 and have >= need and not is_spoiled
    best = [*rows, *(_ridden(stage, _mode_for(bonus, schema, stage)) for stage in left)]
    return BonusLine(
        id=bonus.id,
        label=bonus.label or bonus.id,
        points=bonus.points,
        have=min(have, need),
        need=need,
        is_earned=earned,
        is_reachable=earned or is_earned(bonus, schema, plan, best),
    )


def _ridden(stage: Stage, mode: str) -> StageRow:
    return StageRow(number=stage.number, on=stage.on, type=stage.type, mode=mode)


def _mode_for(bonus: Bonus, schema: PointsSchema, stage: Stage) -> str:
    """A mode that helps this bonus most on a stage still to come."""
    offered = schema.modes_for(stage.type)
    if bonus.kind in ("count_mode", "all_of_type") and bonus.mode in offered:
        return bonus.mode
    others = [m for m in offered if m != bonus.mode and _counts(schema, m)]
    return (others or list(offered))[0]


def _longest_streak(schema: PointsSchema, plan: StagePlan, rows: Sequence[StageRow]) -> int:
    """Stages in a row: planned stages (rest days skipped), or calendar days for legacy rules."""
    counted = [row for row in rows if _counts(schema, row.mode)]
    if schema.is_calendar_streak:
        steps = sorted({row.on.toordinal() for row in counted})
    else:
        order = {stage.number: index for index, stage in enumerate(plan.stages)}
        steps = sorted({order[row.number] for row in counted if row.number in order})
    longest = run = 0
    last: int | None = None
    for step in steps:
        run = run + 1 if last is not None and step == last + 1 else 1
        longest, last = max(longest, run), step
    return longest


# -- what is still possible ------------------------------------------------------------------


def most_reachable(
    *,
    schema: PointsSchema,
    plan: StagePlan,
    rows: Sequence[StageRow],
    left: Sequence[Stage],
) -> int:
    """The highest total still possible when every stage left is ridden as well as it can be.

    For each set of bonuses worth aiming at, the stages left take their best mode within what
    the set demands; the best honest total of all sets counts. Exact while at most one bonus
    of a set asks for a number of stages in a mode.
    """
    best = total(schema, plan, rows)
    aims = [
        bonus
        for bonus in schema.bonuses
        if bonus.kind in ("count_mode", "all_of_type", "never_mode")
    ][:8]
    for size in range(len(aims) + 1):
        for wanted in combinations(aims, size):
            modes = _choose_modes(wanted, schema, rows, left)
            future = [_ridden(stage, mode) for stage, mode in zip(left, modes, strict=True)]
            best = max(best, total(schema, plan, [*rows, *future]))
    return best


def _choose_modes(
    wanted: Sequence[Bonus],
    schema: PointsSchema,
    rows: Sequence[StageRow],
    left: Sequence[Stage],
) -> list[str]:
    banned = {bonus.mode for bonus in wanted if bonus.kind == "never_mode"}
    forced = {(t, b.mode) for b in wanted if b.kind == "all_of_type" for t in b.types}
    modes: list[str] = []
    is_free: list[bool] = []
    for stage in left:
        offered = schema.modes_for(stage.type)
        must = [mode for mode in offered if (stage.type, mode) in forced]
        can = must or [mode for mode in offered if mode not in banned] or list(offered)
        # Of equal modes the one that counts as a stage: a rest ride breaks streaks.
        modes.append(max(can, key=lambda m: (schema.points(stage.type, m), _counts(schema, m))))
        is_free.append(not must)
    for bonus in wanted:
        if bonus.kind != "count_mode":
            continue
        missing = (bonus.count or 0) - sum(
            mode == bonus.mode for mode in [*modes, *(row.mode for row in rows)]
        )
        costs = sorted(
            (schema.points(stage.type, modes[i]) - schema.points(stage.type, bonus.mode), i)
            for i, stage in enumerate(left)
            if is_free[i] and modes[i] != bonus.mode and bonus.mode in schema.modes_for(stage.type)
        )
        for _cost, index in costs[: max(missing, 0)]:
            modes[index] = bonus.mode
    return modes
