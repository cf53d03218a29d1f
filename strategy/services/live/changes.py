"""Changes of the plan while the race is on: swap, extension, pins, a way on. Seen first, then confirmed."""

from dataclasses import asdict, replace
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from racecontrol.shared import jobs
from racecontrol.shared.errors import ImpossiblePlan, InvalidInput, NotFound, NotReady
from racecontrol.shared.progress import OnProgress, silent
from strategy import access
from strategy.domain.live import changes
from strategy.domain.live.changes import Consequences
from strategy.domain.live.log import Planned, Race
from strategy.domain.live.options import Way, ways_on
from strategy.domain.live.projection import live_instance
from strategy.domain.live.transitions import WrongMove
from strategy.domain.stints.pins import StintMark
from strategy.models import LiveCommand, LiveProposal, LiveRun
from strategy.queries.live import race_of, run_with_all
from strategy.services.live.frame import Done, NoRace, Order, command, locked_run, publish
from strategy.services.live.unplanned import save_live_version
from strategy.services.news import tell_hooks, tell_people


def preview_swap(
    *, strategy_id: int, stint: int, driver_id: int, after_laps: int = 1, by: Any
) -> Consequences:
    """What another driver would mean; nothing changes."""
    run = open_run(strategy_id, by)
    return changes.swap(race_of(run), stint, seat_of(run, driver_id), after_laps=after_laps)


def emergency_driver_swap(
    order: Order,
    *,
    stint: int,
    driver_id: int,
    reason: str,
    after_laps: int = 1,
    override: bool = False,
) -> LiveCommand | None:
    """Another driver takes a stint, or what is left of the running one.

    Refused with the rules it would break, unless somebody overrides them; the reason is kept.
    """
    reason = _reason(reason)

    def act(run: LiveRun, _: int) -> Done:
        seat = seat_of(run, driver_id)
        outcome = changes.swap(race_of(run), stint, seat, after_laps=after_laps)
        name = outcome.projection.race.instance.drivers[seat].id
        words = f"{name} takes over stint {stint}."
        return change_plan(run, outcome, words, reason, override, order.by)

    body = {"stint": stint, "driver_id": driver_id, "after_laps": after_laps}
    return command(order, "swap", act, body=body, touches=["plan", f"stint:{stint}.driver"],
                   depends=[f"stint:{stint}.status", f"stint:{stint}.laps"])  # fmt: skip


def preview_extension(*, strategy_id: int, stint: int, laps: int, by: Any) -> Consequences:
    return changes.extend(race_of(open_run(strategy_id, by)), stint, laps)


def extend_current_stint(
    order: Order, *, stint: int, laps: int, reason: str = "", override: bool = False
) -> LiveCommand | None:
    """The running stint longer or shorter; what follows shifts and is filled anew."""

    def act(run: LiveRun, _: int) -> Done:
        outcome = changes.extend(race_of(run), stint, laps)
        by_laps = f"{abs(laps)} lap{'s' if abs(laps) > 1 else ''}"
        words = f"Stint {stint} goes {by_laps} {'longer' if laps > 0 else 'shorter'}."
        return change_plan(run, outcome, words, reason, override, order.by)

    body = {"stint": stint, "laps": laps}
    return command(order, "extend", act, body=body, touches=["plan", f"stint:{stint}.laps"],
                   depends=[f"stint:{stint}.status", f"stint:{stint}.driver"])  # fmt: skip


def change_plan(
    run: LiveRun, outcome: Consequences, words: str, reason: str, override: bool, by: Any
) -> Done:
    """Make the outcome the plan, tell those it concerns; refuse what breaks rules or pins unless
    overridden."""
    if outcome.breaches and not override:
        raise ImpossiblePlan(
            f"That would break a rule: {outcome.breaches[0].message} Override it with a reason, or choose another way.",
            fields={"breaches": [v.message for v in outcome.breaches]},
        )
    if outcome.broken_pins and not override:
        raise ImpossiblePlan(
            f"That would break a pin: {outcome.broken_pins[0]} Unpin it first, or override it with a reason.",
            fields={"pins": list(outcome.broken_pins)},
        )
    if (outcome.breaches or outcome.broken_pins) and not reason:
        raise InvalidInput("Overriding takes a reason.", fields={"reason": ["Say why."]})
    before = run.strategy.current
    assert before is not None
    was = {s.number: (s.seat, s.laps, s.mark) for s in before.stints.all()}
    version = save_live_version(run, outcome.stints, reason=words, by=by)
    touched = {"plan"}
    concerned = set()
    for stint in version.stints.all():
        seat, laps, mark = was.get(stint.number, (None, None, None))
        if seat != stint.seat:
            touched.add(f"stint:{stint.number}.driver")
            concerned.add(stint.driver_id)
        if laps != stint.laps:
            touched.add(f"stint:{stint.number}.laps")
        if mark != stint.mark:
            touched |= {"pins", f"stint:{stint.number}.pin"}
    people = [user_id for user_id in concerned if user_id]
    text = f"{run.strategy.team}, {run.strategy.event}: {words} Look at the wall for your stints."
    tell_people(people, subject=f"Change on the wall: {words}", text=text)
    tell_hooks(run.strategy.team, text)
    return Done(words, touched, {"plan": before.number},
                {"plan": version.number, "gain_ms": outcome.gain_ms,
                 "broken": [v.rule for v in outcome.breaches],
                 "broken_pins": list(outcome.broken_pins)}, reason)  # fmt: skip


# -- ways on


@transaction.atomic
def request_ways(*, strategy_id: int, by: Any) -> LiveProposal:
    """Look for ways on in the background; asking again while it looks is the same search."""
    run = locked_run(strategy_id, by)
    if run.state != LiveRun.State.RACING:
        raise NotReady("There are ways on only while the race is on.")
    open_one = run.proposals.filter(job__state__in=jobs.Job.OPEN).first()
    if open_one is not None:
        return open_one
    race = race_of(run)
    row = LiveProposal.objects.create(run=run, base_version=run.version, at_ms=race.now_ms,
                                      created_by=by)  # fmt: skip
    row.job = jobs.enqueue("strategy.tasks.find_ways_on", row.pk, key=f"ways:{run.pk}", owner=by,
                           title=f"Ways on for {run.strategy}")  # fmt: skip
    row.save(update_fields=["job"])
    return row


def find_ways(
    *, proposal_id: int, seconds: float = 6.0, on_progress: OnProgress = silent
) -> LiveProposal:
    """Fill a proposal with ranked ways on; done once, however often it is called."""
    row = LiveProposal.objects.select_related("run").get(pk=proposal_id)
    if row.options:
        return row
    run = run_with_all(row.run.strategy_id)
    assert run is not None
    version, race = run.version, race_of(run)
    ways = ways_on(race, seconds=seconds, seed=row.pk % 2**31, on_progress=on_progress)
    with transaction.atomic():
        row = LiveProposal.objects.select_for_update(of=["self"]).get(pk=proposal_id)
        row.options = [_option(race, way) for way in ways]
        row.problem = live_instance(ways[0].outcome.before).model_dump(mode="json")
        row.base_version, row.at_ms = version, race.now_ms
        row.save()
        publish(run, proposal=row.pk)
    return row


def _option(race: Race, way: Way) -> dict:
    names = (
        "label",
        "words",
        "gain_ms",
        "low_ms",
        "high_ms",
        "wins",
        "risk_ms",
        "runs_dry",
        "pit_lap",
        "broken_pins",
    )
    closed = _closed(race)
    return {n: getattr(way, n) for n in names} | {
        "closed": closed,
        "stints": changed_stints(way.outcome),
        "breaches": breaches_of(way.outcome),
        "plan": [
            {"seat": s.seat, "laps": s.laps, "tyres": s.tyres, "compound": s.compound,
             "mark": asdict(s.mark)}
            for s in way.stints[closed:]
        ],
    }  # fmt: skip


def accept_way(order: Order, *, proposal_id: int, option: int) -> LiveCommand | None:
    """Follow one of the ways; refused if the race moved on from what they were based on."""
    run = open_run(order.strategy_id, order.by)
    row = run.proposals.filter(pk=proposal_id).first()
    if row is None:
        raise NotFound("There is no such proposal.")
    if option >= len(row.options):
        raise InvalidInput("There is no such way on.", fields={"option": ["Not one of them."]})
    if row.accepted == option and not run.commands.filter(key=order.key).exists():
        return None
    chosen = row.options[option]
    base = min(row.base_version, order.base_version or row.base_version)

    def act(run: LiveRun, _: int) -> Done:
        if LiveProposal.objects.filter(pk=row.pk, accepted__isnull=False).exists():
            return Done(None)
        race = race_of(run)
        if _closed(race) != chosen["closed"]:  # the feed tells that, and no command with it
            raise WrongMove("The car came in meanwhile: look for new ways.")
        outcome = changes.consequences(race, _stints_of(race, chosen["plan"]))
        done = change_plan(run, outcome, f"New plan: {chosen['label'].lower()}.", "accepted on the wall",
                       True, order.by)  # fmt: skip
        LiveProposal.objects.filter(pk=row.pk).update(accepted=option, accepted_at=now())
        done.after |= {"proposal": row.pk, "option": option}
        return done

    told = replace(order, base_version=base)
    running = race_of(run).running
    number = running.number if running else 0
    return command(
        told, "accept", act, body={"proposal": proposal_id, "option": option}, touches=["plan"],
        depends=["weather", "flag", "pins", f"stint:{number}.status", f"stint:{number - 1}.status"],
    )  # fmt: skip


def _closed(race: Race) -> int:
    """How many stints are over."""
    return sum(1 for s in race.driven if s.is_closed and s.status != "skipped")


def _stints_of(race: Race, plan: list[dict]) -> list[Planned]:
    done = [s.plan for s in race.driven if s.is_closed and s.status != "skipped"]
    running = race.running
    if running is not None and plan[0]["laps"] < running.laps:
        raise WrongMove("The stop of this way on has passed: look for new ways.")
    keep = [running.plan] if running is not None else []
    more = [
        Planned(0, p["seat"], p["laps"], tyres=p["tyres"], compound=p["compound"],
                mark=StintMark(**p.get("mark", {})))
        for p in plan
    ]  # fmt: skip
    if keep:
        more[0] = replace(keep[0], laps=plan[0]["laps"], mark=more[0].mark)
    return [*done, *more]


# -- told to page and API


def breaches_of(outcome: Consequences) -> list[dict]:
    drivers = outcome.projection.race.instance.drivers
    return [
        {
            "rule": v.rule,
            "message": v.message,
            "driver": drivers[v.driver].id if v.driver is not None else "",
        }
        for v in outcome.breaches
    ]


def changed_stints(outcome: Consequences) -> list[dict]:
    drivers = outcome.projection.race.instance.drivers
    return [
        {"number": a.number, "driver": drivers[a.seat].id, "start_lap": a.start_lap, "laps": a.laps,
         "start_ms": a.start_ms}
        for a in outcome.projection.stints
    ]  # fmt: skip


def open_run(strategy_id: int, by: Any) -> LiveRun:
    access.strategy_for(by, strategy_id, access.PLANNERS)
    run = run_with_all(strategy_id)
    if run is None:
        raise NoRace("The race is not open on the wall yet.")
    return run


def seat_of(run: LiveRun, driver_id: int) -> int:
    seats = [n for n, who in enumerate(run.strategy.drivers) if who.get("user_id") == driver_id]
    if not seats:
        raise InvalidInput(
            "Only drivers of this strategy can take over.",
            fields={"driver_id": ["Not a driver of this strategy."]},
        )
    return seats[0]


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 300:
        raise InvalidInput("Say why, in 1 to 300 characters.", fields={"reason": ["1 to 300."]})
    return reason
