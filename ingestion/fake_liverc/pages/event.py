"""The page of an event: line-ups, rankings, and the races of each round, newest first."""

from ingestion.fake_liverc.facts import Meeting, Race
from ingestion.fake_liverc.pages.frame import day, event_stats, meeting_crumbs, minute, page, text


def event_page(meeting: Meeting) -> str:
    rounds: dict[str, list[Race]] = {name: [] for name in meeting.rounds}
    for race in meeting.races:
        rounds[race.round].append(race)
    body = (
        meeting_crumbs(meeting)
        + f"""
<div class="row">
	<div class="col-lg-8">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-list-ol fa-fw"></i> Lineups and results</div>
			<div class="panel-body no_padding">
{lineups(meeting)}{rankings(meeting)}{results(meeting, rounds)}
			</div>
		</div>
	</div>
	<div class="col-lg-4">
{event_stats(meeting)}
	</div>
</div>
"""
    )
    return page(title=f"{meeting.track.name} :: {meeting.name}", body=body)


def table(head: str, rows: str, *, span: str = "") -> str:
    return f"""
						<div class="table-responsive">
							<table class="table table-hover entry_list_data">
								<thead>
									<tr>
										<th{span}><span class="class_header">{head}</span></th>
									</tr>
								</thead>
								<tbody>{rows}
								</tbody>
							</table>
						</div>
"""


def link_row(href: str, icon: str, label: str) -> str:
    return f"""
											<tr>
												<td><a href="{href}" class="block"><i class="fa fa-{icon}"></i> {text(label)}</a></td>
											</tr>"""


def sheet_id(meeting: Meeting, name: str) -> int:
    """Heat sheets, points and rankings have ids of their own: event id, kind and number."""
    names = sorted({race.round for race in meeting.races})
    return meeting.id * 100 + 10 + names.index(name)


def multi_mains(meeting: Meeting) -> dict[int, tuple[str, str]]:
    """Id -> class and main letter, for every main run in legs."""
    keys = sorted({(race.class_name, race.letter) for race in meeting.races if race.leg})
    return {meeting.id * 100 + 40 + n: key for n, key in enumerate(keys)}


def lineups(meeting: Meeting) -> str:
    rows = f"""
									<tr class="clickable-row" data-href="/results/?p=view_entry_list&id={meeting.id}">
										<td><a href="/results/?p=view_entry_list&id={meeting.id}" class="block"><i class="fa fa-bars"></i> Entry List</a></td>
									</tr>"""
    heats = [name for name in meeting.rounds if name != "Main Events"]
    for name in [*heats, *(["Main Events"] if "Main Events" in meeting.rounds else [])]:
        rows += link_row(f"/results/?p=view_heat_sheet&id={sheet_id(meeting, name)}", "list", name)
    return table("Race Lineups &amp; Entry List", rows)


def rankings(meeting: Meeting) -> str:
    if not meeting.races:
        return ""
    rounds = [name for name in reversed(meeting.rounds) if name.startswith("Qualifier")]
    rows = link_row(f"/results/?p=event_overall_ranking&id={meeting.id}", "trophy", "Final Results")
    rows += link_row(
        f"/results/?p=view_points&id={meeting.id * 100 + 30}",
        "th",
        f"Qual Points (best {meeting.counted_rounds} of {len(rounds)})",
    )
    for name in rounds:
        rows += link_row(
            f"/results/?p=view_round_ranking&id={sheet_id(meeting, name)}&o=laps_time",
            "list-ol",
            f"{name} Rankings",
        )
    for sheet, (class_name, letter) in multi_mains(meeting).items():
        rows += link_row(
            f"/results/?p=view_multi_main_result&id={sheet}",
            "trophy",
            f"{class_name} Triple {letter}-Main Results",
        )
    return table("Overall Results &amp; Rankings", rows)


def link_label(meeting: Meeting, race: Race) -> str:
    """'1/8 Nitro Buggy (1/8 Nitro Buggy A-Main)' in the long form, 'ISTC - 21.5T A3-Main' in the short one."""
    return race.label if meeting.is_short else f"{race.class_name} ({race.label})"


def results(meeting: Meeting, rounds: dict[str, list[Race]]) -> str:
    rows = ""
    for name, races in rounds.items():
        rows += f"""
											<tr>
												<th>{text(name)}</th>
												<th>Time Completed</th>
											</tr>"""
        for race in sorted(races, key=lambda race: -race.number):
            rows += f"""
													<tr>
														<td><a href="/results/?p=view_race_result&id={race.id}" class="block"><i class="fa fa-trophy"></i> Race {race.number}: {text(link_label(meeting, race))}</a></td>
														<td>{day(race.completed_at)} at {minute(race.completed_at)}</td>
													</tr>"""
    if not rounds:
        return ""
    return table("Race Results", rows, span=' colspan="2"')
