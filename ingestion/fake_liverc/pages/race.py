"""The result of one race: the table, and the script that carries every lap."""

from ingestion.fake_liverc.facts import Meeting, Race, Run
from ingestion.fake_liverc.figures import (
    Figures,
    clock,
    figures,
    half_up,
    laps_and_time,
    seconds,
    trimmed,
)
from ingestion.fake_liverc.pages.frame import cells, meeting_crumbs, page, text
from ingestion.fake_liverc.simulate import lap_positions, pace

COLUMNS = [
    "Pos",
    "Driver",
    "Qual",
    "Laps/Time",
    "Behind",
    "Fastest Lap",
    "Avg Lap",
    "Avg Top 5",
    "Avg Top 10",
    "Avg Top 15",
    "Top 3 Consecutive",
    "Std. Deviation",
    "Consistency",
]


def race_page(meeting: Meeting, race: Race) -> str:
    published = {
        run.racer.id: figures(run.laps_ms, skips_first=race.skips_first_lap) for run in race.runs
    }
    body = (
        meeting_crumbs(meeting)
        + f"""
<div class="row">
	<div class="col-lg-12">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-trophy"></i> {text(race.label)} Results [{race.code} Race #{race.number}]</div>
			<div class="panel-body no_padding">

					<script type="text/javascript">
						var racerLaps = {{}};
						var positionData = [];
						var driverNames = [];{laps_script(race, published)}
					</script>

{result_table(race, published)}

			</div>
		</div>
	</div>
</div>
"""
    )
    return page(title=f"{meeting.track.name} :: {meeting.name} :: {race.label}", body=body)


def result_table(race: Race, published: dict[int, Figures]) -> str:
    rows = "".join(
        row(run, race.runs[n - 1] if n else None, published[run.racer.id])
        for n, run in enumerate(race.runs)
    )
    length = f"{race.length_ms // 60_000}:{race.length_ms // 1000 % 60:02}"
    heads = cells(COLUMNS)
    feet = heads.replace("Fastest Lap", "Fastest Lap <sup>(Lap #)</sup>")
    return f"""					<div class="table-responsive">
						<table class="table table-striped race_result" cellspacing="0" width="100%">
							<thead>
								<tr>
									<th colspan="14">
										<div class="race_num" style="background: #0000FF;color: white;">{race.number}</div>
										<div class="race_info">
											<span class="class_header">{text(race.label)}</span><br />
											<span class="class_sub_header">Round: {text(race.round)}</span><br />
											<span class="class_sub_header">Length: {length} Timed</span>
										</div>
									</th>
								</tr>
								<tr>
{heads}
								</tr>
							</thead>
							<tfoot>
								<tr>
{feet}
								</tr>
							</tfoot>
							<tbody>{rows}
							</tbody>
						</table>
					</div>"""


def row(run: Run, ahead: Run | None, got: Figures) -> str:
    laps_link = (
        ""
        if run.is_dns
        else f"""
											<br /><span class="text-nowrap"><small><small><a href="#" data-driver-id="{run.racer.id}" class="driver_laps"><span class="fa fa-eye"></span> View Laps</a></small></small></span>"""
    )
    top = got.top_ms or {}
    averages = "".join(
        f"""
										<td><div class="hidden">{seconds(ms)}</div>{clock(ms)}</td>"""
        for ms in (got.avg_ms, top.get(5), top.get(10), top.get(15), got.three_ms)
    )
    fast = f"{seconds(got.fast_ms)}<sup>{got.fast_lap}</sup>" if got.fast_ms else ""
    deviation = "" if got.deviation is None else half_up(got.deviation, 2)
    consistency = "" if got.consistency is None else f"{half_up(got.consistency, 2)}%"
    return f"""
								<tr>
										<td>{run.position}</td>
										<td>
											<span class="car_num">{run.slot}</span>
											<span class="driver_name">{text(run.racer.shouted)}</span>{laps_link}
										</td>
										<td>{run.slot}</td>
										<td>{laps_and_time(len(run.laps_ms), run.total_ms)}</td>
										<td>{behind(run, ahead)}</td>
										<td>{fast}</td>{averages}
										<td>{deviation}</td>
										<td>{consistency}</td>
									</tr>"""


def behind(run: Run, ahead: Run | None) -> str:
    """The gap to the car ahead: seconds on the same lap, else laps; nothing for the winner."""
    if ahead is None:
        return ""
    laps = len(ahead.laps_ms) - len(run.laps_ms)
    if laps:
        return f"{laps} Lap{'s' if laps > 1 else ''}"
    return seconds(run.total_ms - ahead.total_ms)


def laps_script(race: Race, published: dict[int, Figures]) -> str:
    places = lap_positions(race)
    return "".join(
        driver_script(race, run, published[run.racer.id], places[run.racer.id]) for run in race.runs
    )


def quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def driver_script(race: Race, run: Run, got: Figures, places: list[int]) -> str:
    name = quoted(run.racer.shouted)
    top = got.top_ms or {}
    published = {
        "driverName": name,
        "fastLap": quoted(seconds(got.fast_ms)),
        "avgLap": quoted(seconds(got.avg_ms)),
        "avgTop5": quoted(seconds(top.get(5))),
        "avgTop10": quoted(seconds(top.get(10))),
        "avgTop15": quoted(seconds(top.get(15))),
        "top2Consecutive": quoted(seconds(got.two_ms)),
        "top3Consecutive": quoted(seconds(got.three_ms)),
        "stdDeviation": quoted("" if got.deviation is None else str(got.deviation)),
        "consistency": quoted("" if got.consistency is None else str(got.consistency)),
    }
    fields = "".join(f"\n\t\t\t\t\t\t\t\t'{key}' : {value}," for key, value in published.items())
    laps, points = "", ""
    if not run.is_dns:
        laps = lap_script(0, run.slot, "0", "0")
        points = f"\n\t\t\t\t\t\t\t\tpositionDataDriver.data.push([0, {run.slot}]);"
        for n, (ms, place) in enumerate(zip(run.laps_ms, places, strict=True), start=1):
            on_course = laps_and_time(*pace(list(run.laps_ms[:n]), race.length_ms))
            laps += lap_script(n, place, trimmed(ms), on_course)
            points += f"\n\t\t\t\t\t\t\t\tpositionDataDriver.data.push([{n}, {place}]);"
    return f"""
							positionDataDriver = {{}};
							positionDataDriver.label = {name};
							positionDataDriver.data = [];
							driverNames.push({name});
							racerLaps[{run.racer.id}] = {{{fields}
								'laps' : [{laps}
								]
							}};{points}
							positionData.push(positionDataDriver);
							console.log(racerLaps[{run.racer.id}]);"""


def lap_script(number: int, place: int, time: str, on_course: str) -> str:
    return f"""
											{{
												'lapNum' : '{number}',
												'pos' : '{place}',
												'time' : '{time}',
												'pace' : '{on_course}',
												'segments' : [
																									]
											}},"""
