"""What people send about bump-ups: a verdict, a move added by hand, filters."""

from django import forms

from ingestion.models import BumpUp, Driver, Event, Race

VERDICTS = (
    (BumpUp.Status.CONFIRMED, "Confirm"),
    (BumpUp.Status.REJECTED, "Reject"),
    (BumpUp.Status.DETECTED, "Hand back to detection"),
)


class DecisionForm(forms.Form):
    """A verdict on one move."""

    status = forms.ChoiceField(choices=VERDICTS)
    note = forms.CharField(required=False, max_length=500)


class ByHandForm(forms.Form):
    """A move the results do not show."""

    source_race_id = forms.ModelChoiceField(
        Race.objects.none(), label="From", empty_label="Lower main"
    )
    target_race_id = forms.ModelChoiceField(
        Race.objects.none(), label="Into", empty_label="Higher main"
    )
    driver_id = forms.ModelChoiceField(Driver.objects.none(), label="Driver", empty_label="Driver")
    note = forms.CharField(label="Why", required=False, max_length=500)

    def __init__(self, event: Event, mains: list[int], *args, **kwargs):
        super().__init__(*args, **kwargs)
        races = Race.objects.filter(event=event, pk__in=mains).order_by("run_order", "pk")
        drivers = Driver.objects.filter(results__race__in=mains).distinct().order_by("name", "pk")
        self.fields["source_race_id"].queryset = races
        self.fields["target_race_id"].queryset = races
        self.fields["driver_id"].queryset = drivers
        # both are chosen from the same races: read once
        choices = [(race.pk, str(race)) for race in races]
        for name in ("source_race_id", "target_race_id"):
            field = self.fields[name]
            field.choices = [("", field.empty_label), *choices]

    @property
    def ids(self) -> dict[str, int]:
        names = ("source_race_id", "target_race_id", "driver_id")
        return {name: self.cleaned_data[name].pk for name in names}


class StatisticsForm(forms.Form):
    """Which history to count. Every field may stay empty."""

    track = forms.ChoiceField(required=False, label="Track")
    class_name = forms.ChoiceField(required=False, label="Class")
    season = forms.TypedChoiceField(required=False, label="Season", coerce=int, empty_value=None)

    def __init__(self, *args, tracks, classes, seasons, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["track"].choices = [("", "All tracks"), *tracks]
        self.fields["class_name"].choices = [("", "All classes"), *((c, c) for c in classes)]
        self.fields["season"].choices = [("", "All seasons"), *((s, s) for s in seasons)]
