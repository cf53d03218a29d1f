"""The numbered facts and limits of one morning, read from rows; nothing is filled in.

Other rooms add theirs by name: `settings.COACHING_FACT_SOURCES` lists
`fn(user, day, now) -> list[Fact]`. A source that knows nothing returns nothing; one that looked
and found nothing returns a fact without a value, which the prompt shows as "not available".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from coaching.domain.missions.checks import Day, Limits
from coaching.domain.missions.checks.limits import caution_reasons, forced_rest_reasons
from coaching.domain.missions.facts import Fact, number
from coaching.domain.missions.profile import DAYS, has_red_flag, limits_of
from coaching.domain.missions.rules import REST, Stage
from coaching.domain.missions.states import State
from coaching.llm.prompts import clean
from coaching.models import Mission, MissionRun
from coaching.queries import missions as read

HISTORY_DAYS = 7


@dataclass(frozen=True, slots=True)
class Morning:
    """All a prompt and its checks need to know of one local date."""

    day: Day
    limits: Limits
    limit_lines: tuple[str, ...]
    goal: str
    note: str
    history: tuple[str, ...]
    stage: Stage | None = None
    has_data: bool = True
    has_red_flag: bool = False
    ride_modes: tuple[str, ...] = field(default=())


def morning_of(mission: Mission, *, now: datetime, kind: str = "daily") -> Morning:
    """The facts of `mission.today(now)`; `now` is the mission's own moment."""
    today = mission.today(now)
    rules = mission.current_rules
    plan = rules.plan
    stages = plan.on(today)
    stage = stages[0] if stages else None
    is_event = mission.state == State.EVENT_ACTIVE
    modes: tuple[str, ...] = ()
    if is_event and kind == MissionRun.Kind.DAILY:
        modes = rules.schema.modes_for(stage.type) if stage else (REST,)
    limits = limits_of(mission.constraints or {}, mission.availability or {}, ride_modes=modes)

    check_in = read.check_in_of(mission.owner, today)
    body = _body_facts(mission, today, now)
    facts = [*_mission_facts(mission, today), *_rider_facts(mission)]
    if kind == MissionRun.Kind.WRAPUP:
        facts += [*_board_facts(mission, now, is_over=True), *_story_facts(mission)]
    else:
        facts += [*body, *_availability_facts(today, limits)]
        if is_event:
            facts += [*_stage_facts(mission, today), *_board_facts(mission, now)]
        facts += _recent_facts(mission, today)
    numbered = number(facts)
    day = Day(
        today=today,
        facts=numbered,
        plan=plan,
        calendar=frozenset({mission.prep_start, mission.event_start, mission.event_end})
        | limits.blocked_days,
    )
    return Morning(
        day=day,
        limits=limits,
        limit_lines=tuple(_limit_lines(day, limits)) if kind == MissionRun.Kind.DAILY else (),
        goal=mission.llm_goal_statement,
        note=check_in.note if check_in else "",
        history=tuple(_history(mission, today)) if kind == MissionRun.Kind.DAILY else (),
        stage=stage,
        has_data=_has_data(body, check_in is not None),
        has_red_flag=bool(check_in and has_red_flag(check_in.note)),
        ride_modes=modes,
    )


def _has_data(body: Sequence[Fact], has_check_in: bool) -> bool:
    """Usable: a readiness younger than 36 h, a load history, or a check-in today."""
    if has_check_in:
        return True
    known = [fact for fact in body if fact.value is not None and not fact.is_stale]
    return any(fact.key in ("readiness", "ctl", "tsb") for fact in known)


def _mission_facts(mission: Mission, today: date) -> list[Fact]:
    facts = [
        Fact("today", "Today", today),
        Fact("event", "Event", clean(mission.event_name, 120), source="the athlete's words"),
        Fact("kind", "Kind of event", mission.get_mission_type_display()),
        Fact("event_start", "First event day", mission.event_start),
        Fact("event_end", "Last event day", mission.event_end),
    ]
    if today < mission.event_start:
        days = (mission.event_start - today).days
        names = ("to the event", "until the event", "before the event", "to go")
        facts.append(Fact("days_to_event", "Days to the event", days, "days", today, names=names))
        facts.append(Fact("phase", "Training phase", phase(days), as_of=today))
    elif today <= mission.event_end:
        left = (mission.event_end - today).days
        facts.append(Fact("days_left", "Event days after today", left, "days", today))
    return facts


def phase(days_to_event: int) -> str:
    """Base, build, peak or taper by the days left (facts 1.1)."""
    if days_to_event > 42:
        return "base"
    if days_to_event > 21:
        return "build"
    return "peak" if days_to_event > 7 else "taper"


def _rider_facts(mission: Mission) -> list[Fact]:
    rider: dict[str, Any] = mission.rider_profile or {}
    facts = []
    if rider.get("ftp"):
        facts.append(Fact("ftp", "FTP", rider["ftp"], "W", source="profile", names=("ftp",)))
    if rider.get("weight_kg"):
        facts.append(
            Fact("weight", "Weight", rider["weight_kg"], "kg", source="profile", names=("weight",))
        )
    if rider.get("experience"):
        facts.append(Fact("experience", "Experience", rider["experience"], source="profile"))
    return facts


_CHECK_IN = (
    ("readiness", "Readiness", "of 100", ("readiness",)),
    ("sleep_h", "Sleep", "h", ("sleep", "slept")),
    ("soreness", "Soreness", "of 5", ("soreness",)),
    ("energy", "Energy", "of 5", ("energy",)),
    ("stress", "Stress", "of 5", ("stress",)),
    ("resting_hr", "Resting heart rate", "bpm", ("resting heart rate", "resting hr")),
)


def _body_facts(mission: Mission, today: date, now: datetime) -> list[Fact]:
    """How the athlete is: from the check-in and from every source that is plugged in."""
    facts: dict[str, Fact] = {}
    for name in settings.COACHING_FACT_SOURCES:
        for fact in import_string(name)(mission.owner, today, now):
            facts.setdefault(fact.key, fact)
    check_in = read.check_in_of(mission.owner, today)
    for key, label, unit, names in _CHECK_IN:
        value = check_in.values.get(key) if check_in else None
        known = facts.get(key)
        if value is not None and (known is None or known.value is None or known.is_stale):
            # What the athlete says this morning stands in where no device speaks.
            facts[key] = Fact(key, label, value, unit, today, "check-in", names)
    if "readiness" not in facts:
        facts["readiness"] = Fact("readiness", "Readiness", None, names=("readiness",))
    return list(facts.values())


def _availability_facts(today: date, limits: Limits) -> list[Fact]:
    facts = []
    caps = [limits.minutes_by_weekday.get(today.weekday()), limits.max_minutes]
    known = [cap for cap in caps if cap is not None]
    if known:
        facts.append(Fact("available", "Time available today", min(known), "min", today))
    for injury in limits.injuries:
        parts = [f"nothing above zone {injury.max_zone}"] if injury.max_zone else []
        parts += [f"no {kind}" for kind in injury.avoid_types]
        facts.append(Fact("injury", f"To spare: {injury.area}", ", ".join(parts) or "take care"))
    for number_, name in ((today + timedelta(days=1), "Tomorrow"),):
        blocked = " (blocked)" if number_ in limits.blocked_days else ""
        facts.append(
            Fact(
                "tomorrow",
                name,
                f"{number_.isoformat()} ({DAYS[number_.weekday()].title()}){blocked}",
            )
        )
    return facts


def _stage_facts(mission: Mission, today: date) -> list[Fact]:
    rules = mission.current_rules
    facts = []
    for offset, name in ((0, "today"), (1, "tomorrow")):
        day = today + timedelta(days=offset)
        for stage in rules.plan.on(day):
            facts.append(
                Fact(f"stage_{name}", f"Stage {name}", f"stage {stage.number}, {stage.type}")
            )
            if offset == 0:
                worth = ", ".join(
                    f"{mode} {rules.schema.points(stage.type, mode)} points"
                    for mode in rules.schema.modes_for(stage.type)
                )
                facts.append(Fact("worth", "Worth of today's stage", worth))
        if not rules.plan.on(day):
            facts.append(Fact(f"stage_{name}", f"Stage {name}", "none"))
    return facts


def _board_facts(mission: Mission, now: datetime, *, is_over: bool = False) -> list[Fact]:
    score = read.board(mission, now)
    label = "Points in total" if is_over else "Points so far"
    facts = [
        Fact("points", label, score.total, "points", source="board"),
        Fact("ridden", "Stages ridden", score.done, "stages", source="board"),
        Fact("planned", "Stages planned", score.planned, "stages", source="board"),
    ]
    if not is_over:
        facts.append(
            Fact("reachable", "Most points still reachable", score.most_reachable, "points",
                 source="board")
        )  # fmt: skip
    earned = [bonus.label for bonus in score.bonuses if bonus.is_earned]
    facts.append(Fact("bonuses", "Bonuses earned", ", ".join(earned) or "none", source="board"))
    return facts


def _story_facts(mission: Mission) -> list[Fact]:
    counts, answers = read.run_counts(mission), read.response_counts(mission)
    days = (mission.completed_on or mission.event_end) - mission.prep_start
    labels = (
        ("written", "Mornings with guidance", counts.get("succeeded", 0)),
        ("gaps", "Mornings without guidance", sum(counts.values()) - counts.get("succeeded", 0)),
        ("done", "Days done as written", answers.get("done", 0)),
        ("adjusted", "Days done differently", answers.get("adjusted", 0)),
        ("skipped", "Days skipped", answers.get("skipped", 0)),
    )
    facts = [Fact(key, label, value, "days") for key, label, value in labels]
    facts.append(Fact("length", "Length of the mission", days.days, "days"))
    return facts


def _recent_facts(mission: Mission, today: date) -> list[Fact]:
    since = today - timedelta(days=HISTORY_DAYS)
    runs = list(
        read.runs_of(mission).filter(kind="daily", local_date__gte=since, local_date__lt=today)
    )
    if not runs:
        return []
    done = [run for run in runs if getattr(run, "response", None)]
    return [
        Fact("window", "Days looked back", HISTORY_DAYS, "days"),
        Fact("recent_written", "Mornings with guidance in that time",
             sum(run.status == "succeeded" for run in runs), "days"),
        Fact("recent_missed", "Mornings missed in that time",
             sum(run.status != "succeeded" for run in runs), "days"),
        Fact("recent_done", "Days reported done in that time",
             sum(run.response.choice != "skipped" for run in done), "days"),
        Fact("recent_skipped", "Days reported skipped in that time",
             sum(run.response.choice == "skipped" for run in done), "days"),
    ]  # fmt: skip


def _history(mission: Mission, today: date) -> list[str]:
    """Earlier guidance in words; validated data only, so that nothing injected lives on."""
    since = today - timedelta(days=HISTORY_DAYS)
    lines = []
    for run in read.runs_of(mission).filter(
        kind="daily", local_date__gte=since, local_date__lt=today
    )[:5]:
        response = getattr(run, "response", None)
        if run.guidance:
            said = f"{run.guidance['action']}, {run.guidance['workout']['type']}"
        else:
            said = "a gap"
        told = f"; the athlete reported: {response.get_choice_display()}" if response else ""
        lines.append(f"{run.local_date.isoformat()}: {said}{told}")
    return lines


def _limit_lines(day: Day, limits: Limits) -> list[str]:
    """The limits of the day in words; the checks enforce the same ones."""
    lines = []
    caps = [limits.minutes_by_weekday.get(day.today.weekday()), limits.max_minutes]
    known = [cap for cap in caps if cap is not None]
    if known:
        lines.append(f"At most {min(known)} min today.")
    if day.today in limits.blocked_days:
        lines.append("Today is blocked: the workout must be 'rest' with 0 minutes and no blocks.")
    lines += [
        f"{reason}: only action 'recover' with intensity 'low' is allowed."
        for reason in forced_rest_reasons(day, limits)
    ]
    lines += [
        f"{reason}: no push and no high intensity." for reason in caution_reasons(day, limits)
    ]
    for injury in limits.injuries:
        if injury.max_zone:
            lines.append(f"To spare the {injury.area}: nothing above zone {injury.max_zone}.")
        lines += [f"To spare the {injury.area}: rules out {kind}." for kind in injury.avoid_types]
    if limits.ride_modes:
        lines.append(f"Ride modes today: {', '.join(limits.ride_modes)}")
    return lines
