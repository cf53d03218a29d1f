"""A measured race as people look at it: charts, rows and files made from the stored report."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from racecontrol.shared.charts.chart import Chart
from racecontrol.shared.charts.lines import Mark, Reference, Series, line_chart
from racecontrol.shared.charts.looks import looks_of
from racecontrol.shared.charts.stint_bars import Bar, Row, stint_bars
from strategy.models import DriverResult, RaceReport
from strategy.presentation import clock

Body = dict[str, Any]
Look = Callable[[int], int]  # of a seat
PARTS = (
    ("plan_ms", "Plan", "the stints driven instead of the best ones"),
    ("pit_ms", "Pit", "stops slower than the usual one of this race"),
    ("pace_ms", "Pace", "clean laps slower than the driver's usual one here"),
    ("neutral_ms", "Cautions", "laps under flags over what they should take"),
    ("incident_ms", "Incidents", "slow laps, penalties and the rest"),
)
RULES = {
    "min_drive": "least drive time", "max_drive": "most drive time",
    "continuous": "longest without a break", "rest": "shortest rest", "fair_share": "fair share",
}  # fmt: skip


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def context_of(report: RaceReport) -> dict[str, Any]:
    """Everything the report page shows."""
    body, look = report.body, report.run.strategy.look_of
    return {
        "report": report, "body": body, "scores": scores_of(body), "charts": charts_of(body, look),
        "limits": [x | {"words": RULES[x["rule"]], "is_laps": x["rule"] == "fair_share"}
                   for x in body["limits"]],
        "parts": parts_of(body), "drivers": drivers_of(body, look),
        "has_class": any(who["pace"].get("to_class_ms") is not None for who in body["drivers"]),
        "decisions": sorted(body["decisions"], key=lambda one: one["at_ms"]),
    }  # fmt: skip


def scores_of(body: Body) -> list[dict[str, str]]:
    scores = body["scores"]
    steady, share = scores["pace_consistency_ms"], scores["pace_consistency_percent"]
    return [
        {"label": "Drive-time equality", "value": percent(scores["driver_equality"]),
         "note": "100 %: all drove the same"},
        {"label": "Pit efficiency", "value": percent(scores["pit_efficiency"]),
         "note": "reference time over actual, green stops"},
        {"label": "Pace consistency", "value": "–" if steady is None else f"{steady / 1000:.3f} s",
         "note": "" if share is None else f"{share:.2f} % of a lap, median over stints"},
        {"label": "Plan adherence", "value": percent(scores["strategy_adherence"]),
         "note": f"{percent(scores['adherence_to_valid_plan'])} of the plan then valid"},
        {"label": "Laps by the planned driver", "value": percent(scores["driver_share"]), "note": ""},
    ]  # fmt: skip


def parts_of(body: Body) -> list[dict[str, Any]]:
    loss = (body["hindsight"] or {}).get("loss")
    if not loss:
        return []
    return [{"name": name, "ms": loss[key], "words": words} for key, name, words in PARTS]


def drivers_of(body: Body, look: Look) -> list[dict[str, Any]]:
    return [
        who | {"share_text": percent(who["share"]), "planned_text": percent(who["planned_share"]),
               "look": look(who["seat"])}
        for who in body["drivers"]
    ]  # fmt: skip


def charts_of(body: Body, look: Look) -> dict[str, Chart]:
    return {
        "stints": stint_chart(body, look),
        "laps": lap_chart(body, look),
        "drift": drift_chart(body),
    }


def stint_chart(body: Body, look: Look) -> Chart:
    """Two rows a driver: planned before the start, and driven."""
    rows = []
    for who in body["drivers"]:
        for side, name, kind in (("planned", f"{who['driver']}, plan", "planned"),
                                 ("driven", who["driver"], "driven")):  # fmt: skip
            bars = [
                Bar(s[side]["start_ms"], s[side]["end_ms"], str(s["number"]),
                    f"laps {s[side]['start_lap'] + 1}–{s[side]['end_lap']}", kind=kind,
                    look=look(who["seat"]))
                for s in body["stints"] if s[side] and s[side]["seat"] == who["seat"]
            ]  # fmt: skip
            rows.append(Row(name, bars))
    return stint_bars(rows, title="Plan against race", end=body["finish_ms"], slug="stints")


def lap_chart(body: Body, look: Look) -> Chart:
    """Lap times by driver; laps of others leave a gap."""
    series = []
    for who in body["drivers"]:
        points = [(n + 1, ms if seat == who["seat"] else None)
                  for n, ms, seat, _ in body["lap_times"]]  # fmt: skip
        marks = [Mark(n + 1, "pit" if kind == "pit" else "slow", words_of(kind))
                 for n, _, seat, kind in body["lap_times"] if kind and seat == who["seat"]]  # fmt: skip
        if any(y is not None for _, y in points):
            series.append(Series(who["driver"], points, marks=marks, look=look(who["seat"])))
    return line_chart(series, title="Lap times", slug="lap-times")


def words_of(kind: str) -> str:
    return {"pit": "into or out of the pits", "fcy": "full-course yellow", "sc": "safety car",
            "red": "red flag"}.get(kind, kind)  # fmt: skip


def drift_chart(body: Body) -> Chart:
    """How late each stint ended against the plan before the start."""
    both = [s for s in body["stints"] if s["driven"] and s["time_ms"] is not None]
    points = [(float(s["driven"]["end_lap"]), float(s["time_ms"])) for s in both]
    return line_chart(
        [Series("behind the plan", points)] if points else [], title="Behind the plan at the end of stints",
        y_format=behind, references=[Reference(0, "as planned")],
        clip=False, slug="drift",
    )  # fmt: skip


def behind(ms: float) -> str:
    return f"{'−' if ms < 0 else '+'}{clock(abs(round(ms)))}"


# -- files

TABLES = ("stints", "drivers", "stops", "decisions")


def csv_rows(body: Body, table: str) -> tuple[list[str], list[list[Any]]]:
    """Header and lines of one table of the report."""
    rows = {"stints": _stint_rows, "drivers": _driver_rows, "stops": lambda b: b["stops"],
            "decisions": lambda b: b["decisions"]}[table](body)  # fmt: skip
    names = list(dict.fromkeys(name for row in rows for name in row))
    return names or ["empty"], [[_plain(row.get(name, "")) for name in names] for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        return " ".join(str(x) for x in value)
    return value


def _stint_rows(body: Body) -> list[dict[str, Any]]:
    rows = []
    for s in body["stints"]:
        row: dict[str, Any] = {"stint": s["number"]}
        for side in ("planned", "driven"):
            for name in ("driver", "start_lap", "end_lap", "start_ms", "end_ms", "fuel_in_ml",
                         "fuel_out_ml"):  # fmt: skip
                row[f"{side}_{name}"] = s[side][name] if s[side] else ""
        row |= {
            "end_laps_off": s["end_laps"],
            "time_off_ms": s["time_ms"],
            "fuel_off_ml": s["fuel_ml"],
        }
        pace = s["pace"] or {}
        row |= {
            n: pace.get(n) for n in ("median_ms", "best_ms", "drop_ms", "consistency_ms", "clean")
        }
        rows.append(row)
    return rows


def _driver_rows(body: Body) -> list[dict[str, Any]]:
    kept = ("driver", "drive_ms", "laps", "stints", "share", "fair_share", "planned_share")
    return [
        {n: who[n] for n in kept}
        | {n: who["pace"][n] for n in ("clean", "median_ms", "best_ms", "drop_ms",
                                       "consistency_ms", "to_plan_ms", "to_class_ms")}
        | {f"measured_{letter}_ms": who["measured_ms"].get(letter) for letter in "DNWX"}
        for who in body["drivers"]
    ]  # fmt: skip


# -- across races


def trend_charts(reports: Sequence[RaceReport]) -> list[Chart]:
    """Scores of a team race by race, the oldest first; percent, and seconds for consistency."""
    ordered = list(reversed(reports))
    names = [(float(n), label_of(report)) for n, report in enumerate(ordered, start=1)]
    shares = (("drive-time equality", "driver_equality"), ("pit efficiency", "pit_efficiency"),
              ("plan adherence", "strategy_adherence"))  # fmt: skip
    common = {"x_label": "Race", "x_ticks": names, "clip": False}
    percents = [
        Series(label, [(n, None if (v := getattr(r, field)) is None else 100 * v)
                       for n, r in enumerate(ordered, start=1)])
        for label, field in shares
    ]  # fmt: skip
    losses = [(n, None if r.loss_ms is None else r.loss_ms / 1000)
              for n, r in enumerate(ordered, start=1)]  # fmt: skip
    return [
        line_chart(percents, title="Scores, percent", y_format=lambda v: f"{v:.0f}",
                   slug="scores", **common),
        line_chart([Series("over the best race there was", losses)], title="Time lost, seconds",
                   y_format=lambda v: f"{v:.0f}", slug="losses", **common),
        driver_chart(ordered, names, "consistency_ms", "Pace consistency, seconds", "consistency"),
        driver_chart(ordered, names, "to_plan_ms", "Pace over the plan, seconds", "to-plan"),
    ]  # fmt: skip


def driver_chart(
    ordered: Sequence[RaceReport], names: Sequence[tuple[float, str]], field: str, title: str,
    slug: str,
) -> Chart:  # fmt: skip
    people: dict[Any, str] = {}
    points: dict[Any, dict[int, float]] = {}
    for n, report in enumerate(ordered, start=1):
        for row in report.drivers.all():
            value = getattr(row, field)
            key = row.driver_id or row.name
            people[key] = row.name
            if value is not None:
                points.setdefault(key, {})[n] = value / 1000
    looks = looks_of(sorted(people, key=lambda one: people[one]))
    series = [
        Series(people[key], [(n, found.get(n)) for n in range(1, len(ordered) + 1)], look=look)
        for key, look in looks.items()
        if (found := points.get(key))
    ]
    return line_chart(series, title=title, x_label="Race", x_ticks=list(names), clip=False,
                      y_format=lambda v: f"{v:.2f}", slug=slug)  # fmt: skip


def label_of(report: RaceReport) -> str:
    green = report.run.green_at
    return f"{green:%Y-%m-%d}" if green else str(report.run.strategy.event)[:12]


def driver_trends(reports: Iterable[RaceReport]) -> list[dict[str, Any]]:
    """Each driver over these races: races, laps, hours, and the medians' mean weighted by laps."""
    people: dict[Any, list[DriverResult]] = {}
    for report in reports:
        for row in report.drivers.all():
            if row.laps:
                people.setdefault(row.driver_id or row.name, []).append(row)
    return sorted(
        (
            {
                "name": rows[0].name, "races": len(rows), "laps": sum(r.laps for r in rows),
                "drive_ms": sum(r.drive_ms for r in rows),
                "consistency_ms": _weighted(rows, "consistency_ms"),
                "to_plan_ms": _weighted(rows, "to_plan_ms"),
                "share": sum(r.share for r in rows) / len(rows),
            }
            for rows in people.values()
        ),
        key=lambda who: str(who["name"]),
    )  # fmt: skip


def _weighted(rows: Sequence[DriverResult], field: str) -> float | None:
    known = [(getattr(r, field), r.clean_laps) for r in rows if getattr(r, field) is not None]
    weight = sum(laps for _, laps in known)
    return sum(value * laps for value, laps in known) / weight if weight else None
