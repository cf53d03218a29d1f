"""The calendar of this small world. A date alone decides what was run, so a later day adds and changes nothing."""

from dataclasses import replace
from datetime import date, time, timedelta
from functools import cache
from random import Random

from ingestion.fake_liverc import people
from ingestion.fake_liverc.facts import Formula, Meeting, Race, Racer, Run, Session, Track
from ingestion.fake_liverc.meeting import Programme, run_meeting
from ingestion.fake_liverc.practice import practice_day
from ingestion.fake_liverc.simulate import classify

ORIGIN = date(2020, 1, 1)
DEMO_DAY = date(2026, 11, 14)
FIRST_TODAY = date(2026, 11, 21)
SINCE = date(2026, 5, 1)
PER_TRACK = 20_000


def day_id(track_index: int, day: date) -> int:
    """One number for a track and a day; event and practice ids are made from it."""
    return 100_000 + track_index * PER_TRACK + (day - ORIGIN).days


DEMO_EVENT_ID = day_id(0, DEMO_DAY)


class World:
    """Tracks, meetings and practice as of `today`. Meetings are run when first asked for."""

    def __init__(self, *, seed: int = 1, today: date | None = None):
        self.seed = seed
        self.today = max(today or FIRST_TODAY, FIRST_TODAY)
        self.paddock = people.paddock(seed)
        self.tracks = people.TRACKS
        self.changes: dict[int, dict] = {}
        self.added: dict[int, list[Race]] = {}
        self.names: dict[int, str] = {}
        self.practice_changes: dict[int, dict] = {}
        self.practice_extra: dict[tuple[str, date], list[Session]] = {}
        self.rows_per_practice_page: int | None = None  # None: a day is one page, as on LiveRC
        self._programmes = cache(self._programmes_of)
        self._meeting = cache(self._run)
        self._sessions = cache(self._practise)

    # -- what there is

    def track(self, slug: str) -> Track | None:
        return next((track for track in self.tracks if track.slug == slug), None)

    def locals(self, track: Track) -> list[Racer]:
        """The regulars of a track, with some guests from all over."""
        rng = Random(f"{self.seed}/locals/{track.slug}")
        return rng.sample(self.paddock, 60)

    def programmes(self, track: Track) -> list[Programme]:
        """Every meeting of a track, newest first; a later one may still lie ahead."""
        return [replace(p, name=self.names.get(p.id, p.name)) for p in self._programmes(track.slug)]

    def _programmes_of(self, slug: str) -> tuple[Programme, ...]:
        track = self.track(slug)
        if track is None or not track.has_events:
            return ()
        return tuple(sorted(calendar(self, track), key=lambda p: (p.day, p.id), reverse=True))

    def meeting(self, track: Track, event_id: int) -> Meeting | None:
        """The meeting with whatever was changed since; None when this track has no such event."""
        programme = next((p for p in self.programmes(track) if p.id == event_id), None)
        if programme is None:
            return None
        return self.as_posted(self._meeting(track.slug, event_id))

    def _run(self, slug: str, event_id: int) -> Meeting:
        track = self.track(slug)
        programme = next(p for p in self.programmes(track) if p.id == event_id)
        is_run = programme.day <= self.today
        return run_meeting(programme, paddock=self.locals(track), seed=self.seed, is_run=is_run)

    def race(self, track: Track, race_id: int) -> tuple[Meeting, Race] | None:
        meeting = self.meeting(track, race_id // 100)
        race = meeting and meeting.race(race_id)
        return (meeting, race) if race else None

    # -- practice

    def practice_days(self, track: Track) -> list[date]:
        """Saturdays, some Wednesdays, and the demo track's Friday before the big meeting; newest first."""
        span = (self.today - SINCE).days
        days = {self.today - timedelta(days=n) for n in range(span)}
        days |= {day for slug, day in self.practice_extra if slug == track.slug}
        return [day for day in sorted(days, reverse=True) if self.sessions(track, day)]

    def is_open(self, track: Track, day: date) -> bool:
        """Does the club open its gates for practice?"""
        if not SINCE < day <= self.today:
            return False
        rng = Random(f"{self.seed}/open/{track.slug}/{day}")
        busy = {5: 0.8, 2: 0.4}.get(day.weekday(), 0.03)
        return rng.random() < busy or (track.slug == people.DEMO and day in DEMO_PRACTICE)

    def sessions(self, track: Track, day: date) -> tuple[Session, ...]:
        """What the day's overview lists, with whatever was put in or changed since."""
        made = self._sessions(track.slug, day) if self.is_open(track, day) else ()
        posted = [
            session if (how := self.practice_changes.get(session.id)) is None
            else mended(session, how)
            for session in (*made, *self.practice_extra.get((track.slug, day), ()))
            if not self.practice_changes.get(session.id, {}).get("removed")
        ]  # fmt: skip
        return tuple(sorted(posted, key=lambda session: (session.started_at, session.id)))

    def put_session(self, slug: str, session: Session, *, listed_on: date | None = None) -> None:
        """One more session, listed under the day it began unless said otherwise."""
        day = listed_on or session.started_at.date()
        self.practice_extra.setdefault((slug, day), []).append(session)

    def _practise(self, slug: str, day: date) -> tuple[Session, ...]:
        track = self.track(slug)
        return practice_day(
            track=track,
            day=day,
            day_id=day_id(self.tracks.index(track), day),
            racers=self.locals(track)[:25],
            formulas=list(usual_classes(track)),
            seed=self.seed,
        )

    def session(self, track: Track, session_id: int) -> Session | None:
        extra = (day for slug, day in self.practice_extra if slug == track.slug)
        for day in extra:
            found = next((s for s in self.sessions(track, day) if s.id == session_id), None)
            if found is not None:
                return found
        days = session_id // 1000 - 100_000 - self.tracks.index(track) * PER_TRACK
        if not 0 <= days < PER_TRACK:
            return None
        day = ORIGIN + timedelta(days=days)
        return next((s for s in self.sessions(track, day) if s.id == session_id), None)

    # -- clubs mend their results after posting

    def change(self, *, op: str, race_id: int = 0, event_id: int = 0, **how) -> None:
        """Change what was posted: remove, restore, edit or add a race, or rename an event.

        edit takes `driver_id` and `add_ms` (put on the last lap) or `drop_lap`; add takes `like`, the race
        whose field runs once more. For practice: remove_session, restore_session, edit_session
        (`session_id`, `add_ms`, `driver_name`) and add_session (one more like `session_id`, later).
        """
        if op.endswith("_session"):
            self._change_practice(op, **how)
        elif op == "remove":
            self.changes.setdefault(race_id, {})["removed"] = True
        elif op == "restore":
            self.changes.pop(race_id, None)
        elif op == "edit":
            self.changes.setdefault(race_id, {}).update(how)
        elif op == "rename":
            self.names[event_id] = how["name"]
        elif op == "add":
            self.added.setdefault(race_id // 100, []).append(again(self, race_id))
        else:
            raise ValueError(f"Unknown change: {op!r}")

    def _change_practice(self, op: str, *, session_id: int, **how) -> None:
        if op == "remove_session":
            self.practice_changes[session_id] = {"removed": True}
        elif op == "restore_session":
            self.practice_changes.pop(session_id, None)
        elif op == "edit_session":
            self.practice_changes[session_id] = how
        elif op == "add_session":
            self._add_session(session_id, minutes=how.get("minutes", 45))
        else:
            raise ValueError(f"Unknown change: {op!r}")

    def _add_session(self, like: int, *, minutes: int) -> None:
        index = (like // 1000 - 100_000) // PER_TRACK
        track = self.tracks[index] if 0 <= index < len(self.tracks) else None
        model = self.session(track, like) if track else None
        if track is None or model is None:
            raise ValueError(f"There is no practice session {like}.")
        day = model.started_at.date()
        last = max(session.id for session in self.sessions(track, day))
        later = model.started_at + timedelta(minutes=minutes)
        self.put_session(track.slug, replace(model, id=last + 1, started_at=later))

    def as_posted(self, meeting: Meeting) -> Meeting:
        races = []
        for race in (*meeting.races, *self.added.get(meeting.id, ())):
            how = self.changes.get(race.id, {})
            if not how.get("removed"):
                races.append(edited(race, how) if how else race)
        return replace(meeting, races=tuple(races), name=self.names.get(meeting.id, meeting.name))


def mended(session: Session, how: dict) -> Session:
    """The same session with another name or a longer last lap."""
    laps = (*session.laps_ms[:-1], session.laps_ms[-1] + how.get("add_ms", 0))
    return replace(session, laps_ms=laps, driver_name=how.get("driver_name", session.driver_name))


def edited(race: Race, how: dict) -> Race:
    """The same race after a correction, classified afresh."""
    runs = []
    for run in race.runs:
        laps = list(run.laps_ms)
        if laps and run.racer.id == how.get("driver_id", race.runs[0].racer.id):
            if how.get("drop_lap"):
                laps.pop()
            if laps:
                laps[-1] += how.get("add_ms", 0)
        runs.append(Run(racer=run.racer, slot=run.slot, laps_ms=tuple(laps)))
    return replace(race, runs=classify(runs))


def again(world: World, race_id: int) -> Race:
    """One more race like that one, at the end of the day. Raises ValueError for a race there is not."""
    index = (race_id // 100 - 100_000) // PER_TRACK
    found = 0 <= index < len(world.tracks) and world.race(world.tracks[index], race_id)
    if not found:
        raise ValueError(f"There is no race {race_id}.")
    meeting, race = found
    last = meeting.races[-1]
    extra = len(world.added.get(meeting.id, ())) + 1
    return replace(
        race,
        id=meeting.id * 100 + 90 + extra,
        number=max(r.number for r in meeting.races if r.round == last.round) + 1,
        round=last.round,
        code=last.code,
        suffix=f"{race.letter or 'A'}-Main Rerun {extra}",
        completed_at=last.completed_at + timedelta(minutes=25 * extra),
    )


DEMO_PRACTICE = {DEMO_DAY - timedelta(days=n) for n in (1, 7, 14)} | {DEMO_DAY + timedelta(days=4)}


def usual_classes(track: Track) -> tuple[Formula, ...]:
    if track.is_short:
        return (people.STOCK, people.TWO_WHEEL, people.JUNIOR)
    return (people.NITRO, people.ELECTRIC, people.TWO_WHEEL)


def calendar(world: World, track: Track):
    """Club days on every other Sunday of the track's own rhythm, and what the demo needs besides."""
    index = world.tracks.index(track)
    if track.slug == people.DEMO:
        yield demo(track, index)
        yield Programme(
            id=day_id(index, DEMO_DAY) - 6, track=track, name="T", day=DEMO_DAY - timedelta(days=6),
            classes=(), starts_at=time(0),
        )  # fmt: skip
    day = world.today + timedelta(days=30)
    while day > SINCE:
        week = (day - ORIGIN).days // 7
        if day.weekday() == 6 and (week + index) % 2 == 0:
            yield club_day(world, track, index, day)
        day -= timedelta(days=1)


def demo(track: Track, index: int) -> Programme:
    """The big meeting: three rounds, C/B/A with bump-ups, triple mains, one DNS and one crash in the final."""
    nitro = people.NITRO.name
    return Programme(
        id=day_id(index, DEMO_DAY),
        track=track,
        name="2026 Redgum Grand Prix, Harvest Cup",
        day=DEMO_DAY,
        classes=((people.ELECTRIC, 20), (people.NITRO, 26), (people.JUNIOR, 7)),
        rounds=3,
        counted=2,
        starts_at=time(7, 30),
        absent={(nitro, "A"): frozenset({11}), (nitro, "B"): frozenset({6})},
        crashes={(nitro, "A"): {5: 98_400}},
    )


def club_day(world: World, track: Track, index: int, day: date) -> Programme:
    rng = Random(f"{world.seed}/club/{track.slug}/{day}")
    number = (day - ORIGIN).days // 14 % 26 + 1
    if track.is_short:
        classes = ((people.STOCK, rng.randint(12, 18)), (people.TWO_WHEEL, rng.randint(11, 24)))
    else:
        classes = ((people.TRUGGY, rng.randint(8, 16)), (people.JUNIOR, rng.randint(4, 8)))
    return Programme(
        id=day_id(index, day),
        track=track,
        name=rng.choice(
            (
                f"{track.name.split()[0]} Club Day Round {number} ",
                f"Practice/Club Day {day:%d/%m/%y}",
                f"Foreman's Trophy Series Round-{number}",
            )
        ),
        day=day,
        classes=classes,
        starts_at=rng.choice((time(0), time(9), time(9, 30))),
        practice_rounds=int(rng.random() < 0.3),
        days=2 if rng.random() < 0.1 else 1,
    )
