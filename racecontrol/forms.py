"""Forms of the house's own pages."""

import zoneinfo

from allauth.account.forms import SignupForm
from django import forms

from racecontrol.models import ApiToken, User


class NewAccountForm(SignupForm):
    """Signing up; the zone is the device's, told by app.js, and UTC where nobody told."""

    time_zone = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput(attrs={"data-device-zone": ""})
    )

    def custom_signup(self, request, user):
        name = self.cleaned_data.get("time_zone")
        if name in zoneinfo.available_timezones():
            user.time_zone = name
            user.save(update_fields=["time_zone"])


class AccountForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["display_name", "time_zone"]
        help_texts = {"time_zone": "Clocks of your stints and missions are shown in this zone."}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        zones = [(name, name) for name in sorted(zoneinfo.available_timezones())]
        self.fields["time_zone"] = forms.ChoiceField(
            choices=zones, help_text=self.fields["time_zone"].help_text
        )


class TokenForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="Which program will use it?")
    scope = forms.ChoiceField(choices=ApiToken.Scope.choices)
    expires_at = forms.DateTimeField(
        required=False,
        label="Ends (UTC)",
        help_text="Leave empty for a token without an end.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )


class LeaveForm(forms.Form):
    """Deleting the account asks for the password, or for a mailed code where the account has none:
    a page left open must not be enough."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label="Code from the mail",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )
    is_sure = forms.BooleanField(label="I know that nothing of it can be brought back.")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("code" if user.has_usable_password() else "password")
