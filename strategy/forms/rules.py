"""The rules of a race as a form over the checked JSON (`ruleset/1`): people type 4:30, it keeps seconds."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from strategy.domain.regulations import Regulations, read_regulations

WEATHER = [("N", "night"), ("W", "rain"), ("X", "rain at night")]
ORDERS = [
    ("parallel", "all at once"),
    ("fuel_then_tyres", "fuel and drivers, then tyres"),
    ("sequential", "one after the other"),
]
TYRES = [("every_stop", "new at every stop"), ("optional", "as the team likes")]


class SpanField(forms.Field):
    """A stretch of time: 4:30 is hours and minutes, 4:30:15 with seconds, 90 minutes, 45s seconds."""

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.widget.attrs |= {"placeholder": "h:mm", "size": 8, "inputmode": "text"}

    def clean(self, value: Any) -> int | None:
        """Whole seconds, None where nothing is typed."""
        text = str(super().clean(value) or "").strip().lower()
        if not text:
            return None
        if found := re.fullmatch(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?", text):
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return hours * 3600 + minutes * 60 + seconds
        if found := re.fullmatch(r"(\d{1,6})\s*(s|min|h)?", text):
            return int(found[1]) * {"s": 1, "min": 60, "h": 3600, None: 60}[found[2]]
        raise forms.ValidationError("Write 4:30 for hours and minutes, 90 for minutes, 45s.")

    def prepare_value(self, value: Any) -> Any:
        return span_text(value) if isinstance(value, int) else value


def span_text(seconds: int) -> str:
    """5400 -> '1:30'; what has seconds shows them."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")


def number(label: str, least: int, most: int, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, required=False, help_text=help_text
    )


def words(text: str) -> list[str]:
    """What is between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


class CategoryRow(forms.Form):
    category = forms.CharField(max_length=80, required=False, label="Categories")
    min_s = SpanField(label="Drives at least")
    max_s = SpanField(label="Drives at most")
    continuous_max_s = SpanField(label="Without a break at most")


class GroupRow(forms.Form):
    name = forms.CharField(max_length=40, required=False)
    category = forms.CharField(max_length=80, required=False, label="Categories")
    min_s = SpanField(label="Drive together at least")
    block_s = SpanField(label="In every block of")
    block_min_s = SpanField(label="at least")


class WindowRow(forms.Form):
    name = forms.CharField(max_length=40, required=False)
    from_s = SpanField(label="Race time from")
    to_s = SpanField(label="to")
    stops = number("Stops", 1, 50)
    min_total_s = SpanField(label="Each at least")


class PartRow(forms.Form):
    name = forms.CharField(max_length=40, required=False)
    category = forms.CharField(
        max_length=80, required=False, label="Categories", help_text="Empty: everybody."
    )
    from_pct = number("From, % of the race", 0, 100)
    to_pct = number("To, %", 0, 100)
    min_s = SpanField(label="Drives at least")
    max_s = SpanField(label="Drives at most")


class WeatherRow(forms.Form):
    from_s = SpanField(label="Race time from")
    to_s = SpanField(label="to")
    kind = forms.ChoiceField(choices=[("", ""), *WEATHER], required=False, label="Is")


# field of the rule set -> (form of a row, is the row empty without this field)
ROWS: dict[str, type[forms.Form]] = {
    "by_category": CategoryRow,
    "groups": GroupRow,
    "pit_windows": WindowRow,
    "parts": PartRow,
    "weather": WeatherRow,
}


class RulesForm(forms.Form):
    """Every single number of the rule set; lists are rows beside it (RuleSheet)."""

    key = forms.CharField(max_length=40, label="Name of the rules")
    source = forms.CharField(max_length=200, required=False, help_text="Where they are from, when.")
    fewest_drivers = number("Fewest drivers", 1, 64)
    most_drivers = number("Most drivers", 1, 64)
    min_drive_s = SpanField(label="Everybody drives at least")
    max_drive_s = SpanField(label="Nobody drives more than")
    max_share_pct = number("Largest share of the race, %", 1, 100)
    fair_share_pct = number("Fair share, %", 0, 100, "Of an equal share of the laps, rounded up.")
    continuous_max_s = SpanField(label="Without a break at most")
    max_stints_in_a_row = number("Stints in a row at most", 1, 50)
    rest_s = SpanField(label="Rest between turns")
    rolling_max_s = SpanField(label="Rolling window: drives at most")
    rolling_window_s = SpanField(label="within")
    min_stint_laps = number("Shortest stint, laps", 1, 500)
    max_stint_laps = number("Longest stint, laps", 1, 2000)
    max_stint_s = SpanField(label="Longest stint, time")
    no_night_categories = forms.CharField(
        required=False, max_length=80, label="Not at night", help_text="Categories between commas."
    )
    no_wet_categories = forms.CharField(
        required=False,
        max_length=80,
        label="Not in the wet",
        help_text="Categories between commas.",
    )
    start_drivers = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="May start the race",
        help_text="Nobody ticked: everybody.",
    )  # fmt: skip
    finish_drivers = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="May finish the race",
        help_text="Nobody ticked: everybody.",
    )  # fmt: skip
    mandatory_stops = number("Stops at least", 0, 500)
    pit_lane_s = forms.FloatField(min_value=0, max_value=3600, label="Through the lane, seconds")
    min_service_s = SpanField(label="Service at least", help_text="45s for seconds.")
    min_refuel_s = SpanField(label="Refuelling at least", help_text="40s for seconds.")
    min_stop_s = SpanField(label="In to out at least")
    refuel_ml_per_s = number("Refuelling, ml a second", 1, 100_000)
    tyre_change_s = SpanField(label="Changing tyres", help_text="20s for seconds.")
    driver_change_s = SpanField(label="Changing drivers")
    service_order = forms.ChoiceField(choices=ORDERS, label="Work in the box")
    pit_closed_laps = forms.CharField(
        required=False, max_length=400, label="No stop before laps", help_text="As 1, 2, 3."
    )
    tyres = forms.ChoiceField(choices=TYRES, label="Tyres")
    tyre_sets = number("Sets of tyres at most", 1, 500)
    heat_on = forms.BooleanField(required=False, label="Heat rule in force")
    heat_continuous_s = SpanField(label="Heat: without a break at most")
    heat_rest_s = SpanField(label="Heat: rest")

    GROUPS = (
        ("Rules", ("key", "source")),
        ("Drivers", ("fewest_drivers", "most_drivers", "min_drive_s", "max_drive_s",
                     "max_share_pct", "fair_share_pct", "continuous_max_s", "max_stints_in_a_row",
                     "rest_s", "rolling_max_s", "rolling_window_s", "no_night_categories",
                     "no_wet_categories", "start_drivers", "finish_drivers")),
        ("Stints and stops", ("min_stint_laps", "max_stint_laps", "max_stint_s", "mandatory_stops",
                              "pit_lane_s", "min_service_s", "min_refuel_s", "min_stop_s",
                              "refuel_ml_per_s", "driver_change_s",
                              "tyre_change_s", "service_order", "pit_closed_laps")),
        ("Tyres and heat", ("tyres", "tyre_sets", "heat_on", "heat_continuous_s", "heat_rest_s")),
    )  # fmt: skip

    def __init__(self, *args: Any, names: Sequence[str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for field in ("start_drivers", "finish_drivers"):
            self.fields[field].choices = [(name, name) for name in names]

    def clean_pit_closed_laps(self) -> list[int]:
        text = self.cleaned_data["pit_closed_laps"]
        if not all(part.isdecimal() and 1 <= int(part) <= 4000 for part in words(text)):
            raise forms.ValidationError("Laps between commas, as 1, 2, 3.")
        return sorted({int(part) - 1 for part in words(text)})

    def clean_no_night_categories(self) -> list[str]:
        return words(self.cleaned_data["no_night_categories"])

    def clean_no_wet_categories(self) -> list[str]:
        return words(self.cleaned_data["no_wet_categories"])

    def groups(self) -> list[tuple[str, list]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]


class RuleSheet:
    """The form and its rows together: from a rule set to a page and back."""

    EMPTY_ROWS = 2

    def __init__(
        self, *, names: Sequence[str], regulations: dict, conditions: Sequence[Sequence],
        data: MultiValueDict | None = None,
    ):  # fmt: skip
        rules = read_regulations(regulations)
        known = {*names, *(rules.start_drivers or ()), *(rules.finish_drivers or ())}
        self.form = RulesForm(data, initial=_initial(rules), names=sorted(known))
        rows = _rows(rules, conditions)
        self.tables = {
            name: forms.formset_factory(
                kind, extra=self.EMPTY_ROWS, max_num=40, validate_max=True, absolute_max=42
            )(data, initial=rows[name], prefix=name)
            for name, kind in ROWS.items()
        }

    def is_valid(self) -> bool:
        good = [self.form.is_valid(), *(table.is_valid() for table in self.tables.values())]
        return all(good)

    def regulations(self) -> dict:
        """The rule set typed; whatever contradicts itself is the reader's to refuse."""
        data = self.form.cleaned_data
        same = Regulations.model_fields.keys() & data.keys()
        found: dict[str, Any] = {n: data[n] for n in same if data[n] not in (None, "", [])}
        if data["rolling_max_s"] and data["rolling_window_s"]:
            found["rolling"] = {
                "max_s": data["rolling_max_s"],
                "window_s": data["rolling_window_s"],
            }
        heat = {"is_on": data["heat_on"], "continuous_max_s": data["heat_continuous_s"],
                "rest_s": data["heat_rest_s"]}  # fmt: skip
        if any(value for value in heat.values()):
            found["heat"] = {name: value for name, value in heat.items() if value is not None}
        for name, table in self.tables.items():
            if name != "weather" and (rows := [_row(f.cleaned_data) for f in table if _typed(f)]):
                found[name] = rows
        return found

    def conditions(self) -> list[list]:
        rows = [f.cleaned_data for f in self.tables["weather"] if _typed(f)]
        return [
            [1000 * (row["from_s"] or 0), 1000 * (row["to_s"] or 0), row["kind"]] for row in rows
        ]


def _typed(row: forms.Form) -> bool:
    return any(value not in (None, "", []) for value in row.cleaned_data.values())


def _row(data: dict) -> dict:
    kept = {name: value for name, value in data.items() if value not in (None, "")}
    if "category" in data:
        kept["category"] = words(data["category"])
    return kept


def _initial(rules: Regulations) -> dict:
    data = rules.model_dump()
    data["pit_closed_laps"] = ", ".join(str(n + 1) for n in rules.pit_closed_laps)
    for field in ("no_night_categories", "no_wet_categories"):
        data[field] = ", ".join(data[field])
    if rules.rolling:
        data |= {"rolling_max_s": rules.rolling.max_s, "rolling_window_s": rules.rolling.window_s}
    if rules.heat:
        data |= {"heat_on": rules.heat.is_on, "heat_continuous_s": rules.heat.continuous_max_s,
                 "heat_rest_s": rules.heat.rest_s}  # fmt: skip
    return data


def _rows(rules: Regulations, conditions: Sequence[Sequence]) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for name in ("by_category", "groups", "pit_windows", "parts"):
        found[name] = [row.model_dump() for row in getattr(rules, name)]
        for row in found[name]:
            if "category" in row:
                row["category"] = ", ".join(row["category"])
    found["weather"] = [
        {"from_s": a // 1000, "to_s": b // 1000, "kind": kind} for a, b, kind in conditions
    ]
    return found


TITLES = {
    "by_category": "Categories with numbers of their own",
    "groups": "Categories together",
    "pit_windows": "Pit windows",
    "parts": "Parts of the race",
    "weather": "Night and rain",
}
