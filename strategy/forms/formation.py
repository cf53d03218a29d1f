"""What people type in the formation wizard."""

from collections.abc import Sequence
from typing import Any

from django import forms

from strategy.models import EventParticipation

KINDS = [("together", "with"), ("apart", "not with")]


class FormationForm(forms.Form):
    smallest = forms.IntegerField(min_value=1, max_value=16, initial=2, label="Smallest team")
    largest = forms.IntegerField(min_value=1, max_value=16, initial=4, label="Largest team")
    cover_one = forms.FloatField(min_value=0, max_value=100, initial=35, label="Somebody free")
    cover_two = forms.FloatField(min_value=0, max_value=100, initial=15, label="Two free")
    car = forms.FloatField(min_value=0, max_value=100, initial=20, label="Same car")
    roles = forms.FloatField(min_value=0, max_value=100, initial=10, label="Spotter, strategist")
    pair = forms.FloatField(min_value=0, max_value=100, initial=5, label="Hours in common")
    skill = forms.FloatField(min_value=0, max_value=100, initial=15, label="Even skill")

    def options(self) -> dict:
        data = self.cleaned_data
        weights = {n: data[n] for n in ("cover_one", "cover_two", "car", "roles", "pair", "skill")}
        return {"smallest": data["smallest"], "largest": data["largest"], "weights": weights}


class PairRow(forms.Form):
    one = forms.ChoiceField(required=False, label="Person")
    kind = forms.ChoiceField(choices=KINDS, required=False, label="drives")
    two = forms.ChoiceField(required=False, label="Person")

    def __init__(self, *args: Any, people: Sequence[EventParticipation], **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = [("", ""), *((row.pk, str(row.user)) for row in people)]
        self.fields["one"].choices = self.fields["two"].choices = choices

    def clean(self) -> dict:
        data = super().clean() or {}
        one, two = data.get("one"), data.get("two")
        if bool(one) != bool(two) or (one and one == two):
            raise forms.ValidationError("Two different people.")
        return data


class _PairRows(forms.BaseFormSet):
    def options(self) -> dict[str, list]:
        """Locked pairs and exclusions as the formation takes them."""
        found: dict[str, list] = {kind: [] for kind, _ in KINDS}
        for row in self.forms:
            data = row.cleaned_data
            if data.get("one"):
                found[data["kind"] or "together"].append([int(data["one"]), int(data["two"])])
        return found


def pair_rows(data: Any, *, people: Sequence[EventParticipation], initial: list) -> Any:
    """Rows of pairs, three more than there are."""
    kind = forms.formset_factory(
        PairRow, formset=_PairRows, extra=3, max_num=60, absolute_max=60, validate_max=True
    )
    known = {row.pk for row in people}
    kept = [pair for pair in initial if {pair["one"], pair["two"]} <= known]
    return kind(data, initial=kept, prefix="pairs", form_kwargs={"people": people})


class PairWeightsForm(forms.Form):
    hours = forms.FloatField(min_value=0, max_value=100, initial=50, label="Hours in common")
    car = forms.FloatField(min_value=0, max_value=100, initial=20, label="Same car")
    skill = forms.FloatField(min_value=0, max_value=100, initial=15, label="Like skill")
    roles = forms.FloatField(min_value=0, max_value=100, initial=15, label="Roles that add up")

    def weights(self) -> tuple[float, float, float, float]:
        data = self.cleaned_data
        return data["hours"], data["car"], data["skill"], data["roles"]
