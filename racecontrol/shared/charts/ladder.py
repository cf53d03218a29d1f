"""The ladder of mains: who finished where in each, and who bumped up into the next."""

from collections.abc import Sequence
from dataclasses import dataclass

from racecontrol.shared.charts.chart import Chart, chart_of
from racecontrol.shared.charts.drawing import NARROW, WIDE, Drawing, Place, number
from racecontrol.shared.charts.labels import fit, text_width

RUNG_HEIGHT, RUNG_GAP, TITLE_HEIGHT = 24, 4, 26
GUTTER = 44  # between the columns, where the climbs run
TIER_GAP = 16


@dataclass(frozen=True, slots=True)
class Rung:
    """One car in one main. `key` is the same in every main it ran; `place` as written, '' for none."""

    key: str
    label: str
    place: str = ""
    note: str = ""
    has_moved_up: bool = False
    is_mine: bool = False


@dataclass(frozen=True, slots=True)
class Tier:
    """One main with its rungs in finishing order."""

    name: str
    rungs: Sequence[Rung]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a rung stands: its left and right edge and its middle."""

    left: float
    right: float
    y: float


def ladder(tiers: Sequence[Tier], *, title: str, description: str = "", slug: str = "") -> Chart:
    """`tiers` from the lowest main to the A. Wide: columns, climbing to the right; narrow: A on top."""
    tiers = [tier for tier in tiers if tier.rungs]
    climbs = sum(rung.has_moved_up for tier in tiers for rung in tier.rungs)
    told = description or f"{len(tiers)} mains, {climbs} bumped up"
    table = [
        [
            tier.name,
            rung.place or "–",
            rung.label,
            " · ".join(filter(None, (rung.note, "bumped up" if rung.has_moved_up else ""))),
        ]
        for tier in reversed(tiers)
        for rung in tier.rungs
    ]
    draw = {WIDE.name: _draw_columns, NARROW.name: _draw_stack}
    return chart_of(
        lambda place: draw[place.name](place, tiers, title, told),
        kind="ladder",
        title=title,
        header=["Main", "Place", "Driver", "Note"],
        rows=table,
        slug=slug,
    )


def _draw_columns(place: Place, tiers: Sequence[Tier], title: str, told: str) -> Drawing:
    most = max(len(tier.rungs) for tier in tiers)
    # Many mains need a wider picture; the page then shows it smaller, or scrolls.
    width = max((place.width - GUTTER * (len(tiers) - 1)) / len(tiers), 130)
    whole = round(width * len(tiers) + GUTTER * (len(tiers) - 1))
    height = TITLE_HEIGHT + most * (RUNG_HEIGHT + RUNG_GAP) + 8
    place = Place(place.name, max(whole, place.width), place.height, place.font, place.label_width)
    drawing = Drawing(place, title=title, description=told, height=height)
    spots: list[dict[str, Spot]] = []
    for column, tier in enumerate(tiers):
        left = 1 + column * (width + GUTTER)
        spots.append(_draw_tier(drawing, tier, left, left + width - 2, 2))
    for start, end in _climbs(tiers, spots):
        bend = (start.right + end.left) / 2
        line = (
            f"M{number(start.right)} {number(start.y)}C{number(bend)} {number(start.y)} "
            f"{number(bend)} {number(end.y)} {number(end.left)} {number(end.y)}"
        )
        drawing.add("path", d=line, class_="climb")
    return drawing


def _draw_stack(place: Place, tiers: Sequence[Tier], title: str, told: str) -> Drawing:
    step = RUNG_HEIGHT + RUNG_GAP
    height = sum(TITLE_HEIGHT + len(tier.rungs) * step + TIER_GAP for tier in tiers)
    drawing = Drawing(place, title=title, description=told, height=height)
    right = place.width - GUTTER
    spots: list[dict[str, Spot]] = [{} for _ in tiers]
    top = 2.0
    for i in reversed(range(len(tiers))):
        spots[i] = _draw_tier(drawing, tiers[i], 1, right, top)
        top += TITLE_HEIGHT + len(tiers[i].rungs) * step + TIER_GAP
    for n, (start, end) in enumerate(_climbs(tiers, spots)):
        bend = right + 10 + (n * 7) % (GUTTER - 14)  # side by side where several climb
        line = (
            f"M{number(start.right)} {number(start.y)}C{number(bend)} {number(start.y)} "
            f"{number(bend)} {number(end.y)} {number(end.right)} {number(end.y)}"
        )
        drawing.add("path", d=line, class_="climb")
    return drawing


def _draw_tier(
    drawing: Drawing, tier: Tier, left: float, right: float, top: float
) -> dict[str, Spot]:
    font = drawing.place.font
    title = fit(tier.name, right - left, font)
    drawing.add("text", x=left, y=top + TITLE_HEIGHT / 2 - 2, class_="tier-title", text=title)
    place_width = max(16.0, *(text_width(rung.place, font) for rung in tier.rungs)) + 8
    spots = {}
    for n, rung in enumerate(tier.rungs):
        y = top + TITLE_HEIGHT + n * (RUNG_HEIGHT + RUNG_GAP)
        classes = "rung" + " moved-up" * rung.has_moved_up + " mine" * rung.is_mine
        group = drawing.add("g", class_=classes)
        moved = "bumped up" if rung.has_moved_up else ""
        told = ", ".join(filter(None, (f"{rung.place} {rung.label}".strip(), rung.note, moved)))
        drawing.titled(group, f"{tier.name}: {told}")
        drawing.add("rect", group, x=left, y=y, width=right - left, height=RUNG_HEIGHT, rx=5)
        middle = y + RUNG_HEIGHT / 2
        drawing.add(
            "text", group, x=left + place_width, y=middle, class_="at-end num", text=rung.place
        )
        room = right - left - place_width - 14 - (14 if rung.has_moved_up else 0)
        drawing.add(
            "text", group, x=left + place_width + 7, y=middle, text=fit(rung.label, room, font)
        )
        if rung.has_moved_up:
            drawing.add("text", group, x=right - 7, y=middle, class_="at-end", text="▲")
        spots[rung.key] = Spot(left, right, middle)
    return spots


def _climbs(tiers: Sequence[Tier], spots: Sequence[dict[str, Spot]]) -> list[tuple[Spot, Spot]]:
    """Each rung that moved up and the rung of the same car in the next main it ran."""
    found = []
    for i, tier in enumerate(tiers):
        for rung in tier.rungs:
            if rung.has_moved_up:
                above = next((s[rung.key] for s in spots[i + 1 :] if rung.key in s), None)
                if above is not None:
                    found.append((spots[i][rung.key], above))
    return found
