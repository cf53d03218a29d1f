"""Laps into the log and out of it. Every write is one transaction: all of it or nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from coaching.domain.laps import FLAGS, NewLap, RawLap, read_laps
from coaching.models import Heat, RunLog, Session
from coaching.services import scores
from coaching.services.garage import activate, lock_open_session
from racecontrol.shared import audit
from racecontrol.shared.errors import InvalidInput, NotFound, RaceError
from racecontrol.shared.units import format_ms


class LapTaken(RaceError):
    """This lap number of the heat holds another time."""

    code = "lap_taken"


def add_lap(*, session_id: int, by: Any, heat_name: str, lap: RawLap, kind: str = "") -> RunLog:
    """Log one lap: the next of its heat, or the number it names. Raises InvalidInput or LapTaken."""
    try:
        new = read_laps([lap], name="lap_time")
    except InvalidInput as refusal:
        faults = next(iter(refusal.fields.values()))
        raise InvalidInput(" ".join(faults), fields={"lap_time": faults}) from refusal
    heat, stored = _store(session_id=session_id, by=by, heat_name=heat_name, laps=new, kind=kind)
    return stored[0] if stored else heat.laps.get(lap_number=lap.number)


def add_laps(
    *,
    session_id: int,
    by: Any,
    heat_name: str,
    laps: Sequence[RawLap],
    kind: str = "",
    name: str = "laps",
) -> int:
    """Log many laps in driven order; the answer is how many were new.

    A wrong lap is named by index (`name.3`) and nothing is stored. Laps that are there already with the same time
    change nothing; with another time they raise LapTaken.
    """
    if not laps:
        raise InvalidInput("There is no lap to store.", fields={name: ["At least one lap."]})
    _, stored = _store(
        session_id=session_id,
        by=by,
        heat_name=heat_name,
        laps=read_laps(laps, name=name),
        kind=kind,
        name=name,
    )
    return len(stored)


@transaction.atomic
def _store(
    *,
    session_id: int,
    by: Any,
    heat_name: str,
    laps: Sequence[NewLap],
    kind: str,
    name: str = "laps",
) -> tuple[Heat, list[RunLog]]:
    session = lock_open_session(session_id, by)
    heat = heat_of(session, heat_name, kind=kind)
    rows = append(heat, laps, source="manual", name=name)
    activate(session)
    scores.score_heat(heat)
    return heat, rows


def append(heat: Heat, laps: Sequence[NewLap], *, source: str, name: str = "laps") -> list[RunLog]:
    """The rows that were new. The caller holds the session's lock and scores the heat afterwards."""
    there = dict(heat.laps.values_list("lap_number", "lap_ms"))
    last = max(there, default=0)
    rows: list[RunLog] = []
    for index, lap in enumerate(laps):
        number = lap.number or last + 1
        last = max(last, number)
        if number in there:
            if there[number] != lap.ms:
                taken = f"Lap {number} of {heat} is logged with {format_ms(there[number])}."
                raise LapTaken(
                    f"{taken} Delete it first if it is wrong.", fields={f"{name}.{index}": [taken]}
                )
            continue
        there[number] = lap.ms
        rows.append(
            RunLog(
                heat=heat,
                lap_number=number,
                lap_ms=lap.ms,
                confidence=lap.confidence,
                flag=lap.flag,
                source=source,
                source_ref=lap.source_ref,
            )
        )
    return RunLog.objects.bulk_create(rows, batch_size=2000)


def heat_of(session: Session, name: str, *, kind: str = "", **values: Any) -> Heat:
    """The session's heat of this name, made at its end if new."""
    name = " ".join(name.split())
    if not name:
        raise InvalidInput("Name the heat.", fields={"heat_name": ["Name the heat: Q1, A-Main …"]})
    if len(name) > 100:
        raise InvalidInput("Too long.", fields={"heat_name": ["At most 100 characters."]})
    if kind and kind not in Heat.Kind.values:
        raise InvalidInput("Unknown kind.", fields={"kind": ["practice, qualifying or race."]})
    heat = session.heats.filter(name=name).first()
    if heat is None:
        place = session.heats.aggregate(last=Max("order"))["last"]
        heat = session.heats.create(
            name=name,
            kind=kind or kind_of(name, session),
            order=0 if place is None else place + 1,
            **values,
        )
    heat.session = session
    return heat


def make_heats(
    sessions: Mapping[int, Session], wanted: Sequence[tuple[int, str, str]]
) -> list[int]:
    """Ids of the heats (session id, name, kind or '') in the order given; new ones are made at the end of theirs."""
    there = {
        (session_id, name): pk
        for session_id, name, pk in Heat.objects.filter(session__in=sessions).values_list(
            "session_id", "name", "pk"
        )
    }
    last = dict(
        Heat.objects.filter(session__in=sessions)
        .order_by()
        .values_list("session_id")
        .annotate(last=Max("order"))
    )
    new = []
    for session_id, name, kind in wanted:
        if (session_id, name) not in there:
            last[session_id] = last.get(session_id, -1) + 1
            kind = kind or kind_of(name, sessions[session_id])
            new.append(Heat(session_id=session_id, name=name, kind=kind, order=last[session_id]))
    for heat in Heat.objects.bulk_create(new, batch_size=1000):
        there[heat.session_id, heat.name] = heat.pk
    return [there[session_id, name] for session_id, name, _ in wanted]


def kind_of(heat_name: str, session: Session) -> str:
    """What the name says, else what the session is."""
    word = heat_name.casefold()
    if "main" in word or "final" in word or word.startswith("race"):
        return "race"
    if "qual" in word or (word[:1] == "q" and word[1:].isdigit()):
        return "qualifying"
    if "practice" in word or "run" in word:
        return "practice"
    if session.session_type == Session.Kind.MAIN:
        return "race"
    if session.session_type == Session.Kind.QUALIFYING:
        return "qualifying"
    return "practice"


@transaction.atomic
def flag_lap(*, session_id: int, lap_id: int, by: Any, flag: str) -> RunLog:
    """Say why a lap does not count (or '' that it does)."""
    if flag and flag not in FLAGS:
        raise InvalidInput("Unknown flag.", fields={"flag": [f"One of {', '.join(FLAGS)}."]})
    lap = _lap(session_id, lap_id, by)
    lap.flag = flag
    lap.save(update_fields=["flag"])
    scores.score_heat(lap.heat)
    return lap


@transaction.atomic
def delete_lap(*, session_id: int, lap_id: int, by: Any) -> None:
    """Take out one lap; the others keep their numbers."""
    lap = _lap(session_id, lap_id, by)
    heat = lap.heat
    lap.delete()
    if heat.laps.exists():
        scores.score_heat(heat)
    else:
        session = heat.session
        heat.delete()
        scores.score_session(session)


@transaction.atomic
def delete_laps(*, session_id: int, by: Any, heat_name: str = "") -> int:
    """Take out all laps of a session, or of one heat; the answer is how many there were."""
    session = lock_open_session(session_id, by)
    heats = session.heats.all()
    if heat_name:
        heats = heats.filter(name=heat_name)
        if not heats:
            raise NotFound(f"There is no heat {heat_name}.")
    count = RunLog.objects.filter(heat__in=heats).count()
    heats.delete()
    scores.score_session(session)
    audit.record(by=by, verb="laps.deleted", obj=session, before={"laps": count, "heat": heat_name})
    return count


def _lap(session_id: int, lap_id: int, by: Any) -> RunLog:
    session = lock_open_session(session_id, by)
    lap = RunLog.objects.select_related("heat").filter(pk=lap_id, heat__session=session).first()
    if lap is None:
        raise NotFound("There is no such lap.")
    lap.heat.session = session
    return lap
