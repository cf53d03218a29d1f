"""Who asks, how they are signed in, and which features are on for them."""

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from waffle.models import Flag

from racecontrol.shared import flags, tokens


def make_person(name: str, **values: Any) -> Any:
    return get_user_model().objects.create_user(
        username=name, email=f"{name}@example.org", password="pass-word-1", **values
    )


def signed_in(person: Any, **options: Any) -> Client:
    """A browser of that person; `options` go to Django's test client."""
    client = Client(**options)
    client.force_login(person)
    return client


def bearer(person: Any, scope: str = "write") -> dict[str, str]:
    """The header of a program that acts for that person."""
    _, secret = tokens.make(by=person, name="program", scope=scope)
    return {"Authorization": f"Bearer {secret}"}


def program(person: Any, scope: str = "write") -> Client:
    """A program that acts for that person, with a token and no session."""
    return Client(headers=bearer(person, scope))


def switch_on(*names: str) -> None:
    """These features for everybody; without names, all there are."""
    for name in names or flags.ALL:
        Flag.objects.update_or_create(name=name, defaults={"everyone": True})
