"""What people type into timing pages."""

from django import forms

from ingestion.models.events import SessionType


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


class TimezoneForm(forms.Form):
    timezone = forms.CharField(
        label="Time zone", max_length=64, help_text="Such as Australia/Sydney."
    )


class SessionTypeForm(forms.Form):
    session_type = forms.ChoiceField(
        label="Session type", required=False, choices=[("", "as inferred"), *SessionType.choices]
    )
