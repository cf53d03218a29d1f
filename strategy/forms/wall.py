"""What people tell on the pit wall. Litres and seconds are typed; ml and ms go to the services."""

from typing import Any
from uuid import UUID

from django import forms

from strategy.domain.live.transitions import MOVES
from strategy.forms.fields import SecondsField
from strategy.models import Flag, Penalty
from strategy.services.live.race import State

MOST = 2_000_000_000
LONGEST_S = 864_000  # as the log takes it: ten days


class CommandForm(forms.Form):
    """Every command may name itself, the version it was based on, and its moment (ms since green)."""

    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    base_version = forms.IntegerField(
        required=False, min_value=0, max_value=MOST, widget=forms.HiddenInput
    )
    at_ms = forms.IntegerField(
        required=False, min_value=0, max_value=MOST, widget=forms.HiddenInput
    )
    # keys of the page's own commands, sent before this one and known to whoever pressed its button
    knows = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)
    FRAME = ("key", "base_version", "at_ms", "knows")

    def clean_knows(self) -> frozenset[UUID]:
        try:
            return frozenset(UUID(word) for word in self.cleaned_data["knows"].split())
        except ValueError:
            raise forms.ValidationError("Keys of commands, with spaces between.") from None

    def frame(self) -> dict[str, Any]:
        return {
            name: value for name in self.FRAME if (value := self.cleaned_data[name]) is not None
        }

    def values(self) -> dict[str, Any]:
        """What the service of this command takes."""
        return {n: v for n, v in self.cleaned_data.items() if n not in self.FRAME}


class Litres(forms.FloatField):
    """Typed in litres, read as whole ml."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=0, max_value=2_000, **kwargs)
        self.widget.attrs["step"] = "0.01"

    def clean(self, value: Any) -> int | None:
        litres = super().clean(value)
        return None if litres is None else round(litres * 1000)


class OpenForm(CommandForm):
    red_stops_clock = forms.BooleanField(required=False, label="A red flag stops the race clock")
    is_training = forms.BooleanField(required=False, label="Only training: simulated laps")
    is_retold = forms.BooleanField(
        required=False, label="Driven already: the laps are told afterwards"
    )

    def frame(self) -> dict[str, Any]:
        return {}


class StateForm(CommandForm):
    state = forms.ChoiceField(choices=State.choices)


class FlagForm(CommandForm):
    flag = forms.ChoiceField(choices=[*Flag.choices, ("green", "green")])


class ProgressForm(CommandForm):
    stint = forms.IntegerField(min_value=1, max_value=MOST)
    status = forms.ChoiceField(choices=[("", "–"), *((s, s) for s in MOVES)], required=False)
    lap = forms.IntegerField(required=False, min_value=1, max_value=MOST)

    def values(self) -> dict[str, Any]:
        data = super().values()
        return data | {"status": data["status"] or None}


class WeatherForm(CommandForm):
    is_wet = forms.ChoiceField(choices=[("wet", "wet"), ("dry", "dry")])

    def values(self) -> dict[str, Any]:
        return {"is_wet": self.cleaned_data["is_wet"] == "wet"}


class FuelForm(CommandForm):
    fuel_ml = Litres(label="On board, litres")
    lap = forms.IntegerField(
        required=False, min_value=0, max_value=MOST, label="After lap",
        help_text="Empty: after the last one.",
    )  # fmt: skip


class StopForm(CommandForm):
    stop_id = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label="Which stop", choices=[]
    )
    fuel_added_ml = Litres(required=False, label="Fuel added, litres")
    tyres = forms.ChoiceField(
        required=False, choices=[("", "as planned"), ("new", "new"), ("keep", "kept")]
    )
    compound = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label="Compound",
        choices=[("", "as planned"), ("0", "dry"), ("1", "wet")],
    )  # fmt: skip
    box_ms = SecondsField(0, 86_400, step=0.1, required=False, label="Stood in the box, seconds")
    repair_ms = SecondsField(0, 86_400, step=0.1, required=False, label="Repairs, seconds")
    is_drive_through = forms.BooleanField(required=False, label="Only driven through")
    notes = forms.CharField(required=False, max_length=300)

    def __init__(self, *args: Any, stops: list[tuple[int, str]] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["stop_id"].choices = [("", "a new one, now"), *(stops or [])]

    def values(self) -> dict[str, Any]:
        data = super().values()
        filled = {n: v for n, v in data.items() if n != "stop_id" and v not in (None, "", False)}
        return filled | {"stop_id": data["stop_id"]}


class PenaltyForm(CommandForm):
    kind = forms.ChoiceField(choices=Penalty.Kind.choices)
    amount = forms.FloatField(
        required=False, min_value=0, max_value=86_400, label="Seconds, or laps"
    )
    reason = forms.CharField(required=False, max_length=200)

    def values(self) -> dict[str, Any]:
        data = super().values()
        amount, is_laps = data["amount"] or 0, data["kind"] == Penalty.Kind.LAPS
        return data | {"amount": round(amount if is_laps else amount * 1000)}


class ServedForm(CommandForm):
    penalty_id = forms.IntegerField(min_value=1, max_value=2**62)


class CorrectForm(CommandForm):
    event_id = forms.TypedChoiceField(coerce=int, label="What was told", choices=[])
    to_ms = SecondsField(
        0, LONGEST_S, step=0.1, required=False, label="Was at, seconds since green"
    )
    lap = forms.IntegerField(required=False, min_value=1, max_value=MOST, label="Was lap")
    is_void = forms.TypedChoiceField(
        required=False, coerce=lambda text: text == "yes", empty_value=None, label="Did it happen?",
        choices=[("", "as told"), ("yes", "it never happened"), ("no", "it did happen")],
    )  # fmt: skip
    reason = forms.CharField(max_length=300)

    def __init__(self, *args: Any, events: list[tuple[int, str]] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["event_id"].choices = events or []


class SwapForm(CommandForm):
    stint = forms.TypedChoiceField(coerce=int, choices=[])
    driver_id = forms.TypedChoiceField(coerce=int, label="Who takes over", choices=[])
    after_laps = forms.IntegerField(
        min_value=0, max_value=500, initial=1, label="In after laps",
        help_text="Only for the stint under way.",
    )  # fmt: skip
    reason = forms.CharField(max_length=300)
    override = forms.BooleanField(required=False, label="Even if a rule or a pin breaks")

    def __init__(
        self, *args: Any, stints: list[tuple[int, str]] | None = None,
        drivers: list[tuple[int, str]] | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["stint"].choices = stints or []
        self.fields["driver_id"].choices = drivers or []


class ExtendForm(CommandForm):
    stint = forms.IntegerField(
        min_value=1, max_value=MOST, widget=forms.HiddenInput(attrs={"data-fill": "stint"})
    )
    laps = forms.IntegerField(
        min_value=-500, max_value=500, initial=1, label="Laps more", help_text="Minus: in earlier."
    )
    reason = forms.CharField(required=False, max_length=300)
    override = forms.BooleanField(required=False, label="Even if a rule or a pin breaks")


class PinForm(CommandForm):
    """Neither driver nor lap: the stint is free again."""

    stint = forms.TypedChoiceField(coerce=int, choices=[])
    driver = forms.BooleanField(required=False, label="The driver stays in")
    lap = forms.IntegerField(
        required=False, min_value=1, max_value=5_000, label="Stop after lap of the race",
        help_text="Empty, and the driver not ticked: the stint is free again.",
    )  # fmt: skip
    reason = forms.CharField(required=False, max_length=300)
    override = forms.BooleanField(required=False, label="Even if a rule or a pin breaks")

    def __init__(self, *args: Any, stints: list[tuple[int, str]] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["stint"].choices = stints or []


class BackupForm(CommandForm):
    stint = forms.TypedChoiceField(coerce=int, choices=[])
    driver_id = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label="Backup", choices=[]
    )

    def __init__(
        self, *args: Any, stints: list[tuple[int, str]] | None = None,
        drivers: list[tuple[int, str]] | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["stint"].choices = stints or []
        self.fields["driver_id"].choices = [("", "nobody"), *(drivers or [])]


class UndoForm(CommandForm):
    target = forms.UUIDField(required=False, widget=forms.HiddenInput)


class AcceptForm(CommandForm):
    proposal_id = forms.IntegerField(min_value=1, max_value=2**62)
    option = forms.IntegerField(min_value=0, max_value=20)
