"""One practice session: its figures, its laps, and the script that carries every crossing."""

import json
from datetime import datetime, timedelta

from ingestion.fake_liverc.facts import Session, Track
from ingestion.fake_liverc.figures import figures, least_consecutive, minutes, seconds
from ingestion.fake_liverc.pages.frame import crumbs, long_day, page, second, text

IDLE = timedelta(minutes=3)


def session_page(track: Track, session: Session) -> str:
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
						<tbody>{fact_rows(session)}
						</tbody>
					</table>
				</div>
			</div>
		</div>
		<div class="col-lg-6">
			<div class="panel panel-default">
				<div class="panel-heading"><i class="fa fa-bar-chart-o"></i> Lap Times</div>
				<div class="panel-body">
						<div class="laps_list clearfix">{laps_list(session)}
						</div>
						<div><em><small>* does not count</small></em></div>
				</div>
			</div>
			<script type="text/javascript">
				$(document).ready(function()
				{{
					var lapsObj = {crossings_script(session)};
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


def fact_rows(session: Session) -> str:
    laps = session.counted_ms
    got = figures(laps, skips_first=False)
    top = got.top_ms or {}
    low, high = (minutes(ms // 1000) for ms in session.valid_ms)
    facts = {
        "Driver": text(session.driver_name),
        "Class": text(session.class_name),
        "Transponder": session.transponder,
        "Session Time": f"""
									Date: {long_day(session.started_at.date())}<br />
									Start: {second(session.started_at)}<br />
									End: {second(crossings(session)[-1] + IDLE)}<br />
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
    return "".join(
        f"""
							<tr>
								<th>{name}</th>
								<td>{value}</td>
							</tr>"""
        for name, value in facts.items()
    )


def laps_list(session: Session) -> str:
    """Every lap as driven; the fastest counted one stands out, invalid ones have a star."""
    fast_at = session.laps_ms.index(min(session.counted_ms))
    return "".join(
        f"""
							<div>
									<span{' class="fast_lap"' if n == fast_at else ""}>Lap {n + 1}: {seconds(ms)}{"" if session.is_valid(ms) else "*"}</span>
							</div>"""
        for n, ms in enumerate(session.laps_ms)
    )


def crossings_script(session: Session) -> str:
    """The crossings as the site's script has them; it escapes slashes."""
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
        for n, (ms, moment) in enumerate(
            zip(session.laps_ms, crossings(session), strict=True), start=1
        )
    ]
    return json.dumps(objects, separators=(",", ":")).replace("/", "\\/")


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
