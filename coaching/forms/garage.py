"""Forms of the garage. They check what a field can know alone; the services check the rest."""

from typing import Any

from django import forms
from django.utils.timezone import localdate

from coaching.domain.laps import FLAGS, TypedLap, read_lap_ms, read_paste
from coaching.domain.scenario import PARAMETERS
from coaching.models import Heat, RacerProfile, Session, Vehicle
from coaching.queries import garage as queries
from coaching.queries import timing
from racecontrol.shared.errors import InvalidInput, RaceError

CONFIDENCE = [
    ("", "not rated"),
    (5, "5 – trust it fully"),
    (4, "4"),
    (3, "3 – fair"),
    (2, "2"),
    (1, "1 – no trust"),
]
FLAG_CHOICES = [("", "counts"), *((flag, flag) for flag in FLAGS)]


class SetupFields(forms.ModelForm):
    """Adds one text field for each setup value; `setup_values()` gives them as the service takes them."""

    setup_field = "setup"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        there = getattr(self.instance, self.setup_field, None) or {}
        for code, name in PARAMETERS.items():
            self.fields[f"setup_{code}"] = forms.CharField(
                label=name, required=False, max_length=80, initial=there.get(code, "")
            )

    @property
    def setup_fields(self) -> list[forms.BoundField]:
        return [self[f"setup_{code}"] for code in PARAMETERS]

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if not field.name.startswith("setup_")]

    def values(self) -> dict[str, Any]:
        told = {
            name: value
            for name, value in self.cleaned_data.items()
            if not name.startswith("setup_")
        }
        codes = {code: self.cleaned_data.get(f"setup_{code}", "") for code in PARAMETERS}
        return told | {self.setup_field: {code: text for code, text in codes.items() if text}}

    def add_refusal(self, refusal: InvalidInput) -> None:
        """Put a service's refusal where the person can mend it."""
        for name, faults in refusal.fields.items():
            field = name.replace(f"{self.setup_field}.", "setup_")
            for fault in faults:
                self.add_error(field if field in self.fields else None, fault)
        if not refusal.fields:
            self.add_error(None, str(refusal))

    def _post_clean(self) -> None:
        """The service builds the row, so the form does not touch it."""


class ClaimForm(forms.Form):
    """Which racer is the timed driver; the transponder may be told with it."""

    profile = forms.ModelChoiceField(
        RacerProfile.objects.none(), label="Racer", required=False, empty_label=None
    )
    transponder = forms.CharField(
        max_length=20,
        required=False,
        help_text="One that only this driver was seen with settles it at once; it is kept with your racer.",
    )

    def __init__(self, *args, user: Any, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["profile"].queryset = queries.profiles_of(user)
        racers = self.fields["profile"].queryset  # the one its options come from: read once
        if len(racers) < 2:
            del self.fields["profile"]
        if len(racers) == 1 and racers[0].transponder:
            del self.fields["transponder"]

    def add_refusal(self, refusal: RaceError) -> None:
        for name, faults in refusal.fields.items():
            for fault in faults:
                self.add_error(name if name in self.fields else None, fault)
        if not refusal.fields:
            self.add_error(None, str(refusal))


class ProfileForm(forms.ModelForm):
    class Meta:
        model = RacerProfile
        fields = ["name", "transponder", "experience_level", "driving_style", "sponsors"]
        help_texts = {
            "transponder": "As the timing page writes it; it ties your laps to you.",
            "driving_style": "Smooth, late braker, …",
        }

    def values(self) -> dict[str, Any]:
        return self.cleaned_data

    add_refusal = SetupFields.add_refusal
    setup_field = "setup"

    def _post_clean(self) -> None:
        """The service builds the row."""


class VehicleForm(SetupFields):
    setup_field = "baseline_setup"

    class Meta:
        model = Vehicle
        fields = ["brand", "model", "nickname", "class_name", "transponder"]


class SessionForm(SetupFields):
    profile = forms.ModelChoiceField(RacerProfile.objects.none(), label="Racer")

    class Meta:
        model = Session
        fields = [
            "profile",
            "vehicle",
            "name",
            "session_type",
            "start_date",
            "end_date",
            "track_name",
            "track_size",
            "traction",
            "surface_type",
            "surface_condition",
            "practice_rounds",
            "qualifying_rounds",
        ]
        widgets = {
            "start_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "end_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "track_name": forms.TextInput(attrs={"list": "track-names"}),
            "practice_rounds": forms.NumberInput(attrs={"min": 0, "max": 10}),
            "qualifying_rounds": forms.NumberInput(attrs={"min": 0, "max": 6}),
        }
        help_texts = {
            "track_name": "The name in Timing ties the session to that track; any other is fine too.",
            "end_date": "Empty for a single day; at most seven days.",
            "practice_rounds": "3 or more open scenario A: bolder changes are advised.",
        }

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["profile"].queryset = queries.profiles_of(user)
        profiles = self.fields["profile"].queryset  # the one its options come from: read once
        self.fields["vehicle"].queryset = queries.vehicles_of(user)
        self.track_names = timing.track_names(user)
        if self.instance.pk or not profiles:
            del self.fields["profile"]  # without a racer the service makes one of the person's name
        else:
            self.initial.setdefault("profile", profiles[0])
        if not self.instance.pk:
            self.initial.setdefault("start_date", localdate())


class LapForm(forms.Form):
    """One lap: a field and Enter."""

    lap_time = forms.CharField(
        label="Lap time",
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "inputmode": "decimal",
                "autocomplete": "off",
                "autofocus": True,
                "placeholder": "58.123 or 1:02.345",
            }
        ),
    )
    confidence = forms.TypedChoiceField(
        label="Confidence in the car",
        choices=CONFIDENCE,
        coerce=int,
        empty_value=None,
        required=False,
    )
    flag = forms.ChoiceField(choices=FLAG_CHOICES, required=False)

    def clean_lap_time(self) -> str:
        text = self.cleaned_data["lap_time"]
        try:
            read_lap_ms(text)
        except InvalidInput as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return text


class PasteForm(forms.Form):
    """A column of times."""

    times = forms.CharField(
        label="Lap times",
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "58.123\n1:02.345\n57.9 out"}),
        help_text="One a line or in a row. A lap number in front and a flag behind are fine.",
    )
    confidence = LapForm.base_fields["confidence"]

    def clean_times(self) -> list[TypedLap]:
        try:
            laps = read_paste(self.cleaned_data["times"])
        except InvalidInput as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        if not laps:
            raise forms.ValidationError("There is no time in it.")
        return laps


class HeatForm(forms.Form):
    """Open another heat, or say what kind of run one was."""

    name = forms.CharField(label="Heat", max_length=100)
    kind = forms.ChoiceField(choices=[("", "by its name"), *Heat.Kind.choices], required=False)


class FileForm(forms.Form):
    """A CSV of laps."""

    MOST_BYTES = 20_000_000

    file = forms.FileField(
        label="CSV file",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="Columns heat_name, lap_number, lap_time; if you like confidence_rating, flag, kind.",
    )
    skip_bad = forms.BooleanField(
        label="Leave out rows that cannot be used",
        required=False,
        help_text="Without this one bad row stops the whole file.",
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > self.MOST_BYTES:
            raise forms.ValidationError("At most 20 MB; cut the file in two.")
        return file


class ChangeForm(forms.Form):
    parameter = forms.ChoiceField(label="What", choices=list(PARAMETERS.items()))
    old_value = forms.CharField(label="From", max_length=80, required=False)
    new_value = forms.CharField(label="To", max_length=80)
    reason = forms.CharField(label="Why", max_length=2000, required=False)
