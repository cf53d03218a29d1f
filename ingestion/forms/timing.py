"""What people type into timing pages."""

from typing import Any

from django import forms

from ingestion.models.events import SessionType
from racecontrol.shared.errors import RaceError


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **options):
        super().__init__(format="%Y-%m-%d", **options)


class EventSearchForm(forms.Form):
    """Track, days and words; nothing is required until LiveRC itself is asked."""

    track = forms.CharField(
        label="Track", required=False, max_length=200,
        widget=forms.TextInput(attrs={"list": "known-tracks", "autocomplete": "off"}),
    )  # fmt: skip
    first = forms.DateField(label="From", required=False, widget=DayInput())
    last = forms.DateField(label="To", required=False, widget=DayInput())
    q = forms.CharField(label="Words", required=False, max_length=100)

    def clean(self):
        values = super().clean()
        first, last = values.get("first"), values.get("last")
        if first and last and last < first:
            self.add_error("last", "The last day is before the first.")
        return values

    @property
    def told(self) -> dict[str, Any]:
        """What to search by; nothing while the form is empty or does not pass."""
        return self.cleaned_data if self.is_bound and self.is_valid() else {}

    def take_refusal(self, refusal: RaceError) -> None:
        """Show a refused search beside the fields it names, or on top of the form."""
        of_form = {"from": "first", "to": "last", "track": "track"}
        for name in refusal.fields or [""]:
            self.add_error(of_form.get(name), str(refusal))


class TimezoneForm(forms.Form):
    timezone = forms.CharField(
        label="Time zone", max_length=64, help_text="Such as Australia/Sydney."
    )


class SessionTypeForm(forms.Form):
    session_type = forms.ChoiceField(
        label="Session type", required=False, choices=[("", "as inferred"), *SessionType.choices]
    )
