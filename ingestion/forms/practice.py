"""What people type into practice pages."""

import re

from django import forms

from ingestion.domain.labels import person_key
from ingestion.forms.timing import EventSearchForm
from ingestion.queries.drivers import drivers
from ingestion.queries.practice_board import STATES

_NUMBER = re.compile(r"(?:^|#)\s*(\d{1,17})$")


class PracticeSearchForm(EventSearchForm):
    """Track, days and words. LiveRC itself is asked only for a track and at most three months."""

    archived = forms.BooleanField(label="Archived days, too", required=False)


class DayFilterForm(forms.Form):
    """Which sessions of a day are listed; what does not fit is ignored."""

    class_key = forms.CharField(required=False, max_length=200)
    driver = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    state = forms.ChoiceField(required=False, choices=[("", "all"), *((s, s) for s in STATES)])


class DriverForm(forms.Form):
    """Who drove a session: a driver of ours by name or number, or (left empty) nobody known."""

    driver = forms.CharField(required=False, max_length=220, strip=True)
    whole_day = forms.BooleanField(required=False)

    def clean_driver(self) -> int | None:
        """The driver's number; 'Ana Rossi', 'Ana Rossi #41' and '41' are all ways to write it."""
        words = self.cleaned_data["driver"]
        if not words:
            return None
        if (told := _NUMBER.search(words)) and (words.isdecimal() or "#" in words):
            return int(told[1])
        found = list(drivers().filter(name_key=person_key(words))[:2])
        if len(found) != 1:
            raise forms.ValidationError(
                f"Several are called {words}: add the number, as in {words} #{found[0].pk}."
                if found
                else f"Nobody here is called {words}."
            )
        return found[0].pk
