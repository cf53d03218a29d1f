"""Fields that read what people type in the units services work in."""

from typing import Any

from django import forms


class SecondsField(forms.FloatField):
    """Typed in seconds, from `least` to `most`; read as whole ms."""

    def __init__(self, least: float, most: float, *, step: float = 0.001, **kwargs: Any):
        super().__init__(min_value=least, max_value=most, **kwargs)
        self.widget.attrs["step"] = str(step)

    def clean(self, value: Any) -> int | None:
        seconds = super().clean(value)
        return None if seconds is None else round(seconds * 1000)
