"""Practice: the days of a month, and the sessions of a day with its figures."""

import json
from collections import Counter
from datetime import date

from ingestion.fake_liverc.facts import Session, Track
from ingestion.fake_liverc.figures import mean_ms, minutes, seconds
from ingestion.fake_liverc.pages.frame import crumbs, long_day, page, second, text
from ingestion.fake_liverc.practice import UNKNOWN_CLASS, UNKNOWN_DRIVER

NOTHING = "There are no practice sessions available for the given date."


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
    return f"{day_table(day, sessions)}\n{leaderboard(day, sessions)}"


def day_table(day: date, sessions: tuple[Session, ...]) -> str:
    per_class = Counter()
    for session in sessions:
        per_class[session.class_name] += len(session.counted_ms)
    total_s = sum(sum(session.counted_ms) for session in sessions) // 1000
    names = {session.driver_name for session in sessions} - {UNKNOWN_DRIVER}
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
									var data = {chart_data(per_class)};
									$.plot($("#chart_laps_by_class"), data, {{}});
								}});
							</script>
						</th>
					</tr>
				</tbody>
			</table>
	</div>
</div>"""


def chart_data(per_class: Counter) -> str:
    """Laps by class as the site's script has them; it escapes slashes."""
    return json.dumps(
        [{"label": name, "data": laps} for name, laps in sorted(per_class.items())],
        separators=(",", ":"),
    ).replace("/", "\\/")


def leaderboard(day: date, sessions: tuple[Session, ...]) -> str:
    """The fastest session of all known classes, then of each."""
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
