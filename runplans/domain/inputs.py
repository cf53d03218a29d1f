"""What a run plan is calculated from: read from a document, checked, and made whole numbers.

Litres and seconds become whole millionths (micro-litres, microseconds), or finer steps when an
input has more than six decimals, so that every later sum and division is exact.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final

from racecontrol.shared.errors import InvalidInput
from runplans.domain.document import Faults, Unusable, add_fault, read_document
from runplans.domain.laps import FinishRule, laps_within, stops_for

MOST_LAPS: Final = 20_000
MOST_MINUTES: Final = 20_160  # two weeks
MOST_SECONDS: Final = 86_400  # of one lap, or of one stop
SMALLEST_BURN: Final = Decimal("0.000001")
MOST_BURN: Final = 1_000  # litres a lap
MOST_LITRES: Final = 10_000
MOST_STINTS: Final = 1_000
LONGEST_TEXT: Final = 200

TEXTS: Final = ("title", "objective")
CONTEXTS: Final = ("car", "track", "weather", "driver")
FILL_POLICIES: Final = ("minimum", "full", "even")
OPTIONS: Final = ("saving",)
TANKS: Final = ("car.tank_capacity_l", "tank_capacity_l")
NUMBERS: Final = (
    "required_laps",
    "run_duration_min",
    "target_pace_s",
    "fuel_burn_l_per_lap",
    "starting_fuel_l",
    "tank_capacity_l",
    "reserve_laps",
    "reserve_l",
)
CHOICES: Final = ("finish_rule", "pit_time_counts", "fill_policy", "options")
KNOWN: Final = frozenset((*TEXTS, *CONTEXTS, *NUMBERS, *CHOICES))
MOST_UNKNOWN: Final = 100  # unknown names told in one answer

Number = int | Decimal
_exact = Context(prec=2_000, Emax=10_000, Emin=-10_000)


@dataclass(frozen=True, slots=True)
class RunInputs:
    """One run, in whole steps: volumes in 1/`scale` litre, times in 1/`scale` second."""

    scale: int
    required_laps: int | None
    duration: int | None
    pace: int | None
    burn: int
    start: int | None
    tank: int | None
    pit_loss: int | None
    reserve: int
    finish_rule: FinishRule
    pit_time_counts: bool
    fill_policy: str
    wants_saving: bool

    @property
    def per_stint(self) -> int | None:
        """Whole laps from a full tank down to the reserve; None without a known tank."""
        return None if self.tank is None else (self.tank - self.reserve) // self.burn

    def fuel_at_start(self, laps: int) -> int:
        """What is in the car before anybody adds to it: as given, else a full tank, else enough."""
        if self.start is not None:
            return self.start
        return self.tank if self.tank is not None else laps * self.burn + self.reserve

    def first_stint(self, laps: int) -> int:
        """Laps the first stint can hold. A car that cannot do one lap is fuelled before the start."""
        possible = (self.fuel_at_start(laps) - self.reserve) // self.burn
        if possible >= 1:
            return possible
        return laps if self.per_stint is None else self.per_stint

    def stops(self, laps: int) -> int:
        """Pit stops a run of `laps` needs."""
        return stops_for(laps=laps, first=self.first_stint(laps), per_stint=self.per_stint)

    def laps_in_time(self) -> int:
        """Laps the duration holds under the finish rule; only for runs with duration and pace."""
        assert self.duration is not None
        assert self.pace is not None
        loss = self.pit_loss if self.pit_time_counts else None
        return laps_within(
            duration=self.duration,
            pace=self.pace,
            rule=self.finish_rule,
            time_lost=(lambda laps: self.stops(laps) * loss) if loss else None,
        )

    @property
    def laps(self) -> int:
        """The laps that are planned: those asked for, else those the time holds."""
        return self.required_laps if self.required_laps is not None else self.laps_in_time()


def read_inputs(body: bytes | str) -> tuple[dict[str, Any], RunInputs]:
    """The document as it was sent and the run it describes.

    Raises InvalidInput naming every wrong field: unknown names, wrong kinds, values out of
    bounds, and numbers that contradict each other or leave no lap to drive.
    """
    document, faults = read_document(body)
    unknown = [name for name in document if name not in KNOWN]
    for name in unknown[:MOST_UNKNOWN]:
        add_fault(faults, name, "There is no such field.")
    run = _Reading(document, faults).run()
    if faults or run is None:
        many = f"{len(faults)} values" if len(faults) > 1 else "One value"
        raise InvalidInput(f"{many} cannot be used.", fields=faults)
    return document, run


@dataclass(slots=True)
class _Given:
    """The fields as sent: litres, minutes, seconds, laps; None where one is absent or unusable."""

    laps: int | None
    minutes: Number | None
    pace: Number | None
    burn: Number | None
    start: Number | None
    tank: tuple[Number | None, str]  # and the field it was given in
    pit_loss: Number | None
    reserve_laps: Number | None
    reserve_l: Number | None
    finish_rule: FinishRule
    fill_policy: str
    pit_time_counts: bool
    wants_saving: bool

    def in_steps(self) -> RunInputs:
        """The same in whole steps, fine enough for every number given."""
        tank, _ = self.tank
        burn, in_laps = _both(self.reserve_laps, self.burn)
        scale = _scale(
            self.minutes, self.pace, self.start, tank, self.pit_loss, self.reserve_l, burn, in_laps
        )
        reserve = _whole(self.reserve_l, scale) or 0
        if in_laps is not None:
            reserve += int(_exact.multiply(in_laps, scale))
        duration = _whole(self.minutes, scale)
        return RunInputs(
            scale=scale,
            required_laps=self.laps,
            duration=None if duration is None else duration * 60,
            pace=_whole(self.pace, scale),
            burn=_whole(burn, scale) or 0,
            start=_whole(self.start, scale),
            tank=_whole(tank, scale),
            pit_loss=_whole(self.pit_loss, scale),
            reserve=reserve,
            finish_rule=self.finish_rule,
            pit_time_counts=self.pit_time_counts,
            fill_policy=self.fill_policy,
            wants_saving=self.wants_saving,
        )


class _Reading:
    """Takes fields from one document, noting each fault under its dotted name."""

    def __init__(self, document: dict[str, Any], faults: Faults):
        self.document = document
        self.faults = faults

    def run(self) -> RunInputs | None:
        """The checked run, or None when a field it cannot do without is unusable."""
        given = self._given()
        self._miss_what_is_needed(given)
        run = given.in_steps()
        _, tank_field = given.tank
        fits_tank = self._fuel_contradictions(run, tank_field)
        if fits_tank or not run.pit_time_counts:
            self._time_contradictions(run)
        if fits_tank and not self.faults and run.stops(run.laps) >= MOST_STINTS:
            self._fault(tank_field, f"More than {MOST_STINTS} stints would be needed.")
        return run if given.burn is not None else None

    def _given(self) -> _Given:
        """Every field by itself; what is wrong with one is noted in this order."""
        for name in TEXTS:
            self._text(name)
        contexts = {name: self._context(name) for name in CONTEXTS}
        document, number = self.document, self._number
        return _Given(
            laps=self._laps(),
            minutes=number(document, "run_duration_min", least=1, most=MOST_MINUTES),
            pace=number(document, "target_pace_s", above=0, most=MOST_SECONDS),
            burn=number(
                document, "fuel_burn_l_per_lap", above=0, least=SMALLEST_BURN, most=MOST_BURN
            ),
            start=number(document, "starting_fuel_l", least=0, most=MOST_LITRES),
            tank=self._tank(contexts["car"]),
            pit_loss=number(
                contexts["track"], "pit_lane_loss_s", within="track.", least=0, most=MOST_SECONDS
            ),
            reserve_laps=number(document, "reserve_laps", least=0, most=MOST_LAPS),
            reserve_l=number(document, "reserve_l", least=0, most=MOST_LITRES),
            finish_rule=FinishRule(self._choice("finish_rule", tuple(FinishRule))),
            fill_policy=self._choice("fill_policy", FILL_POLICIES),
            pit_time_counts=self._yes_or_no("pit_time_counts"),
            wants_saving=self._options(),
        )

    def _miss_what_is_needed(self, given: _Given) -> None:
        """Note each field that the others make necessary and nobody sent."""
        is_timed = not self._missing("run_duration_min")
        if self._missing("required_laps") and not is_timed:
            for field in ("required_laps", "run_duration_min"):
                self._fault(field, "Give the laps or the minutes of the run.")
        if self._missing("fuel_burn_l_per_lap"):
            self._fault("fuel_burn_l_per_lap", "Required: the fuel burned in a lap.")
        if is_timed and self._missing("target_pace_s"):
            self._fault("target_pace_s", "A timed run needs the pace.")
        if given.pit_time_counts and is_timed and given.pit_loss is None:
            self._fault("track.pit_lane_loss_s", "Needed when pit time counts.")
        is_without_tank = given.tank[0] is None and not self._is_wrong("car", *TANKS)
        if given.fill_policy == "full" and is_without_tank:
            self._fault("fill_policy", "Filling up needs the tank capacity.")

    def _fuel_contradictions(self, run: RunInputs, tank_field: str) -> bool:
        """Volumes that are fine by themselves and impossible together; True where stints exist."""
        if run.tank is None:
            return run.burn > 0
        if run.start is not None and run.start > run.tank:
            self._fault("starting_fuel_l", "More than the tank holds.")
        if run.tank < run.burn:
            self._fault(tank_field, "The tank does not hold the fuel of one lap.")
        elif run.tank - run.reserve < run.burn:
            for field in ("reserve_laps", "reserve_l"):
                if self.document.get(field):
                    self._fault(field, "No lap is left between a full tank and the reserve.")
        else:
            return run.burn > 0
        return False

    def _time_contradictions(self, run: RunInputs) -> None:
        """More laps asked for than the duration holds, or a duration that holds none or too many."""
        if run.duration is None or run.pace is None or self._is_wrong("required_laps"):
            return
        holds = run.laps_in_time()
        if run.required_laps is not None:
            if run.required_laps > holds:
                self._fault("required_laps", f"Only {holds} laps fit the duration at this pace.")
        elif holds < 1:
            self._fault("run_duration_min", "Shorter than one lap at this pace.")
        elif holds > MOST_LAPS:
            self._fault("run_duration_min", f"{holds} laps at this pace; at most {MOST_LAPS}.")

    def _is_wrong(self, *fields: str) -> bool:
        return not self.faults.keys().isdisjoint(fields)

    def _fault(self, field: str, message: str) -> None:
        add_fault(self.faults, field, message)

    def _missing(self, name: str) -> bool:
        return self.document.get(name) is None

    def _context(self, name: str) -> dict[str, Any]:
        value = self.document.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._fault(name, "Must be an object.")
            return {}
        return value

    def _text(self, name: str) -> None:
        value = self.document.get(name)
        if value is None:
            return
        if not isinstance(value, str):
            self._fault(name, "Must be text.")
        elif len(value) > LONGEST_TEXT:
            self._fault(name, f"At most {LONGEST_TEXT} characters.")

    def _number(
        self,
        holder: dict[str, Any],
        name: str,
        *,
        within: str = "",
        above: int | None = None,
        least: Number | None = None,
        most: int,
    ) -> Number | None:
        """The number under `name`, or None when it is absent or not usable."""
        value = holder.get(name)
        if value is None or type(value) is Unusable:
            return None  # what made it unusable is noted already
        if type(value) is not int and type(value) is not Decimal:
            self._fault(within + name, "Must be a number.")
        elif above is not None and value <= above:
            self._fault(within + name, f"Must be above {above}.")
        elif least is not None and value < least:
            self._fault(within + name, f"Must be at least {least}.")
        elif value > most:
            self._fault(within + name, f"Must be at most {most}.")
        else:
            return value
        return None

    def _laps(self) -> int | None:
        laps = self._number(self.document, "required_laps", least=1, most=MOST_LAPS)
        if laps is not None and laps != int(laps):
            self._fault("required_laps", "Must be a whole number.")
            return None
        return None if laps is None else int(laps)

    def _tank(self, car: dict[str, Any]) -> tuple[Number | None, str]:
        """The tank and the field it was given in; `car.tank_capacity_l` is where it belongs."""
        nested = self._number(car, "tank_capacity_l", within="car.", above=0, most=MOST_LITRES)
        top = self._number(self.document, "tank_capacity_l", above=0, most=MOST_LITRES)
        if nested is not None and top is not None and nested != top:
            self._fault("tank_capacity_l", "Differs from car.tank_capacity_l.")
            return None, "tank_capacity_l"
        if nested is not None:
            return nested, "car.tank_capacity_l"
        return top, "tank_capacity_l"

    def _choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of `allowed`; the first stands for an absent field."""
        value = self.document.get(name)
        if value is None:
            return allowed[0]
        if not isinstance(value, str) or value not in allowed:
            self._fault(name, f"One of: {', '.join(allowed)}.")
            return allowed[0]
        return value

    def _yes_or_no(self, name: str) -> bool:
        value = self.document.get(name)
        if value is not None and not isinstance(value, bool):
            self._fault(name, "Must be true or false.")
        return value is True

    def _options(self) -> bool:
        value = self.document.get("options")
        if value is None:
            return False
        if not isinstance(value, list) or any(
            not isinstance(option, str) or option not in OPTIONS for option in value
        ):
            self._fault("options", f"A list of: {', '.join(OPTIONS)}.")
            return False
        return "saving" in value


def _both(reserve_laps: Number | None, burn: Number | None) -> tuple[Number | None, Number | None]:
    """The burn, and the reserve in litres when it is told in laps."""
    if burn is None or not reserve_laps:
        return burn, None
    return burn, _exact.multiply(reserve_laps, burn)


def _scale(*numbers: Number | None) -> int:
    """Steps per litre and second in which all `numbers` are whole: a million, or finer."""
    digits = 6
    for number in numbers:
        if type(number) is Decimal:
            digits = max(digits, -number.as_tuple().exponent)  # type: ignore[operator]
    return 10**digits


def _whole(number: Number | None, scale: int) -> int | None:
    if number is None:
        return None
    return int(_exact.multiply(number, scale)) if type(number) is Decimal else int(number) * scale
