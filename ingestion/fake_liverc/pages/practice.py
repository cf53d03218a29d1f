"""Practice: the days of a month, the sessions of a day, the laps of a session."""

import json
from collections import Counter
from datetime import date, datetime, timedelta

from ingestion.fake_liverc.facts import Session, Track
from ingestion.fake_liverc.figures import (
    figures,
    least_consecutive,
    mean_ms,
    minutes,
    seconds,
)
from ingestion.fake_liverc.pages.frame import crumbs, long_day, page, second, text
from ingestion.fake_liverc.practice import UNKNOWN_CLASS, UNKNOWN_DRIVER

NOTHING = "There are no practice sessions available for the given date."
IDLE = timedelta(minutes=3)


def month_page(
    track: Track,
    *,
    month: date,
    months: list[date],
    day_counts: dict[date, int],
    today: date,
    todays: tuple[Session, ...],
) -> str:
    """The days of `month`; the right-hand panel always shows today, whatever month was asked for."""
    options = "".join(
        f"""
													<option value="{m:%Y-%m}"{' selected="selected"' if m == month else ""}>{m:%B %Y}</option>"""
        for m in months
    )
    rows = "".join(
        f"""
								<tr>
									<td><a href="/practice/?p=session_list&d={d}">{d:%a, %b} {d.day}, {d.year}</a></td>
									<td><a href="/practice/?p=session_list&d={d}">{count}</a></td>
								</tr>"""
        for d, count in day_counts.items()
    )
    body = (
        crumbs(track=track.name, head="Practice Sessions", icon="clock-o")
        + f"""
<div class="row">
	<div class="col-lg-4">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-calendar fa-fw"></i> Practice Dates for {month:%B %Y}</div>
			<div class="panel-body no_padding">
				<p class="form-inline padding_container">
					Month:
					<select id="available_session_months" class="form-control input-sm">{options}
					</select>
				</p>
				<table class="table">
					<tbody>
							<tr>
								<th>Date</th>
								<th># Sessions</th>
							</tr>{rows}
					</tbody>
				</table>
			</div>
		</div>
	</div>
	<div class="col-lg-8">
{session_panel(today, todays)}
	</div>
</div>
"""
    )
    return page(title=f"{track.name} :: Practice Sessions for {month:%B %Y}", body=body)


def session_panel(day: date, sessions: tuple[Session, ...], more: str = "") -> str:
    heads = """
							<th>Driver<br />Class</th>
							<th>Time</th>
							<th>Laps <br />Length</th>
							<th>Fast<br />Avg</th>"""
    if sessions:
        rows = "".join(session_row(session) for session in reversed(sessions))
        inner = f"""
			<div class="table-responsive">
				<table class="table table-striped practice_session_list" cellspacing="0" width="100%">
					<thead>
						<tr>{heads}
						</tr>
					</thead>
					<tfoot>
						<tr>{heads}
						</tr>
					</tfoot>
					<tbody>{rows}
					</tbody>
				</table>
			</div>{more}
"""
    else:
        inner = f"\n\t\t\t\t\t{NOTHING}\n"
    return f"""		<div class="panel panel-default">
	<div class="panel-heading"><i class="fa fa-clock-o fa-fw"></i> Practice Sessions on {long_day(day)}</div>
	<div class="panel-body no_padding">
{inner}
	</div>
</div>"""


def row_length_s(session: Session) -> int:
    """The list rounds laps times the published average, so it can differ from the laps' sum by a second."""
    laps = list(session.counted_ms)
    return (len(laps) * mean_ms(laps) + 500) // 1000


def session_row(session: Session) -> str:
    laps = list(session.counted_ms)
    fast = seconds(min(laps))
    return f"""
							<tr>
								<td><a href="/practice/?p=view_session&id={session.id}">{text(session.driver_name)}</a><br /><small>{text(session.class_name)} ({session.transponder})</small></td>
								<td><div class="hidden">{session.started_at:%Y-%m-%d %H:%M:%S}</div>{second(session.started_at)}</td>
								<td data-sort="{len(laps)}">{len(laps)}<br />{minutes(row_length_s(session))}</td>
								<td data-sort="{fast}">Fast: {fast}<br />Avg: {seconds(mean_ms(laps))}</td>
							</tr>"""


def long_length(total_s: int) -> str:
    hours, rest = divmod(total_s, 3600)
    whole_minutes, left = divmod(rest, 60)
    parts = [(hours, "hour"), (whole_minutes, "minute"), (left, "second")]
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in parts if n) or "0 seconds"


def day_page(
    track: Track,
    day: date,
    sessions: tuple[Session, ...],
    number: int = 1,
    per_page: int | None = None,
) -> str:
    """The overview, newest first; cut into pages with a link on where the world says so."""
    shown, more = sessions, ""
    if per_page:
        number = max(1, number)
        newest = sessions[::-1]
        shown = newest[(number - 1) * per_page : number * per_page][::-1]
        if number * per_page < len(sessions):
            href = f"/practice/?p=session_list&d={day}&page={number + 1}"
            more = f'\n<ul class="pagination"><li><a rel="next" href="{href}">Next</a></li></ul>'
    body = (
        crumbs(track=track.name, head="Practice Sessions", when=long_day(day), icon="clock-o")
        + f"""
<div class="row">
	<div class="col-lg-8">
{session_panel(day, shown, more)}
	</div>
	<div class="col-lg-4">
{day_stats(day, sessions) if sessions else ""}
	</div>
</div>
"""
    )
    return page(title=f"{track.name} :: Practice Sessions on {long_day(day)}", body=body)


def day_stats(day: date, sessions: tuple[Session, ...]) -> str:
    per_class = Counter()
    for session in sessions:
        per_class[session.class_name] += len(session.counted_ms)
    # The site escapes slashes in this script.
    by_class = json.dumps(
        [{"label": name, "data": laps} for name, laps in sorted(per_class.items())],
        separators=(",", ":"),
    ).replace("/", "\\/")
    total_s = sum(sum(session.counted_ms) for session in sessions) // 1000
    names = {session.driver_name for session in sessions} - {UNKNOWN_DRIVER}
    known = [s for s in sessions if s.class_name != UNKNOWN_CLASS]
    best: dict[str, Session] = {}
    for session in known:
        held = best.get(session.class_name)
        if held is None or min(session.counted_ms) < min(held.counted_ms):
            best[session.class_name] = session
    rows = ""
    if known:
        overall = min(known, key=lambda s: min(s.counted_ms))
        rows = f"""
					<tr>
						<th>Overall Fastest</th>
						<td>{fastest(overall)} (<small>{text(overall.driver_name)}</small>)<br /><small>{text(overall.class_name)}</small></td>
					</tr>"""
    for name, session in sorted(best.items()):
        rows += f"""
							<tr>
								<th>{text(name)}</th>
								<td>{fastest(session)} <small>({text(session.driver_name)})</small></td>
							</tr>"""
    return f"""<div class="panel panel-default">
	<div class="panel-heading"><i class="fa fa-line-chart fa-fw"></i> Practice Stats for {long_day(day)}</div>
	<div class="panel-body no_padding">
			<table class="table">
				<tbody>
					<tr>
						<th>Total Laps</th>
						<td>{sum(per_class.values())}</td>
					</tr>
					<tr>
						<th>Total Track Time</th>
						<td>{long_length(total_s)}</td>
					</tr>
					<tr>
						<th>Unique Drivers</th>
						<td>{len(names)}</td>
					</tr>
					<tr>
						<th>Unique Classes</th>
						<td>{len(per_class)}</td>
					</tr>
					<tr>
						<th>Time Range</th>
						<td>
							First Session: {second(sessions[0].started_at)}<br />
							Last Session: {second(sessions[-1].started_at)}<br />
						</td>
					</tr>
					<tr>
						<th colspan="2">
							Laps-by-Class
							<script type="text/javascript">
								$(document).ready(function()
								{{
									var data = {by_class};
									$.plot($("#chart_laps_by_class"), data, {{}});
								}});
							</script>
						</th>
					</tr>
				</tbody>
			</table>
	</div>
</div>
<div class="panel panel-default">
	<div class="panel-heading"><i class="fa fa-car fa-fw"></i> Practice Leaderboard for {long_day(day)}</div>
	<div class="panel-body no_padding">
			<table class="table">
				<tbody>{rows}
				</tbody>
			</table>
	</div>
</div>"""


def fastest(session: Session) -> str:
    return f'<a href="/practice/?p=view_session&id={session.id}">{seconds(min(session.counted_ms))}</a>'


def crossings(session: Session) -> list[datetime]:
    """When the car crossed the line after each lap, by the clock on the wall."""
    moments, clock = [], session.started_at
    for ms in session.laps_ms:
        clock += timedelta(milliseconds=ms)
        moments.append(clock)
    return moments


def stretches(session: Session) -> list[list[int]]:
    """Runs of counted laps between invalid ones."""
    runs: list[list[int]] = [[]]
    for ms in session.laps_ms:
        if session.is_valid(ms):
            runs[-1].append(ms)
        else:
            runs.append([])
    return runs


def session_page(track: Track, session: Session) -> str:
    laps = list(session.counted_ms)
    got = figures(tuple(laps), skips_first=False)
    top = got.top_ms or {}
    moments = crossings(session)
    fast_at = next(n for n, ms in enumerate(session.laps_ms) if ms == got.fast_ms)
    listed = "".join(
        f"""
							<div>
									<span{' class="fast_lap"' if n == fast_at else ""}>Lap {n + 1}: {seconds(ms)}{"" if session.is_valid(ms) else "*"}</span>
							</div>"""
        for n, ms in enumerate(session.laps_ms)
    )
    objects = [
        {
            "x": str(n),
            "lap_time": seconds(ms),
            "date": f"{moment:%Y-%m-%d}",
            "time": f"{moment:%H:%M:%S}",
            "date_time_display": f"{moment:%m/%d/%Y} {second(moment)}",
            "time_display": second(moment),
            "is_valid": str(int(session.is_valid(ms))),
        }
        for n, (ms, moment) in enumerate(zip(session.laps_ms, moments, strict=True), start=1)
    ]
    script = json.dumps(objects, separators=(",", ":")).replace("/", "\\/")
    low, high = (minutes(ms // 1000) for ms in session.valid_ms)
    facts = {
        "Driver": text(session.driver_name),
        "Class": text(session.class_name),
        "Transponder": session.transponder,
        "Session Time": f"""
									Date: {long_day(session.started_at.date())}<br />
									Start: {second(session.started_at)}<br />
									End: {second(moments[-1] + IDLE)}<br />
									Length of Session: {minutes(sum(laps) // 1000)}								""",
        "Num Laps": len(laps),
        "Fastest Lap": seconds(got.fast_ms),
        "Top 3 Consec": seconds(least_consecutive(stretches(session), 3)),
        "Averages": f"""
									Avg: {seconds(got.avg_ms)}<br />
									Top 5: {seconds(top.get(5))}<br />
									Top 10: {seconds(top.get(10))}<br />
									Top 15: {seconds(top.get(15))}<br />
									Std Deviation: {got.deviation}<br />
									Consistency: {got.consistency}%<br />
								""",
        "Valid Lap Range": f"""
									{low} to {high}<br />
									<small>(laps outside are invalid)</small>
								""",
    }
    rows = "".join(
        f"""
							<tr>
								<th>{name}</th>
								<td>{value}</td>
							</tr>"""
        for name, value in facts.items()
    )
    start = second(session.started_at)
    body = (
        crumbs(
            track=track.name,
            head=f"Practice Session ({session.driver_name})",
            when=start,
            icon="clock-o",
        )
        + f"""
<div class="row">
		<div class="col-lg-6">
			<div class="panel panel-default">
				<div class="panel-heading"><i class="fa fa-user"></i> {text(session.driver_name)} ({start})</div>
				<div class="panel-body no_padding">
					<table class="table">
						<tbody>{rows}
						</tbody>
					</table>
				</div>
			</div>
		</div>
		<div class="col-lg-6">
			<div class="panel panel-default">
				<div class="panel-heading"><i class="fa fa-bar-chart-o"></i> Lap Times</div>
				<div class="panel-body">
						<div class="laps_list clearfix">{listed}
						</div>
						<div><em><small>* does not count</small></em></div>
				</div>
			</div>
			<script type="text/javascript">
				$(document).ready(function()
				{{
					var lapsObj = {script};
					var laps = [];
				}});
			</script>
		</div>
</div>
"""
    )
    title = (
        f"{track.name} :: Practice Session for {session.driver_name} on "
        f"{long_day(session.started_at.date())} at {start}"
    )
    return page(title=title, body=body)
