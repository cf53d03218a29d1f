"""The wizard: answers are kept as they come, the model proposes, the athlete edits and confirms."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction

from coaching.domain.missions import rules, schedule
from coaching.domain.missions.checks import Day, check_dates, check_markup, check_numbers
from coaching.domain.missions.facts import Fact, number
from coaching.llm import prompts
from coaching.llm.client import find_object
from coaching.llm.errors import BadAnswer, BudgetSpent, Crowded, ModelDown, ModelRefused
from coaching.llm.shapes import MissionDraft as DraftShape
from coaching.llm.shapes import said
from coaching.models import Mission, MissionDraft
from coaching.queries import missions as read
from coaching.services import athlete, llm_accounts, mission_demo, missions
from coaching.services.mission_fields import clean_fields
from racecontrol.shared import jobs
from racecontrol.shared.errors import InvalidInput, NotReady

Status = MissionDraft.Status
# What the wizard asks before the model may be asked.
NEEDED: Final = ("event_name", "mission_type", "event_start", "event_end", "timezone")
# Answers that become part of the mission as they are, the model's draft aside.
KEPT: Final = ("timezone", "run_at", "constraints", "availability", "rider_profile",
               "notifications", "auto_start")  # fmt: skip


@transaction.atomic
def keep_answers(*, by: Any, draft_id: int | None, answers: dict[str, Any]) -> MissionDraft:
    """Keep what was answered so far; nothing is judged yet but by its form."""
    if draft_id is None:
        return MissionDraft.objects.create(owner=by, answers=answers)
    draft = MissionDraft.objects.select_for_update(of=("self",)).get(pk=draft_id, owner=by)
    if draft.status == Status.SAVED:
        raise NotReady("This draft has become a mission already.")
    draft.answers = {**(draft.answers or {}), **answers}
    draft.save(update_fields=["answers", "updated_at"])
    return draft


def check_answers(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers as values. Raises InvalidInput naming every field that is missing or wrong."""
    problems = {n: ["This field is needed."] for n in NEEDED if not answers.get(n)}
    values: dict[str, Any] = {}
    try:
        given: dict[str, Any] = {
            name: answers[name]
            for name in (*NEEDED, *KEPT, "name")
            if name in answers and name not in problems
        }
        if given.get("event_start"):
            given["prep_start"] = given["event_start"]  # so that the dates are seen together
        values = clean_fields(given)
        values.pop("prep_start", None)
    except InvalidInput as wrong:
        problems |= wrong.fields
    if not problems and answers.get("stage_plan"):
        try:
            values["stage_plan"] = rules.read_plan(
                answers["stage_plan"],
                schema=missions.default_schema(values["mission_type"]),
                first=values["event_start"],
                last=values["event_end"],
            )
        except InvalidInput as wrong:
            problems |= wrong.fields
    if problems:
        raise InvalidInput("Some answers cannot be used.", fields=problems)
    return values


@transaction.atomic
def ask_model(*, draft_id: int, by: Any, now: datetime) -> MissionDraft:
    """Send the answers to the model, in the background. Raises InvalidInput, NotReady."""
    draft = MissionDraft.objects.select_for_update(of=("self",)).get(pk=draft_id, owner=by)
    if draft.status == Status.SAVED:
        raise NotReady("This draft has become a mission already.")
    _check_demo(draft, by)
    values = check_answers(draft.answers)
    if values["event_end"] < schedule.local_date(now, values["timezone"]):
        raise InvalidInput("The event is over.", fields={"event_end": ["Lies in the past."]})
    llm_accounts.source_of(by, is_demo=_is_demo(draft))
    if not _is_demo(draft):
        _need_consent(by)
    draft.status, draft.problems = Status.ASKED, {}
    draft.save(update_fields=["status", "problems", "updated_at"])
    draft.job = jobs.enqueue(
        "coaching.tasks.draft_mission", draft.pk, key=f"mission-draft:{draft.pk}", owner=by,
        title=f"Draft of {draft}",
    )  # fmt: skip
    draft.save(update_fields=["job"])
    return draft


def _is_demo(draft: MissionDraft) -> bool:
    answers: dict[str, Any] = draft.answers or {}
    return bool(answers.get("is_demo"))


def _check_demo(draft: MissionDraft, by: Any) -> None:
    """Scripted replies are refused as soon as the login has anything of its own."""
    if _is_demo(draft) and not mission_demo.is_for(by):
        raise NotReady(
            "This draft belongs to the demonstration, and you have a model or missions of your "
            "own now: discard it and begin anew."
        )


def _need_consent(by: Any) -> None:
    if "model" not in read.standing_consents(by):
        raise NotReady("Give consent to send facts to the model in the settings first.")


def facts_for(values: dict[str, Any], today: date) -> tuple[Fact, ...]:
    """The wizard's answers as numbered facts."""
    facts = [
        Fact("today", "Today", today),
        Fact("event", "Event", prompts.clean(values["event_name"], 120), source="the athlete"),
        Fact("kind", "Kind of event", values["mission_type"], source="the athlete"),
        Fact("event_start", "First event day", values["event_start"]),
        Fact("event_end", "Last event day", values["event_end"]),
        Fact("days", "Days to the event", (values["event_start"] - today).days, "days",
             names=("to the event", "until the event", "before the event")),
    ]  # fmt: skip
    plan = values.get("stage_plan")
    for stage in plan.stages if plan else ():
        words = f"{stage.on.isoformat()} {stage.type} {prompts.clean(stage.name, 80)}".strip()
        facts.append(Fact(f"stage_{stage.number}", f"Stage {stage.number}", words))
    for index, day in enumerate(plan.rest_days if plan else (), start=1):
        facts.append(Fact(f"rest_{index}", f"Rest day {index}", day))
    rider: dict[str, Any] = values.get("rider_profile") or {}
    if rider.get("ftp"):
        facts.append(Fact("ftp", "FTP", rider["ftp"], "W", names=("ftp",)))
    if rider.get("weight_kg"):
        facts.append(Fact("weight", "Weight", rider["weight_kg"], "kg", names=("weight",)))
    if rider.get("experience"):
        facts.append(Fact("experience", "Experience", rider["experience"]))
    availability: dict[str, int] = values.get("availability") or {}
    for day, minutes in availability.items():
        facts.append(Fact(f"time_{day}", f"Time on {day.title()}", minutes, "min"))
    constraints: dict[str, Any] = values.get("constraints") or {}
    for injury in constraints.get("injuries") or ():
        zone = f"nothing above zone {injury['max_zone']}" if injury["max_zone"] else "take care"
        facts.append(Fact("injury", f"To spare: {injury['area']}", zone))
    return number(facts)


def write(
    *, draft_id: int, real_now: datetime, on_text: Callable[[int], None] | None = None
) -> str:
    """Ask the model for the draft and keep what it proposes, problems by field beside it.

    Raises Crowded, the draft still asked for, when no place at the model came free.
    """
    draft = MissionDraft.objects.select_related("owner").get(pk=draft_id)
    if draft.status != Status.ASKED:
        return "nothing to do"
    values = check_answers(draft.answers)
    today = schedule.local_date(real_now, values["timezone"])
    facts = facts_for(values, today)
    prompt = prompts.render(
        "mission_draft", facts=facts, goal=str(draft.answers.get("goals") or "")
    )
    source = llm_accounts.source_of(draft.owner, is_demo=_is_demo(draft))
    client = llm_accounts.client_for(
        source, user=draft.owner, purpose="draft", on_text=on_text if source.endpoint else None
    )

    def check(answer: DraftShape) -> list[str]:
        return draft_problems(answer, values, facts, today)

    rows = MissionDraft.objects.filter(pk=draft.pk, status=Status.ASKED)
    try:
        answer = client.ask(prompt.messages, DraftShape, check=check)
    except BadAnswer as wrong:
        proposal = _salvage(wrong.data)
        problems = _by_field(wrong.problems)
        rows.update(
            status=Status.READY if proposal else Status.FAILED, proposal=proposal, problems=problems
        )
        return "problems"
    except Crowded:
        raise
    except (ModelRefused, ModelDown, BudgetSpent) as failed:
        if isinstance(failed, ModelRefused):
            llm_accounts.mark_bad(source, str(failed))
        rows.update(status=Status.FAILED, problems={"model": [str(failed)]})
        return "failed"
    rows.update(status=Status.READY, proposal=answer.model_dump(mode="json"), problems={})
    return "ready"


def draft_problems(
    answer: DraftShape, values: dict[str, Any], facts: tuple[Fact, ...], today: date
) -> list[str]:
    """What the athlete said stands: dates and stages are theirs, and no number is invented."""
    problems = []
    for name in ("event_start", "event_end"):
        if getattr(answer, name) != values[name]:
            problems.append(f"{name}: must be {values[name].isoformat()}, as the athlete said.")
    if not today <= answer.prep_start <= answer.event_start:
        problems.append("prep_start: must lie between today and the first event day.")
    plan = values.get("stage_plan") or rules.StagePlan()
    stages = [(s.number, s.on, s.type) for s in answer.stages]
    if stages != [(s.number, s.on, s.type) for s in plan.stages]:
        problems.append("stages: must be exactly the stages in the facts.")
    if sorted(answer.rest_days) != list(plan.rest_days):
        problems.append("rest_days: must be exactly the rest days in the facts.")
    day = Day(today=today, facts=facts, plan=plan)
    texts = said(answer)
    prose = type(texts)(
        texts={
            w: t for w, t in texts.texts.items() if w.split(".")[0] in ("goal_statement", "focus")
        }
    )
    problems += [str(p) for p in check_numbers(prose, day) + check_dates(prose, day)]
    problems += [str(p) for p in check_markup(prose)]
    return problems


def _by_field(problems: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in problems:
        where, colon, words = problem.partition(": ")
        found.setdefault(where if colon else "draft", []).append(words or problem)
    return found


def _salvage(data: object) -> dict[str, Any] | None:
    """What of a wrong draft can still be shown: plain fields of the shape, nothing else."""
    if isinstance(data, str):
        data = find_object(data)
    if not isinstance(data, dict):
        return None
    kept = {
        name: value
        for name, value in data.items()
        if name in DraftShape.model_fields and isinstance(value, str | int | float | list | dict)
    }
    return kept or None


@transaction.atomic
def confirm(*, draft_id: int, by: Any, data: dict[str, Any], now: datetime) -> Mission:
    """Save the mission the athlete has read and edited; state PREP. Raises InvalidInput by field."""
    draft = MissionDraft.objects.select_for_update(of=("self",)).get(pk=draft_id, owner=by)
    if draft.status == Status.SAVED:
        raise NotReady("This draft has become a mission already.")
    if draft.status not in (Status.READY, Status.FAILED):
        raise NotReady("There is no draft to confirm yet.")
    _check_demo(draft, by)
    answers = draft.answers or {}
    kept = {name: answers[name] for name in KEPT if answers.get(name) not in (None, "")}
    mission = missions.create_mission(
        by=by, data={**kept, **data}, now=now, is_demo=_is_demo(draft)
    )
    if not mission.is_demo:
        athlete.learn_threshold(of=by, watts=(mission.rider_profile or {}).get("ftp"))
    draft.status, draft.mission = Status.SAVED, mission
    draft.save(update_fields=["status", "mission", "updated_at"])
    return mission


@transaction.atomic
def discard(*, draft_id: int, by: Any) -> None:
    draft = MissionDraft.objects.select_for_update(of=("self",)).get(pk=draft_id, owner=by)
    if draft.status == Status.SAVED:
        raise NotReady("This draft has become a mission already.")
    draft.delete()
