"""Entry list, heat sheets, points, rankings and multi-main results of an event."""

import re

from ingestion.fake_liverc.facts import Meeting, Race, Racer
from ingestion.fake_liverc.figures import laps_and_time
from ingestion.fake_liverc.meeting import qualifying
from ingestion.fake_liverc.pages.frame import cells, event_stats, meeting_crumbs, page, text


def sheet(meeting: Meeting, *, heading: str, inner: str, aside: str = "") -> str:
    body = (
        meeting_crumbs(meeting)
        + f"""
<div class="row">
	<div class="col-lg-{8 if aside else 12}">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-th"></i> {text(heading)}</div>
			<div class="panel-body no_padding">
{inner}
			</div>
		</div>
	</div>
	<div class="col-lg-4">{aside}
	</div>
</div>
"""
    )
    return page(title=f"{meeting.track.name} :: {meeting.name} :: {heading}", body=body)


def anchor(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")


def tabs(names: dict[int, str]) -> str:
    items = "".join(
        f"""
							<li{"" if n else ' class="active"'}><a href="#{anchor(name)}_tab_{key}" data-toggle="tab">{text(name)}</a></li>"""
        for n, (key, name) in enumerate(names.items())
    )
    return f"""
					<div class="padding_container">
						<ul class="nav nav-pills">{items}
						</ul>
					</div>"""


def tab_table(
    key: int, name: str, *, kind: str, sub: str, columns: list[str], rows: str, is_first: bool
) -> str:
    heads = cells(columns, "\t\t\t\t\t\t\t\t\t\t\t")
    return f"""
							<div class="tab-pane fade{" in active" if is_first else ""} table-responsive" id="{anchor(name)}_tab_{key}">
								<table id="{anchor(name)}_table_{key}" class="table table-striped{kind}" cellspacing="0" width="100%">
									<thead>
										<tr>
											<th colspan="{len(columns)}">
												<div class="class_header">{text(name)}</div>
												<div class="class_sub_header">{sub}</div>
											</th>
										</tr>
										<tr>
{heads}
										</tr>
									</thead>
									<tfoot>
										<tr>
{heads}
										</tr>
									</tfoot>
									<tbody>{rows}
									</tbody>
								</table>
							</div>"""


def data_row(values: list[object]) -> str:
    columns = "".join(f"\n\t\t\t\t\t\t\t\t\t\t\t\t\t<td>{value}</td>" for value in values)
    return f"\n\t\t\t\t\t\t\t\t\t\t\t\t<tr>{columns}\n\t\t\t\t\t\t\t\t\t\t\t\t</tr>"


def listed(racer: Racer) -> str:
    first, _, last = racer.shouted.partition(" ")
    return f'<span class="hidden">{text(last)}, {text(first)}</span>{text(racer.shouted)}'


def entry_list_page(meeting: Meeting) -> str:
    panes = ""
    for n, formula in enumerate(meeting.formulas):
        racers = sorted(meeting.entries[formula.name], key=lambda r: r.name.split()[-1])
        rows = "".join(
            data_row([place, listed(racer), racer.transponder])
            for place, racer in enumerate(racers, start=1)
        )
        panes += tab_table(
            formula.id,
            formula.name,
            kind="",
            sub=f"Entries: {len(racers)}",
            columns=["#", "Driver", "Transponder #"],
            rows=rows,
            is_first=not n,
        )
    names = {formula.id: formula.name for formula in meeting.formulas}
    inner = f'{tabs(names)}\n<br>\n<div class="tab-content">{panes}\n</div>'
    return sheet(meeting, heading="Entry List", inner=inner, aside=event_stats(meeting))


def points_page(meeting: Meeting) -> str:
    rounds = [name for name in reversed(meeting.rounds) if name.startswith("Qualifier")]
    panes = ""
    for n, formula in enumerate(meeting.formulas):
        rows = ""
        standings = qualifying(meeting.races, formula, meeting.counted_rounds)
        for place, standing in enumerate(standings, start=1):
            got = []
            for r in standing.rounds:
                mark = f" ({r.mark})" if r.mark else ""
                cell = f"{r.points} : {laps_and_time(r.laps, r.ms) if r.laps else '0/0.000'}{mark}"
                got.append(f"<b>\t\t{cell}\t\t</b>" if r.is_counted else f"\t\t{cell}\t\t")
            rows += data_row(
                [place, text(standing.racer.shouted), standing.result, standing.tie, *got]
            )
        panes += tab_table(
            formula.id,
            formula.name,
            kind=" leaderboard_points",
            sub="Tie Breaker: Best Throwout Then Best Result (Used)",
            columns=[
                "#",
                "Driver",
                "Result",
                "Tie Breaker",
                *(f"Round {n + 1}" for n in range(len(rounds))),
            ],
            rows=rows,
            is_first=not n,
        )
    names = {formula.id: formula.name for formula in meeting.formulas}
    return sheet(
        meeting,
        heading=f"Qual Points (best {meeting.counted_rounds} of {len(rounds)})",
        inner=f'{tabs(names)}\n<div class="tab-content">{panes}\n</div>',
    )


def heat_sheet_page(meeting: Meeting, round_name: str) -> str:
    """The line-up of every race of a round. Slots filled from the main below say so."""
    races = [race for race in meeting.races if race.round == round_name]
    return sheet(meeting, heading=round_name, inner="".join(heat_table(race) for race in races))


def heat_table(race: Race) -> str:
    rows = "".join(
        data_row(
            [
                n,
                f'<span class="car_num">{run.slot}</span> <span class="driver_name">{text(run.racer.shouted)}</span>',
                "",
                "",
                run.racer.transponder,
                "" if race.seeds.get(run.slot) == "Bump-Up" else run.slot,
                race.seeds.get(run.slot, ""),
            ]
        )
        for n, run in enumerate(sorted(race.runs, key=lambda run: run.slot), start=1)
    )
    heads = cells(["Pos", "Driver", "Freq", "Brand", "Tx #", "Seed #", "Seed Result"])
    length = f"{race.length_ms // 60_000}:{race.length_ms // 1000 % 60:02}"
    return f"""
						<div class="table-responsive">
							<table class="table table-striped heat_sheet" cellspacing="0" width="100%">
								<thead>
									<tr>
										<th colspan="7">
											<div class="race_num">{race.number}</div>
											<div class="race_info">
												<span class="class_header">{text(race.label)}</span><br />
												<span class="race_length">Length: {length} Timed</span><br />
												<span class="race_status">Status: Complete (<a href="/results/?p=view_race_result&id={race.id}">View Results</a>)</span>
											</div>
										</th>
									</tr>
									<tr>
{heads}
									</tr>
								</thead>
								<tbody>{rows}
								</tbody>
							</table>
						</div>"""


ORDINAL = {1: "st", 2: "nd", 3: "rd"}


def ordinal(n: int) -> str:
    return f"{n}{'th' if 10 <= n % 100 <= 20 else ORDINAL.get(n % 10, 'th')}"


def multi_main_page(meeting: Meeting, class_name: str, letter: str) -> str:
    """Legs of one main: points by place, the best two of three count."""
    legs = [r for r in meeting.races if r.class_name == class_name and r.letter == letter and r.leg]
    legs.sort(key=lambda race: race.leg)
    got: dict[Racer, list] = {}
    for race in legs:
        for run in race.runs:
            got.setdefault(run.racer, []).append(run)
    counted = max(len(legs) - 1, 1)
    order = sorted(
        got.items(),
        key=lambda pair: (
            sum(sorted(run.position for run in pair[1])[:counted]),
            min(run.position for run in pair[1]),
            pair[1][0].slot,
        ),
    )
    rows = "".join(
        data_row(
            [
                place,
                runs[0].slot,
                text(racer.shouted),
                sum(sorted(run.position for run in runs)[:counted]),
                *(
                    f"{ordinal(run.position)} ({run.position}pts) : "
                    f"{laps_and_time(len(run.laps_ms), run.total_ms)}"
                    for run in runs
                ),
            ]
        )
        for place, (racer, runs) in enumerate(order, start=1)
    )
    columns = ["Pos", "Seeded", "Driver", "Points", *(f"{letter}{race.leg}-Main" for race in legs)]
    heading = f"{class_name} Triple {letter}-Main Results"
    inner = f"""
						<div class="table-responsive">
							<table class="table table-striped multi_main" cellspacing="0" width="100%">
								<thead>
									<tr>
										<th colspan="{len(columns)}">
											<span class="class_header">{text(class_name)} {letter}-Main</span><br />
											<span class="class_sub_header">Tie Breaker: Best Result</span><br />
											<span class="class_sub_header">Completed: {len(legs)} of {len(legs)}</span>
										</th>
									</tr>
									<tr>
{cells(columns)}
									</tr>
								</thead>
								<tbody>{rows}
								</tbody>
							</table>
						</div>"""
    return sheet(meeting, heading=heading, inner=inner)


def round_ranking_page(meeting: Meeting, round_name: str) -> str:
    """All heats of a round ranked as one, class by class."""
    tables = ""
    for formula in meeting.formulas:
        runs = [
            run
            for race in meeting.races
            if race.round == round_name and race.class_name == formula.name
            for run in race.runs
        ]
        runs.sort(key=lambda run: (-len(run.laps_ms), run.total_ms, run.racer.id))
        rows = "".join(
            data_row(
                [
                    place,
                    text(run.racer.shouted),
                    f'<span class="hidden">{place:04}/9999</span>'
                    + ("DNS" if run.is_dns else laps_and_time(len(run.laps_ms), run.total_ms)),
                ]
            )
            for place, run in enumerate(runs, start=1)
        )
        tables += tab_table(
            formula.id,
            formula.name,
            kind=" round_rankings",
            sub=text(round_name),
            columns=["Pos", "Driver", "Result"],
            rows=rows,
            is_first=True,
        )
    return sheet(meeting, heading=f"{round_name} Rankings", inner=tables)


def overall_ranking_page(meeting: Meeting) -> str:
    """Final places per class: the A main first, then those whom no higher main took up."""
    tables = ""
    for formula in meeting.formulas:
        mains = [r for r in meeting.races if r.class_name == formula.name and r.letter]
        seen: set[int] = set()
        rows, place = "", 0
        for race in sorted(mains, key=lambda r: (r.letter, -r.leg)):
            for run in race.runs:
                if run.racer.id in seen:
                    continue
                seen.add(run.racer.id)
                place += 1
                result = laps_and_time(len(run.laps_ms), run.total_ms)
                rows += data_row(
                    [place, "", "", text(run.racer.shouted), result, f"{race.letter} Main"]
                )
        tables += tab_table(
            formula.id,
            formula.name,
            kind=" overall_rankings",
            sub=f"Entries: {len(meeting.entries[formula.name])}",
            columns=["Pos", "Brand", "Country", "Driver", "Result", "Race"],
            rows=rows,
            is_first=True,
        )
    return sheet(meeting, heading="Final Results", inner=tables)
