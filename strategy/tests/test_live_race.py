"""A whole day's race over real HTTP at full speed, with everything that can happen in one."""

import io
import time
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command

from racecontrol.shared import tokens
from strategy.domain.stints.instance import read_instance
from strategy.management.commands.simulate_race import caller
from strategy.management.simulator import RaceSimulator, Spell
from strategy.models import LapEvent, LiveRun, PitStop
from strategy.queries import live
from strategy.tests.builders import make_strategy

HOUR = 3_600_000


@pytest.fixture
def fast_api(settings):
    settings.API_WRITES_PER_MINUTE = 1_000_000


def test_a_day_with_a_swap_an_extension_rain_and_a_caution(live_asgi, user, fast_api):
    strategy = make_strategy(user, drivers=3, hours=24, lap_ms=240_000)
    _, secret = tokens.make(by=user, name="race", scope="write")
    call = caller(live_asgi, strategy.pk, secret)
    users = {n: who["user_id"] for n, who in enumerate(strategy.drivers)}
    decided: list[str] = []
    wanted: dict[int, int] = {}  # stint -> laps

    def swap() -> None:
        wall = call("GET", "")
        other = next(seat for seat in users if seat != wall["in_car"]["seat"])
        path = f"/stints/{wall['in_car']['number']}/swap"
        made = call("POST", path, {"driver_id": users[other], "reason": "ill", "override": True})
        decided.append(made["command"]["words"])

    def change_length(laps: int, reason: str) -> None:
        wall = call("GET", "")
        path = f"/stints/{wall['in_car']['number']}/extend"
        made = call("POST", path, {"laps": laps, "reason": reason, "override": True})
        decided.append(made["command"]["words"])
        wanted[wall["in_car"]["number"]] = wall["in_car"]["planned_laps"] + laps

    simulator = RaceSimulator(
        call, read_instance(strategy.current.problem), strategy.event.duration_ms, seed=7,
        spells=[Spell("wet", 6 * HOUR, 9 * HOUR), Spell("sc", 12 * HOUR, 12 * HOUR + HOUR // 3)],
        at_lap={30: swap, 160: lambda: change_length(-2, "traffic"),
                183: lambda: change_length(+1, "fuel saved under the safety car")},
    )  # fmt: skip
    tally = simulator.run()

    run = live.run_with_all(strategy.pk)
    assert run is not None
    wall = live.wall_of(run).wall
    assert len(decided) == 3
    assert "2 laps shorter" in decided[1]
    assert "1 lap longer" in decided[2]
    laps_of = {line.number: line.laps for line in wall.stints}
    assert {number: laps_of[number] for number in wanted} == wanted
    # laps, stops, times at the wheel and the finish, to the millisecond
    assert run.state == "finished"
    assert (wall.finish.laps_done, run.finished_ms) == (tally.laps, tally.finish_ms)
    assert tally.finish_ms >= 24 * HOUR
    assert {b.seat: b.driven_ms for b in wall.bars if b.driven_ms} == tally.drive_ms
    assert {b.seat: b.laps for b in wall.bars if b.laps} == tally.laps_of
    assert PitStop.objects.count() == tally.stops
    done = [(line.seat, line.laps) for line in wall.stints if line.status == "completed"]
    assert done == tally.stints
    # the log: every lap once, versions without gaps, the decisions among them
    laps = LapEvent.objects.filter(kind="lap").order_by("lap").values_list("lap", flat=True)
    assert list(laps) == list(range(1, tally.laps + 1))
    commands = list(run.commands.all())
    assert [c.version for c in commands] == list(range(2, run.version + 1))
    assert [c.words for c in commands if c.name in ("swap", "extend")] == decided
    assert [(f.kind, f.to_ms is not None) for f in run.flags.all()] == [("sc", True)]
    assert [w.is_wet for w in run.weather.all()] == [True, False]
    # nobody drove alone, and the stints follow each other with the stop between them
    stints = [line for line in wall.stints if line.status == "completed"]
    stops = list(PitStop.objects.order_by("in_ms"))
    assert [(s.in_ms, s.out_ms) for s in stops] == [
        (a.end_ms, b.start_ms) for a, b in pairwise(stints)
    ]
    on_track = sum(tally.drive_ms.values())
    assert on_track + sum(s.out_ms - s.in_ms for s in stops) == tally.finish_ms


def test_the_command_drives_a_race_and_leaves_no_token(live_asgi, user, fast_api):
    strategy = make_strategy(user, hours=1)
    said = io.StringIO()

    call_command("simulate_race", strategy.pk, url=live_asgi, speed="max", rain=["0:20-0:40"],
                 stdout=said)  # fmt: skip

    assert LiveRun.objects.get().state == "finished"
    assert LiveRun.objects.get().is_training
    assert "Chequered flag" in said.getvalue()
    assert not tokens.usable().exists()
    with pytest.raises(CommandError, match="--again"):
        call_command("simulate_race", strategy.pk, url=live_asgi, speed="max")
    call_command("simulate_race", strategy.pk, url=live_asgi, speed="max", again=True, stdout=said)
    assert LiveRun.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"speed": "0"}, {"speed": "601"}, {"speed": "fast"},
                                     {"speed": "max", "rain": ["noon"]}])  # fmt: skip
def test_a_wrong_option_is_named(user, options):
    strategy = make_strategy(user, hours=1)

    with pytest.raises(CommandError):
        call_command("simulate_race", strategy.pk, **options)
    assert not LiveRun.objects.exists()


def test_at_a_told_speed_the_race_takes_its_time():
    from strategy.management.commands.simulate_race import pacer

    wait, began = pacer(600), time.monotonic()
    wait(60_000)

    assert time.monotonic() - began >= 0.09
