"""Forming teams from signups: propose in the worker, adjust by hand, confirm in one go, undo."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared import audit, jobs
from racecontrol.shared.errors import ImpossiblePlan, InvalidInput, NotFound, NotReady, StaleWrite
from strategy import access
from strategy.domain.formation import (
    Limits,
    Person,
    Signups,
    TeamScore,
    Weights,
    form_teams,
    snake_draft,
    team_count,
)
from strategy.models import (
    EventInstance,
    EventParticipation,
    FormationDraft,
    Membership,
    Role,
    StrategyEvent,
    Team,
)
from strategy.services.news import tell_people

Status = EventParticipation.Status
FREE = (Status.SIGNED_UP, Status.WAITLIST)
PARTS = ("cover_one", "cover_two", "car", "roles", "pair", "skill")


def people_of(
    event: StrategyEvent, ids: Sequence[int] | None = None, *, first: EventInstance | None = None
) -> list[Person]:
    """Signups that wait for a team (or those of a draft) with windows on the first start's clock.
    `first` where the caller has read that start just now."""
    first = first or event.instances.first()
    if first is None:
        raise NotReady("The event has no start yet.")
    rows = event.signups.prefetch_related("windows")
    rows = rows.filter(status__in=FREE) if ids is None else rows.filter(pk__in=ids)
    ms = timedelta(milliseconds=1)
    return [
        Person(
            key=row.pk,
            windows=tuple(
                (
                    round((w.starts_at - first.starts_at) / ms),
                    round((w.ends_at - first.starts_at) / ms),
                )
                for w in row.windows.all()
            ),
            cars=(row.preferred_car_id,) if row.preferred_car_id else (),
            roles=frozenset(
                name
                for name, has in (("spot", row.may_spot), ("strategize", row.may_strategize))
                if has
            ),
            skill=float(row.skill),
        )
        for row in rows.order_by("pk")
    ]


def _options(options: dict, people: Sequence[Person]) -> tuple[Limits, Weights, float]:
    """Limits, weights and patience of a request, checked; signup ids in pairs must exist."""
    fields: dict[str, list[str]] = {}
    sizes = (options.get("smallest", 2), options.get("largest", 4))
    if not all(isinstance(n, int) and 1 <= n <= 16 for n in sizes) or sizes[0] > sizes[1]:
        fields["largest"] = ["Team sizes go from 1 to 16, smallest first."]
    given = options.get("weights") or {}
    if set(given) - set(PARTS) or not all(
        isinstance(v, int | float) and 0 <= v <= 100 for v in given.values()
    ):
        fields["weights"] = ["Weights are 0 to 100."]
    known = {p.key for p in people}
    for name in ("together", "apart"):
        for pair in options.get(name) or ():
            if len(pair) != 2 or not set(pair) <= known or pair[0] == pair[1]:
                fields[name] = ["Pairs of two different signups."]
    seconds = options.get("seconds", 3)
    if not isinstance(seconds, int | float) or not 0 < seconds <= 60:
        fields["seconds"] = ["Up to 60 seconds."]
    if fields:
        raise InvalidInput("Teams cannot be formed like this.", fields=fields)
    limits = Limits(
        *sizes,
        together=tuple((a, b) for a, b in options.get("together") or ()),
        apart=tuple((a, b) for a, b in options.get("apart") or ()),
    )
    return limits, Weights(**given) if given else Weights(), float(seconds)


@transaction.atomic
def request_formation(*, event_id: int, options: dict, by: Any) -> FormationDraft:
    """Queue a proposal; refused at once where the numbers cannot work out."""
    event = access.event_for(by, event_id, access.PLANNERS)
    people = people_of(event)
    limits, _, _ = _options(options, people)
    team_count(len(people), limits)
    draft = FormationDraft.objects.create(event=event, options=options, created_by=by)
    draft.job = jobs.enqueue(
        "strategy.tasks.form", draft.pk, key=f"formation:{event.pk}:{draft.pk}", owner=by,
        title=f"Form teams for {event}",
    )  # fmt: skip
    draft.save(update_fields=["job"])
    return draft


def form(*, draft_id: int, keep_going: Callable[[], bool] = lambda: True) -> FormationDraft:
    """Compute the proposal of a draft; doing it twice changes nothing."""
    draft = FormationDraft.objects.select_related("event").get(pk=draft_id)
    if draft.teams:
        return draft
    people = people_of(draft.event)
    limits, weights, seconds = _options(draft.options, people)
    signups = Signups(people, race_ms=draft.event.duration_ms, weights=weights)
    found = form_teams(signups, limits=limits, seconds=seconds, keep_going=keep_going)
    classic = snake_draft(people, teams=len(found.teams))
    scores = [signups.judge([signups.index[k] for k in team]).total for team in classic]
    seen = draft.event.signups.filter(pk__in=[p.key for p in people])
    FormationDraft.objects.filter(pk=draft.pk, teams=[]).update(
        teams=found.teams, classic=classic, classic_score=sum(scores) / len(scores),
        is_proven=found.is_proven,
        seen={str(pk): version for pk, version in seen.values_list("pk", "version")},
    )  # fmt: skip
    draft.refresh_from_db()
    return draft


def judge(draft: FormationDraft) -> list[TeamScore]:
    """Each team of the draft as it stands now, part by part."""
    return judge_all(draft.event, [draft])[0]


def judge_all(event: StrategyEvent, drafts: Sequence[FormationDraft]) -> list[list[TeamScore]]:
    """The same for several drafts of one event; a draft without teams has no scores."""
    ids = {n for draft in drafts for team in draft.teams for n in team}
    people = people_of(event, sorted(ids)) if ids else []
    return [_judge(draft, event.duration_ms, people) for draft in drafts]


def _judge(draft: FormationDraft, race_ms: int, known: Sequence[Person]) -> list[TeamScore]:
    if not draft.teams:
        return []
    ids = {n for team in draft.teams for n in team}
    people = [person for person in known if person.key in ids]
    _, weights, _ = _options(draft.options | {"together": [], "apart": []}, people)
    signups = Signups(people, race_ms=race_ms, weights=weights)
    return [
        signups.judge([signups.index[n] for n in team if n in signups.index])
        for team in draft.teams
    ]


def _draft(draft_id: int, by: Any, base_version: int | None = None) -> FormationDraft:
    draft = (
        FormationDraft.objects.select_for_update(of=["self"])
        .select_related("event")
        .filter(pk=draft_id)
        .first()
    )
    if draft is None:
        raise NotFound("There is no such proposal.")
    access.require(by, draft.event.host_id, access.PLANNERS)
    if base_version is not None and draft.version != base_version:
        raise StaleWrite("Somebody changed this proposal: look at it again.")
    return draft


@transaction.atomic
def move_person(
    *, draft_id: int, base_version: int, signup_id: int, to_team: int, by: Any
) -> FormationDraft:
    """Put a person into another team of the proposal (teams count from 0)."""
    draft = _draft(draft_id, by, base_version)
    if draft.confirmed_at and not draft.undone_at:
        raise NotReady("These teams are confirmed: undo that first.")
    if not 0 <= to_team < len(draft.teams) or not any(signup_id in team for team in draft.teams):
        raise InvalidInput("There is no such person or team.", fields={"team": ["Not here."]})
    teams = [[n for n in team if n != signup_id] for team in draft.teams]
    teams[to_team].append(signup_id)
    if not all(teams):
        raise InvalidInput("A team must keep somebody.", fields={"team": ["Would be empty."]})
    draft.teams, draft.version, draft.is_proven = teams, draft.version + 1, False
    draft.save(update_fields=["teams", "version", "is_proven"])
    return draft


@transaction.atomic
def confirm(*, draft_id: int, base_version: int, by: Any) -> FormationDraft:
    """Make the teams real: all or none, and only if no signup changed since they were formed."""
    draft = _draft(draft_id, by, base_version)
    if draft.confirmed_at and not draft.undone_at:
        return draft
    if not draft.teams:
        raise NotReady("There are no teams to confirm yet.")
    ids = [n for team in draft.teams for n in team]
    rows = {
        row.pk: row
        for row in EventParticipation.objects.select_for_update(of=["self"])
        .select_related("user")
        .filter(pk__in=ids, event=draft.event)
    }
    for pk in ids:
        row = rows.get(pk)
        if row is None or row.status not in FREE or row.version != draft.seen.get(str(pk)):
            who = row.user if row else "somebody"
            raise StaleWrite(f"The signup of {who} changed since: form the teams again.")
    sizes = (draft.options.get("smallest", 2), draft.options.get("largest", 4))
    if any(not sizes[0] <= len(team) <= sizes[1] for team in draft.teams):
        raise ImpossiblePlan(f"Every team needs {sizes[0]} to {sizes[1]} people.")
    made = []
    instance = draft.event.instances.first()
    for number, members in enumerate(draft.teams, start=1):
        team = Team.objects.create(name=f"{draft.event} {number}"[:80], club=draft.event.host.club)
        made.append(team.pk)
        strategists = [n for n in members if rows[n].may_strategize]
        for n in members:
            row = rows[n]
            role = Role.STRATEGIST if n in strategists else Role.DRIVER
            Membership.objects.create(team=team, user=row.user, role=role)
            row.status, row.assigned_team, row.assigned_instance = Status.ASSIGNED, team, instance
            row.version += 1
            row.save()
        Membership.objects.get_or_create(team=team, user=by, defaults={"role": Role.OWNER})
        Membership.objects.filter(team=team, user=by).update(role=Role.OWNER)
    draft.made_teams, draft.confirmed_at, draft.undone_at = made, now(), None
    draft.version += 1
    draft.save()
    StrategyEvent.objects.filter(pk=draft.event_id).update(is_signup_open=False)
    audit.record(by=by, verb="formation.confirmed", obj=draft, after={"teams": len(made)})
    for members in draft.teams:
        _tell_team(draft.event, [rows[n] for n in members], instance)
    return draft


def _tell_team(
    event: StrategyEvent, rows: Sequence[EventParticipation], instance: EventInstance | None
) -> None:
    """Tell each person of a team who else is in it, and the start in his own time zone."""
    for row in rows:
        mates = ", ".join(str(other.user) for other in rows if other is not row) or "nobody else"
        text = f"You drive {event} in {row.assigned_team}, with {mates}."
        if instance is not None:
            local = instance.starts_at.astimezone(ZoneInfo(row.user.time_zone))
            text += f"\nIt starts {local:%A %d %B %Y at %H:%M %Z}."
        tell_people([row.user_id], subject=f"Your team for {event}", text=text)


@transaction.atomic
def undo(*, draft_id: int, base_version: int, by: Any) -> FormationDraft:
    """Take the confirmed teams back: people are signed up again, teams without plans go."""
    draft = _draft(draft_id, by, base_version)
    if not draft.confirmed_at or draft.undone_at:
        raise NotReady("There is nothing to undo.")
    teams = Team.objects.filter(pk__in=draft.made_teams)
    if teams.filter(strategies__isnull=False).exists():
        raise NotReady("A team has a strategy already: archive and delete it first.")
    rows = list(EventParticipation.objects.select_for_update(of=["self"]).filter(
        event=draft.event, assigned_team_id__in=draft.made_teams))  # fmt: skip
    if any(row.status != Status.ASSIGNED for row in rows):
        raise NotReady("Somebody is entered already: move them back first.")
    seen = dict(draft.seen)
    for row in rows:
        row.status, row.assigned_team, row.assigned_instance = Status.SIGNED_UP, None, None
        row.version += 1
        row.save()
        seen[str(row.pk)] = row.version
    teams.delete()
    StrategyEvent.objects.filter(pk=draft.event_id).update(is_signup_open=True)
    draft.made_teams, draft.undone_at, draft.seen = [], now(), seen
    draft.version += 1
    draft.save()
    audit.record(by=by, verb="formation.undone", obj=draft)
    tell_people(
        [row.user_id for row in rows],
        subject=f"Teams for {draft.event} were taken back",
        text=f"The teams for {draft.event} were taken back; your signup stands.",
    )
    return draft
