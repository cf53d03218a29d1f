"""How the numbers and moments of a race are written on a page. Loaded in every template."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.forms import BoundField
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from racecontrol.shared.cards import Card
from racecontrol.shared.charts.looks import look_of
from racecontrol.shared.names import format_name
from racecontrol.shared.units import format_gap, format_ms

register = template.Library()
register.filter("clock", format_ms)
register.filter("gap", format_gap)
register.filter("person", format_name)

MINUTE, HOUR, DAY = 60, 3600, 86_400
# state of a job, session, plan, mission … -> tone of its badge; what is not here is told in words alone
TONES = {
    **dict.fromkeys(
        ("done", "succeeded", "success", "good", "active", "accepted", "confirmed", "manual",
         "imported", "training", "event_active"),
        "good",
    ),
    **dict.fromkeys(("running", "prep", "entered", "team_assigned"), "info"),
    **dict.fromkeys(("paused", "partial", "retry", "review"), "warn"),
    **dict.fromkeys(("failed", "dead", "bad", "failure"), "bad"),
}  # fmt: skip


@register.filter
def race_time(ms: int | None) -> str:
    """Whole seconds of a long stretch: 302145 -> '5:02', 7201000 -> '2:00:01', None -> '–'."""
    if ms is None:
        return "–"
    sign, seconds = ("−", -ms // 1000) if ms < 0 else ("", ms // 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{seconds:02}" if hours else f"{sign}{minutes}:{seconds:02}"


@register.filter
def signed_time(ms: int | None) -> str:
    """A stretch with its sign, whole seconds: 302145 -> '+5:02', -4000 -> '−0:04', None -> '–'."""
    return f"+{race_time(ms)}" if ms is not None and ms >= 0 else race_time(ms)


@register.filter
def signed_seconds(ms: float | None) -> str:
    """Seconds with their sign: 1234 -> '+1.234', -90 -> '−0.090', None -> '–'."""
    if ms is None:
        return "–"
    return f"{'−' if ms < 0 else '+'}{abs(ms) / 1000:.3f}"


@register.filter
def litres(ml: int | None) -> str:
    """1250 -> '1.25 L', 90 -> '90 ml': below a tenth of a litre people think in millilitres."""
    if ml is None:
        return "–"
    return f"{ml} ml" if abs(ml) < 100 else f"{ml / 1000:.2f} L"


def _clock_of(moment: dt.datetime, zone: str) -> dt.datetime:
    """The moment on the clock of `zone`; an unknown zone reads as UTC."""
    try:
        return moment.astimezone(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(dt.UTC)


def _time(there: dt.datetime, words: str) -> SafeString:
    """A moment for people and programs; pointed at, it says day, hour and zone."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', there.isoformat(), _whole(there), words
    )


def _whole(there: dt.datetime) -> str:
    return f"{formats.date_format(there, 'D j M Y, H:i')} {there.tzname()}"


@register.filter
def ago(moment: dt.datetime | None) -> str:
    """How long ago, or how soon: 'just now', '4 min ago', 'in 2 h', '3 days ago', 'never'."""
    if moment is None:
        return "never"
    seconds = (timezone.now() - moment).total_seconds()
    size = abs(seconds)
    if size < 45:
        return _time(moment.astimezone(dt.UTC), "just now")
    if size < 55 * MINUTE:
        words = f"{max(round(size / MINUTE), 1)} min"
    elif size < DAY:
        words = f"{round(size / HOUR)} h"
    else:
        days = round(size / DAY)
        words = "1 day" if days == 1 else f"{days} days"
    return _time(moment.astimezone(dt.UTC), f"{words} ago" if seconds > 0 else f"in {words}")


@register.filter
def localtime_in(moment: dt.datetime | None, zone: str) -> str:
    """Day and time on the clock of `zone`, with the zone's short name: 'Wed 1 Jul 2026, 14:00 CEST'."""
    if moment is None:
        return "–"
    there = _clock_of(moment, zone)
    return _time(there, _whole(there))


@register.filter
def hour_in(moment: dt.datetime | None, zone: str) -> str:
    """Only the time of day on the clock of `zone`, with its short name: '02:14 AEDT'."""
    if moment is None:
        return "–"
    there = _clock_of(moment, zone)
    return _time(there, f"{there:%H:%M} {there.tzname()}")


@register.filter
def bare_hour_in(moment: dt.datetime | None, zone: str) -> str:
    """The first hour of a stretch whose end names the zone: '02:14'."""
    if moment is None:
        return "–"
    there = _clock_of(moment, zone)
    return _time(there, f"{there:%H:%M}")


@register.simple_tag(takes_context=True)
def moment(context: RequestContext, at: dt.datetime | None) -> str:
    """The moment on the clock of whoever reads; strangers read UTC."""
    request = getattr(context, "request", None) or context.get("request")
    return localtime_in(at, getattr(getattr(request, "user", None), "time_zone", "UTC"))


@register.filter
def percent(share: float | None) -> str:
    """A share of 1 in whole percent: 0.625 -> '62 %', None -> '–'."""
    return "–" if share is None else f"{100 * share:.0f} %"


@register.filter
def whole(value: float | None) -> int | None:
    """The nearest whole number, for figures computed as means and medians; None stays None."""
    return None if value is None else round(value)


@register.filter
def is_optional(field: BoundField) -> bool:
    """Worth the word "optional": not where a form requires nothing at all."""
    others = field.form.fields.values()
    return not field.field.required and any(other.required for other in others)


@register.simple_tag
def state(value: Any, words: str) -> str:
    """A state as a badge: its words, and the one colour such a state has everywhere."""
    tone = TONES.get(str(value).lower(), "")
    return format_html('<span class="badge{}">{}</span>', tone and f" {tone}", words)


@register.simple_tag
def icon(name: str, size: int = 16) -> str:
    """A lucide icon as decoration; the words beside it carry the meaning."""
    return lucide(name, size=size, aria_hidden="true")


@register.simple_tag
def pen(look: int, name: str = "") -> SafeString:
    """The line somebody is drawn with in the charts, before the name; it decorates."""
    colour, dash = look_of(look)
    line = format_html(
        '<svg class="pen {}" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">'
        '<path d="M0 5H22" stroke-dasharray="{}"/></svg>',
        colour,
        dash or "none",
    )
    return format_html('<span class="penned">{}{}</span>', line, name) if name else line


@register.simple_tag(takes_context=True)
def render_card(context: RequestContext, card: Card) -> SafeString:
    """A dashboard card, drawn with its own context so that cards cannot mix up their words."""
    return render_to_string(card.template, card.context, request=context.get("request"))
