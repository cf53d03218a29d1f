"""Rows of strategy as the API tells them."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from strategy import queries
from strategy import schemas as s
from strategy.domain.formation import TeamScore
from strategy.models import (
    Car,
    EventParticipation,
    FormationDraft,
    PlanVersion,
    RaceStrategy,
    StintPlan,
    StrategyEvent,
    Team,
)
from strategy.services import drivers, formation, teams
from strategy.services.problems import wishes_of


def team_out(team: Team, role: str | None) -> dict:
    """A team and the role in it of who asked."""
    return {
        "id": team.pk,
        "name": team.name,
        "club": team.club.name if team.club else "",
        "your_role": role or "",
        "members": [
            {"user_id": m.user_id, "name": str(m.user), "role": m.role}
            for m in queries.members_of(team)
        ],
        "cars": [car_out(car) for car in team.cars.all()],
    }


def car_out(car: Car) -> dict:
    return {"id": car.pk, "name": car.name} | {n: getattr(car, n) for n in teams.CAR_NUMBERS}


def signup_out(row: EventParticipation) -> dict:
    told = {"name", "windows", "pace", "next_statuses"}
    return {n: getattr(row, n) for n in s.SignupOut.model_fields if n not in told} | {
        "name": str(row.user),
        "windows": [{"starts_at": w.starts_at, "ends_at": w.ends_at} for w in row.windows.all()],
        "pace": drivers.pace_of(row),
        "next_statuses": sorted(EventParticipation.MOVES[EventParticipation.Status(row.status)]),
    }


def formation_out(draft: FormationDraft) -> dict:
    return formations_out(draft.event, [draft])[0]


def formations_out(event: StrategyEvent, drafts: Iterable[FormationDraft]) -> list[dict]:
    """Proposals of one event; who signed up is read once for all of them."""
    rows = list(drafts)
    judged = zip(rows, formation.judge_all(event, rows), strict=True)
    return [_judged_out(draft, scores) for draft, scores in judged]


def _judged_out(draft: FormationDraft, scores: list[TeamScore]) -> dict:
    return {
        "id": draft.pk, "event_id": draft.event_id, "version": draft.version,
        "is_proven": draft.is_proven, "is_ready": bool(draft.teams),
        "is_confirmed": bool(draft.confirmed_at and not draft.undone_at),
        "score": sum(t.total for t in scores) / max(len(scores), 1),
        "classic_score": draft.classic_score, "job_id": draft.job_id,
        "teams": [
            {"signups": team, "total": t.total, "parts": t.parts, "weakest_ms": t.weakest_ms,
             "cover": t.cover}
            for team, t in zip(draft.teams, scores, strict=True)
        ],
    }  # fmt: skip


def strategy_out(row: RaceStrategy, *, whole: bool = True) -> dict:
    names = ("id", "team_id", "event_id", "name", "status", "is_locked", "version", "drivers")
    out = {n: getattr(row, n) for n in names} | {"current": row.current}
    out["wishes"] = asdict(wishes_of(row))
    if whole:
        out["versions"] = list(row.versions.all())
        out["stints"] = stints_out(row, row.current)
    return out


def stint_out(stint: StintPlan, row: RaceStrategy) -> dict:
    names = [n for n in s.StintOut.model_fields if n != "driver"]
    return {n: getattr(stint, n) for n in names} | {"driver": row.drivers[stint.seat]["name"]}


def stints_out(row: RaceStrategy, plan: PlanVersion | None) -> list[dict]:
    return [stint_out(stint, row) for stint in (queries.stints_of(plan) if plan else ())]


def event_out(event: Any) -> dict:
    names = [n for n in s.EnduranceEventOut.model_fields if n != "instances"]
    return {n: getattr(event, n) for n in names} | {"instances": list(event.instances.all())}
