"""The plan form: what people type becomes the very document a machine would send."""

import re
from decimal import Decimal
from typing import Any

from django import forms

from racecontrol.shared.errors import InvalidInput
from runplans.domain.document import MOST_DIGITS

_number = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")

# Form field -> where its value goes in the document.
PLACES = {
    "title": "title",
    "objective": "objective",
    "required_laps": "required_laps",
    "run_duration_min": "run_duration_min",
    "target_pace": "target_pace_s",
    "burn": "fuel_burn_l_per_lap",
    "start": "starting_fuel_l",
    "tank": "car.tank_capacity_l",
    "car": "car.name",
    "track": "track.name",
    "pit_loss": "track.pit_lane_loss_s",
    "driver": "driver.name",
    "weather": "weather.conditions",
    "air_temp": "weather.air_temp_c",
    "reserve_laps": "reserve_laps",
    "reserve": "reserve_l",
    "finish_rule": "finish_rule",
    "pit_time_counts": "pit_time_counts",
    "fill_policy": "fill_policy",
    "saving": "options",
}
VOLUMES = ("burn", "start", "tank", "reserve")
NUMBERS = (*VOLUMES, "required_laps", "run_duration_min", "pit_loss", "air_temp", "reserve_laps")


def number_field(label: str, help_text: str = "") -> forms.CharField:
    """Text, so that no digit is lost and the one set of rules in `domain` judges it."""
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget)


def text_field(label: str, **attrs: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, widget=forms.TextInput(attrs=attrs))


class PlanForm(forms.Form):
    """One run. Nothing is judged here: `document()` is what `services` and `domain` check."""

    title = text_field("Title", placeholder="Friday long run")
    objective = text_field("Objective", placeholder="baseline", list="objectives")
    required_laps = number_field("Laps", "Or give the minutes.")
    run_duration_min = number_field("Minutes", "Needs the pace.")
    target_pace = number_field("Pace a lap", "Seconds, or m:ss.sss.")
    unit = forms.ChoiceField(
        label="Fuel in", choices=[("l", "litres"), ("ml", "millilitres")], required=False
    )
    burn = number_field("Fuel a lap")
    tank = number_field("Tank holds")
    start = number_field("Fuel at the start", "Empty: a full tank.")
    pit_loss = number_field("A stop costs", "Seconds.")
    driver = text_field("Driver")
    car = text_field("Car")
    track = text_field("Track")
    weather = text_field("Weather", placeholder="dry, dusty")
    air_temp = number_field("Air", "°C")
    reserve_laps = number_field("Reserve in laps", "Fuel that is never touched.")
    reserve = number_field("Reserve", "Fuel; adds to the laps.")
    finish_rule = forms.ChoiceField(
        label="When time is up",
        required=False,
        choices=[
            ("", "only finished laps count"),
            ("finish_lap", "the lap under way is finished"),
            ("plus_one", "and one lap more"),
        ],
    )
    fill_policy = forms.ChoiceField(
        label="At a stop",
        required=False,
        choices=[
            ("", "fill what is needed"),
            ("full", "fill the tank"),
            ("even", "the same each time"),
        ],
    )
    pit_time_counts = forms.BooleanField(label="Stops take time from the run", required=False)
    saving = forms.BooleanField(label="Show how to save a stop, and when to stop", required=False)
    # A plan this one began as; what its inputs say beyond this form is kept.
    source = forms.CharField(required=False, widget=forms.HiddenInput)
    # Whose laps the pace came from: "driver id:race id".
    pace_laps = forms.CharField(required=False, widget=forms.HiddenInput)

    use_required_attribute = False

    @property
    def basics(self) -> list[forms.BoundField]:
        return [self[name] for name in ("required_laps", "run_duration_min", "target_pace")]

    @property
    def fuel(self) -> list[forms.BoundField]:
        return [self[name] for name in ("unit", "burn", "tank", "start")]

    @property
    def context(self) -> list[forms.BoundField]:
        names = ("title", "objective", "driver", "car", "track", "weather", "air_temp")
        return [self[name] for name in names]

    @property
    def stops(self) -> list[forms.BoundField]:
        names = ("pit_loss", "fill_policy", "finish_rule", "reserve_laps", "reserve")
        return [self[name] for name in names]

    @property
    def switches(self) -> list[forms.BoundField]:
        return [self["pit_time_counts"], self["saving"]]

    @property
    def opens_stops(self) -> bool:
        """Something is set or wrong in the part that is closed otherwise."""
        return any(field.value() or field.errors for field in (*self.stops, *self.switches))

    @property
    def opens_context(self) -> bool:
        return any(field.value() or field.errors for field in self.context)

    def document(
        self, base: dict[str, Any] | None = None, pace_from: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The inputs as a machine would send them; call after `is_valid()`.

        `base` are the inputs of the plan this one began as: what the form does not ask stays.
        `pace_from` names the session of the pace; it stays only while the pace is that one.
        Text that is no number is passed on as it is, for `domain` to refuse by name.
        """
        document: dict[str, Any] = {}
        for name in ("car", "track", "weather", "driver"):
            kept = (base or {}).get(name)
            if isinstance(kept, dict):
                document[name] = {
                    key: value
                    for key, value in kept.items()
                    if f"{name}.{key}" not in PLACES.values() and key != "pace_from"
                }
        for name, place in PLACES.items():
            value = self._value(name)
            if value is None:
                continue
            holder, _, key = place.rpartition(".")
            (document.setdefault(holder, {}) if holder else document)[key] = value
        pace = document.get("target_pace_s")
        driven = pace_from.get("median_lap_ms") if pace_from else None
        if isinstance(pace, int | Decimal) and pace * 1000 == driven:
            document.setdefault("driver", {})["pace_from"] = pace_from
        return {name: value for name, value in document.items() if value != {}}

    def _value(self, name: str) -> Any:
        value = self.cleaned_data.get(name)
        if name == "saving":
            return ["saving"] if value else None
        if name == "pit_time_counts":
            return True if value else None
        if not value:
            return None
        if name == "target_pace":
            return seconds_of(value)
        if name not in NUMBERS:
            return value
        number = number_of(value)
        if name in VOLUMES and self.cleaned_data.get("unit") == "ml" and number != value:
            return number.scaleb(-3) if isinstance(number, Decimal) else Decimal(number).scaleb(-3)
        return number

    def take_faults(self, refusal: InvalidInput) -> None:
        """Put each fault beside the field it is about."""
        by_place = {place: name for name, place in PLACES.items()}
        for place, messages in refusal.fields.items():
            name = by_place.get(place)
            for message in messages:
                if name is None:
                    self.add_error(None, f"{place}: {message}")
                else:
                    self.add_error(name, message)


def number_of(text: str) -> Any:
    """'2,7' -> Decimal('2.7'), '25' -> 25; what is no number stays text."""
    plain = text.strip().replace(",", ".")
    if not _number.fullmatch(plain) or len(plain) > MOST_DIGITS:
        return text
    return int(plain) if plain.isdigit() else Decimal(plain)


def seconds_of(text: str) -> Any:
    """'1:31.3' -> Decimal('91.3'); plain seconds and text as `number_of`."""
    minutes, colon, seconds = text.strip().rpartition(":")
    if not colon:
        return number_of(text)
    if minutes.isascii() and minutes.isdigit() and len(minutes) <= 4:
        rest = number_of(seconds)
        if isinstance(rest, int | Decimal) and 0 <= rest < 60:
            return int(minutes) * 60 + rest
    return text


def initial_of(document: dict[str, Any]) -> dict[str, Any]:
    """What the form shows for inputs that exist; small volumes read in millilitres."""
    values: dict[str, Any] = {}
    for name, place in PLACES.items():
        value: Any = document
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            values[name] = value
    if values.get("tank") is None and document.get("tank_capacity_l") is not None:
        values["tank"] = document["tank_capacity_l"]
    values["saving"] = "saving" in (values.get("saving") or [])
    burn = values.get("burn")
    small = isinstance(burn, int | Decimal) and burn < Decimal("0.1")
    values["unit"] = "ml" if small else "l"
    for name in (*NUMBERS, "target_pace"):
        value = values.get(name)
        if isinstance(value, int | Decimal):
            number = Decimal(value).scaleb(3) if small and name in VOLUMES else Decimal(value)
            values[name] = plain_number(number)
    return values


def plain_number(number: Decimal) -> str:
    """Without exponent or idle zeros: Decimal('60.0') -> '60'."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class PlanFilter(forms.Form):
    """What one's plans are narrowed to: values they were made with."""

    objective = forms.ChoiceField(label="Objective", required=False)
    driver = forms.ChoiceField(label="Driver", required=False)
    track = forms.ChoiceField(label="Track", required=False)

    def __init__(self, *args: Any, choices: dict[str, list[str]], **options: Any):
        super().__init__(*args, **options)
        for name, values in choices.items():
            self.fields[name].choices = [("", "all"), *((value, value) for value in values)]
