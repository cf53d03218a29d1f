"""What people type in strategy. Forms read; services decide."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms

from racecontrol.shared.errors import RaceError
from racecontrol.shared.listing import WordsFilter
from strategy.domain.regulations import PRESETS
from strategy.forms.fields import SecondsField
from strategy.models import Car, RaceStrategy, Role
from strategy.services.problems import Wishes
from strategy.services.teams import CAR_NUMBERS

LAP_S = (5, 1800)


def take_refusal(form: forms.Form, refusal: RaceError) -> None:
    """Put a refusal beside the fields it names, and on top of the form otherwise."""
    named = {name: texts for name, texts in refusal.fields.items() if name in form.fields}
    for name, texts in named.items():
        for text in texts:
            form.add_error(name, text)
    if not named:
        form.add_error(None, str(refusal))


class StrategyFilter(WordsFilter):
    """The filter of strategies and events; without a state the archived ones are left out."""

    status = forms.ChoiceField(
        label="State", required=False, choices=[("", "not archived"), *RaceStrategy.Status.choices]
    )


class TeamForm(forms.Form):
    name = forms.CharField(max_length=80)
    club = forms.CharField(
        max_length=80, required=False, help_text="Only if teams belong together."
    )


class InviteForm(forms.Form):
    email = forms.EmailField(required=False, help_text="Empty: a link for whoever holds it.")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.DRIVER)


class WebhookForm(forms.Form):
    url = forms.URLField(label="Webhook address", assume_scheme="https", max_length=400)


class CarForm(forms.ModelForm):
    class Meta:
        model = Car
        fields = ("name", *CAR_NUMBERS)


class EventForm(forms.Form):
    team = forms.ChoiceField(label="Host team")
    name = forms.CharField(max_length=120)
    track = forms.CharField(max_length=120, required=False)
    hours = forms.FloatField(min_value=0.25, max_value=96, initial=6)
    lap_ms = SecondsField(*LAP_S, label="Typical lap, seconds", initial=120)
    time_zone = forms.ChoiceField()
    starts = forms.CharField(
        label="Starts", widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, as 2026-06-13 16:00, in the event's time zone.",
    )  # fmt: skip
    preset = forms.ChoiceField(choices=[(key, key) for key in PRESETS], label="Rules to start from")

    def __init__(self, *args: Any, teams: list, zone: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [(t.pk, str(t)) for t in teams]
        zones = sorted(available_timezones())
        self.fields["time_zone"].choices = [(z, z) for z in zones]
        self.fields["time_zone"].initial = zone

    def clean(self) -> dict:
        data = super().clean() or {}
        zone, moments = data.get("time_zone"), []
        for line in (data.get("starts") or "").splitlines():
            if not line.strip() or not zone:
                continue
            try:
                local = datetime.fromisoformat(line.strip()).replace(tzinfo=ZoneInfo(zone))
            except ValueError:
                self.add_error(
                    "starts", f"{line.strip()[:40]} is not a moment like 2026-06-13 16:00."
                )
                continue
            moments.append(local.astimezone(UTC))
        data["starts_at"] = moments
        return data


class SignupForm(forms.Form):
    lap_ms = SecondsField(*LAP_S, label="Dry lap, seconds", required=False)
    wet_lap_ms = SecondsField(*LAP_S, label="Wet lap, seconds", required=False)
    skill = forms.IntegerField(
        required=False,
        min_value=-100_000,
        max_value=100_000,
        help_text="Any rating; higher is faster.",
    )
    timing_driver = forms.CharField(
        required=False, max_length=80, label="Name in timing",
        help_text="Your imported laps at this track then tell your pace.",
    )  # fmt: skip
    category = forms.CharField(
        required=False, max_length=20, help_text="As the rules name it, for example Bronze."
    )
    preferred_car = forms.ChoiceField(required=False)
    may_spot = forms.BooleanField(required=False, label="I can spot")
    may_strategize = forms.BooleanField(required=False, label="I can run the strategy")
    no_night = forms.BooleanField(required=False, label="Not in the dark")
    no_wet = forms.BooleanField(required=False, label="Not in the rain")
    notes = forms.CharField(
        required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, cars: list, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["preferred_car"].choices = [("", "any"), *((c.pk, str(c)) for c in cars)]


class StrategyForm(forms.Form):
    name = forms.CharField(max_length=80, initial="Plan A")
    team = forms.ChoiceField()
    instance = forms.ChoiceField(label="Start")
    car = forms.ChoiceField()
    drivers = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)

    stint_laps = forms.IntegerField(
        required=False, min_value=1, max_value=2000, label="Longest stint, laps"
    )
    stint_fuel_l = forms.FloatField(
        required=False, min_value=0.001, max_value=2000, label="Fuel a stint at most, litres"
    )
    rest_min = forms.IntegerField(
        required=False, min_value=0, max_value=1440, label="Rest at least, minutes"
    )
    pit_lane_s = forms.FloatField(
        required=False, min_value=0, max_value=3600, label="Through the pit lane, seconds"
    )
    tyres = forms.ChoiceField(
        required=False, choices=[("", "as the rules say"), ("every_stop", "new at every stop")]
    )

    def wishes(self) -> Wishes:
        """The team's own numbers; empty fields leave rules and car as they are."""
        data = self.cleaned_data
        fuel, rest = data["stint_fuel_l"], data["rest_min"]
        return Wishes(
            stint_laps=data["stint_laps"], rest_s=None if rest is None else rest * 60,
            pit_lane_s=data["pit_lane_s"], tyres=data["tyres"],
            stint_fuel_ml=None if fuel is None else round(fuel * 1000),
        )  # fmt: skip

    def __init__(
        self, *args: Any, teams: list, instances: list, cars: list, people: list, zone: str,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [(t.pk, str(t)) for t in teams]
        self.fields["instance"].choices = [
            (
                i.pk,
                f"{i.name} {i.starts_at.astimezone(ZoneInfo(zone)):%a %d %b %Y, %H:%M %Z}".strip(),
            )
            for i in instances
        ]
        self.fields["car"].choices = [(c.pk, str(c)) for c in cars]
        self.fields["drivers"].choices = people


class WhatIfForm(forms.Form):
    pace_percent = forms.FloatField(min_value=50, max_value=200, initial=100, label="Lap times, %")
    burn_percent = forms.FloatField(min_value=50, max_value=200, initial=100, label="Burn, %")
    pit_loss_s = forms.FloatField(min_value=-600, max_value=600, initial=0, label="Longer stops, s")
    wet_from = forms.IntegerField(min_value=1, required=False, label="Rain from lap")
    wet_to = forms.IntegerField(min_value=1, required=False, label="Rain to lap")
    races = forms.IntegerField(min_value=10, max_value=5000, initial=1000)
