"""What every kind of chart gives to a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

from racecontrol.shared.charts.drawing import NARROW, WIDE, Drawing, Place


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing and its twin in figures. `svg` is safe to put into a page as it stands."""

    kind: str
    title: str
    svg: SafeString
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    # Signs used in the drawing and what they mean: [("◆", "best lap")].
    legend: Sequence[tuple[str, str]] = ()
    slug: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.rows

    @property
    def body(self) -> SafeString:
        """The rows as table rows, a row header first: a template would take longer than the drawing."""
        return mark_safe(
            "\n".join(
                f'<tr><th scope="row">{escape(str(first))}</th>'
                + "".join([f'<td class="num">{escape(str(cell))}</td>' for cell in cells])
                + "</tr>"
                for first, *cells in self.rows
            )
        )

    @property
    def table(self) -> dict[str, Sequence]:
        return {"header": self.header, "rows": self.rows}


def chart_of(
    draw: Callable[[Place], Drawing],
    *,
    kind: str,
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    legend: Sequence[tuple[str, str]] = (),
    slug: str = "",
) -> Chart:
    """The chart, drawn for both places."""
    if not rows:
        return empty_chart(kind=kind, title=title, header=header, slug=slug)
    svg = "".join(draw(place).markup() for place in (WIDE, NARROW))
    return Chart(
        kind=kind,
        title=title,
        svg=mark_safe(svg),  # built by ElementTree, which escapes every text and attribute
        header=header,
        rows=rows,
        legend=legend,
        slug=slug or slugify(title) or kind,
    )


def empty_chart(*, kind: str, title: str, header: Sequence[str], slug: str = "") -> Chart:
    """Nothing to draw yet; the page says so."""
    return Chart(kind, title, mark_safe(""), header, rows=[], slug=slug or slugify(title) or kind)
