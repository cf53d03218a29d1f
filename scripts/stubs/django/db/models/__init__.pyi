# Django comes without types. To mypy its choices would be tuples; everything else here may be Any.
import enum
from typing import Any, ClassVar

class _Choices:
    values: ClassVar[list[Any]]
    labels: ClassVar[list[str]]
    choices: ClassVar[list[tuple[Any, str]]]
    @property
    def label(self) -> str: ...

class TextChoices(_Choices, str, enum.Enum): ...  # type: ignore[misc]
class IntegerChoices(_Choices, int, enum.Enum): ...  # type: ignore[misc]

def __getattr__(name: str) -> Any: ...
