"""What each decision of the race was worth: both ways driven again from that moment on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from strategy.domain.analytics.record import Driven, Neutral
from strategy.domain.analytics.replay import replay
from strategy.domain.simulation import Luck, Simulator, duel
from strategy.domain.stints.instance import Instance, Stint


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice made on `lap` at `at_ms`: the whole race as chosen and as it would have gone on.

    `then` is the problem as it looked at that moment, where it is known better than before the start.
    """

    key: str
    kind: str
    label: str
    lap: int
    at_ms: int
    chosen: Sequence[Stint]
    alternative: Sequence[Stint]
    by: str = ""
    known: Sequence[tuple[float, float, float]] = field(default=())
    then: Instance | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Positive: the choice gained. `gain_ms` with hindsight, `expected_ms` as it looked then.

    `low_ms` and `high_ms` are the 95 % interval of the expectation. Rules only the way not taken
    would have broken stand in `alternative_breaks`.
    """

    decision: Decision
    gain_ms: int
    expected_ms: int
    low_ms: int
    high_ms: int
    chosen_breaks: list[str]
    alternative_breaks: list[str]

    @property
    def is_clear(self) -> bool:
        return self.low_ms > 0 or self.high_ms < 0


def judge(
    decision: Decision,
    *,
    then: Instance,
    after: Instance,
    neutrals: Sequence[Neutral] = (),
    luck: Luck | None = None,
    races: int = 500,
    seed: int = 1,
) -> Verdict:
    """Both ways through what came (`after`, `neutrals`), and through many races of what was known.

    Both meet the same luck, so only the decision makes the difference.
    """
    then = decision.then or then
    start = {"from_lap": decision.lap, "from_ms": decision.at_ms}
    ways = (decision.chosen, decision.alternative)
    chosen, other = (
        replay(after, fit_to(way, after.race.laps), neutrals=neutrals, **start) for way in ways
    )
    simulator = Simulator(
        then, luck=luck or Luck(), races=races, seed=seed, known=tuple(decision.known)
    )
    a, b = (simulator.run(fit_to(way, then.race.laps), **start) for way in ways)
    gap = duel(a, b)
    return Verdict(
        decision=decision,
        gain_ms=other.finish_ms - chosen.finish_ms,
        expected_ms=round(gap.difference_ms), low_ms=round(gap.low_ms), high_ms=round(gap.high_ms),
        chosen_breaks=sorted(set(chosen.broken) - set(other.broken)),
        alternative_breaks=sorted(set(other.broken) - set(chosen.broken)),
    )  # fmt: skip


def carried_on(
    driven: Sequence[Driven], plan: Sequence[Stint], *, lap: int, laps: int
) -> list[Stint]:
    """A whole race: what was driven before `lap`, then the plan from there to the end.

    The stint under way keeps its driver until the plan's next stop. A plan that falls short of
    `laps` is drawn out in its last stint, one that runs over is cut.
    """
    out: list[Stint] = []
    done = 0
    running: Driven | None = None
    for stint in driven:
        if stint.end_lap <= lap and stint.laps > 0:
            out.append(_as_stint(stint, stint.laps, is_first=not out))
            done = stint.end_lap
        elif stint.start_lap < lap < stint.end_lap:
            running = stint
    rest: list[tuple[int, Stint]] = []
    end = 0
    for later in fit_to(plan, laps):
        end += later.laps
        if end > lap:
            rest.append((end, later))
    for n, (end, later) in enumerate(rest):
        if end <= done:
            continue
        if n == 0 and running is not None:
            out.append(_as_stint(running, end - done, is_first=not out))
        else:
            out.append(later.model_copy(update={"laps": end - done}))
        done = end
    return out


def fit_to(plan: Sequence[Stint], laps: int) -> list[Stint]:
    """The plan over exactly `laps` laps: cut at the end, or its last stint drawn out."""
    out: list[Stint] = []
    done = 0
    for stint in plan:
        if done >= laps:
            break
        out.append(stint.model_copy(update={"laps": min(stint.laps, laps - done)}))
        done += out[-1].laps
    if out and done < laps:
        out[-1] = out[-1].model_copy(update={"laps": out[-1].laps + laps - done})
    return out


def _as_stint(stint: Driven, laps: int, *, is_first: bool) -> Stint:
    is_new = is_first or stint.tyres == "new"
    return Stint(driver=stint.seat, laps=laps, tyres="new" if is_new else "keep",
                 compound=1 if stint.compound else 0)  # fmt: skip
