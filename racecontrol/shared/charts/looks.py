"""The look of whoever is drawn: one table for all who race together, so that a person keeps theirs.

A look is a number; colour and dash follow from it in every kind of chart, and `{% pen look name %}` draws
both before the name in tables. Rooms make their table with `looks_of` from the people of a whole
event: of a class on the track, of a team in the endurance race.
"""

from collections.abc import Hashable, Iterable
from typing import TypeVar

COLOURS = 10  # classes c0 … c9 of charts.css
DASHES = ("", "7 3", "2 3", "9 3 2 3")
Person = TypeVar("Person", bound=Hashable)


def looks_of(people: Iterable[Person]) -> dict[Person, int]:
    """Everybody's look, by the place where they are named first."""
    return {person: place for place, person in enumerate(dict.fromkeys(people))}


def look_of(index: int) -> tuple[str, str]:
    """Colour class and dash pattern of a look; forty neighbours differ in the pair."""
    turn = index // (COLOURS * 2)  # ten colours and four dashes alone would repeat after twenty
    return colour_of(index), DASHES[(index + turn) % len(DASHES)]


def colour_of(index: int) -> str:
    """The class that gives a shape the colour of this look."""
    return f"c{index % COLOURS}"
