"""How somebody begins: a journey for each kind of user, offered by the apps through
`settings.FIRST_STEPS` and ticked off as it is gone."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and where it is done. `note` says what it waits for."""

    text: str
    url: str
    is_done: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Journey:
    """The steps of one kind of user, in order."""

    key: str
    title: str
    icon: str
    says: str
    steps: tuple[Step, ...]

    @property
    def is_begun(self) -> bool:
        return any(step.is_done for step in self.steps)

    @property
    def is_done(self) -> bool:
        return all(step.is_done for step in self.steps)

    @property
    def next(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.is_done), None)


def journeys_of(request: HttpRequest) -> list[Journey]:
    """Every journey that is not gone to its end, as this person stands in it."""
    every = [import_string(name)(request) for name in settings.FIRST_STEPS]
    return [journey for journey in every if not journey.is_done]
