"""Forms of the athlete's own data."""

from typing import Any

from django import forms

from coaching.models import AthleteNumbers, DailyMetric


class UploadForm(forms.Form):
    file = forms.FileField(
        help_text="Apple Health's “Export all health data” as it is, or FIT, GPX, TCX (also zipped). Up to 2 GB.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,.xml,.fit,.gpx,.tcx,.gz"}),
    )
    consent = forms.BooleanField(
        required=False,
        label="I agree that daily health values and activities from my files are stored here.",
        help_text="Only you see them. You can take this back and delete everything at any time.",
    )


class NumbersForm(forms.ModelForm):
    """Numbers, and the order of sources as one per line."""

    order = forms.CharField(
        required=False,
        label="Sources, best first",
        help_text="One per line, as your files name them. One source counts per day, never two added.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    class Meta:
        model = AthleteNumbers
        fields = ["threshold_w", "resting_bpm", "threshold_bpm", "max_bpm"]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        order = list(self.instance.source_order)
        if self.instance.owner_id:
            known = DailyMetric.objects.filter(owner_id=self.instance.owner_id)
            names = known.order_by("source").values_list("source", flat=True).distinct()
            order += [name for name in names if name not in order]
        self.fields["order"].initial = "\n".join(order)

    def clean_order(self) -> list[str]:
        lines = [line.strip()[:120] for line in self.cleaned_data["order"].splitlines()]
        return list(dict.fromkeys(line for line in lines if line))[:50]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "order" in values:
            values["source_order"] = values.pop("order")
        return values
