"""Forms of connections."""

from django import forms


class KeyForm(forms.Form):
    """The person's own key of intervals.icu; written, never shown again."""

    api_key = forms.CharField(
        label="API key",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="On intervals.icu: Settings → Developer settings → API key.",
    )
