"""Which page stands at which address of the stand-in."""

from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit

from ingestion.fake_liverc.facts import Track
from ingestion.fake_liverc.pages import lists, practice, sheets
from ingestion.fake_liverc.pages.event import event_page, multi_mains, sheet_id
from ingestion.fake_liverc.pages.practice_session import session_page
from ingestion.fake_liverc.pages.race import race_page
from ingestion.fake_liverc.world import World


class Site:
    """Every page of a world, by path and query."""

    def __init__(self, world: World):
        self.world = world

    def body_of(self, path: str) -> str | None:
        """The page at `path`, or None where there is none."""
        parts = urlsplit(path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        steps = [step for step in parts.path.split("/") if step]
        if not steps:
            return lists.catalogue_page(self.world.tracks)
        track = self.world.track(steps[0])
        return self.track_page(track, steps[1:], asked) if track else None

    def track_page(self, track: Track, steps: list[str], asked: dict[str, str]) -> str | None:
        world = self.world
        if not steps:
            return self.dashboard(track)
        if steps == ["events"]:
            programmes = world.programmes(track)
            counts = {}
            for p in programmes:
                meeting = world.meeting(track, p.id)
                counts[p.id] = (sum(n for _, n in p.classes), meeting.drivers)
            return lists.events_page(track, programmes, counts)
        page = asked.get("p", "")
        if steps == ["results"]:
            return self.results(track, page, number(asked.get("id")))
        if steps == ["practice"]:
            return self.practice(track, page or "calendar", asked)
        return None

    def dashboard(self, track: Track) -> str:
        world = self.world
        programmes = world.programmes(track)
        month = f"{world.today:%Y-%m}"
        days = world.practice_days(track)
        sessions = sum(len(world.sessions(track, d)) for d in days)
        this_month = {
            "results": sum(
                len(world.meeting(track, p.id).races)
                for p in programmes
                if f"{p.day:%Y-%m}" == month
            ),
            "sessions": sum(len(world.sessions(track, d)) for d in days if f"{d:%Y-%m}" == month),
        }
        lifetime = {
            "Laps": 41_230 + 97 * len(days) + 311 * len(programmes),
            "Practice Sessions": sessions,
            "Races": 14 * len(programmes),
            "Entries": sum(n for p in programmes for _, n in p.classes),
            "Events": len(programmes),
        }
        return lists.dashboard_page(track, lifetime=lifetime, this_month=this_month)

    def results(self, track: Track, page: str, asked_id: int) -> str | None:
        world = self.world
        if page == "view_race_result":
            found = world.race(track, asked_id)
            return race_page(*found) if found else None
        event_id = asked_id
        if page in (
            "view_heat_sheet",
            "view_points",
            "view_round_ranking",
            "view_multi_main_result",
        ):
            event_id = asked_id // 100
        meeting = world.meeting(track, event_id)
        if meeting is None:
            return None
        if page == "view_event":
            return event_page(meeting)
        if page == "view_entry_list":
            return sheets.entry_list_page(meeting)
        if page == "event_overall_ranking":
            return sheets.overall_ranking_page(meeting)
        if page == "view_points":
            return sheets.points_page(meeting)
        if page == "view_multi_main_result":
            main = multi_mains(meeting).get(asked_id)
            return sheets.multi_main_page(meeting, *main) if main else None
        for name in meeting.rounds:
            if sheet_id(meeting, name) == asked_id:
                if page == "view_heat_sheet":
                    return sheets.heat_sheet_page(meeting, name)
                if page == "view_round_ranking":
                    return sheets.round_ranking_page(meeting, name)
        return None

    def practice(self, track: Track, page: str, asked: dict[str, str]) -> str | None:
        world = self.world
        if page == "view_session":
            session = world.session(track, number(asked.get("id")))
            return session_page(track, session) if session else None
        if page == "session_list":
            day = moment(asked.get("d"), "%Y-%m-%d") or world.today
            sessions = world.sessions(track, day)
            return practice.day_page(
                track, day, sessions, number(asked.get("page")), world.rows_per_practice_page
            )
        days = world.practice_days(track)
        month = (moment(asked.get("d"), "%Y-%m") or world.today).replace(day=1)
        months = sorted({d.replace(day=1) for d in days} | {month}, reverse=True)
        counts = {d: len(world.sessions(track, d)) for d in days if d.replace(day=1) == month}
        todays = world.sessions(track, world.today) if world.today in days else ()
        return practice.month_page(
            track,
            month=month,
            months=months,
            day_counts=counts,
            today=world.today,
            todays=todays,
        )


def number(value: str | None) -> int:
    return int(value) if value and value.isdigit() else -1


def moment(value: str | None, shape: str) -> date | None:
    try:
        return datetime.strptime(value or "", shape).date()
    except ValueError:
        return None
