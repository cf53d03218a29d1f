"""What every page has round its content, and the words dates are written in."""

from datetime import date, datetime
from html import escape


def text(value: object) -> str:
    """Apostrophes and quotes stand raw on these pages; only markup is escaped."""
    return escape(str(value), quote=False)


def day(value: date) -> str:
    """'Nov 16, 2025'"""
    return f"{value:%b} {value.day}, {value.year}"


def days(first: date, last: date, joint: str = " to ") -> str:
    return day(first) if first == last else f"{day(first)}{joint}{day(last)}"


def long_day(value: date) -> str:
    """'October 25, 2025 (Saturday)'"""
    return f"{value:%B} {value.day}, {value.year} ({value:%A})"


def minute(value: datetime) -> str:
    """'5:30pm'"""
    return f"{value.hour % 12 or 12}:{value:%M}{'am' if value.hour < 12 else 'pm'}"


def second(value: datetime) -> str:
    """'4:36:38pm'"""
    return f"{value.hour % 12 or 12}:{value:%M:%S}{'am' if value.hour < 12 else 'pm'}"


# Round every page there is far more than the page: menus, share buttons, dialogs, scripts. A reader
# must get past as much here as there.
_MENUS = (
    ("road", "Track", ("dashboard", "about", "events", "news", "gallery", "directions", "contact")),
    ("list-ol", "Results", ("results", "points", "records", "rankings", "archive")),
    ("clock-o", "Practice", ("practice", "sessions", "transponders", "leaders")),
    ("users", "People", ("drivers", "entries", "sponsors", "officials", "shops")),
)
_SHEETS = ("base", "grid", "icons", "menu", "tables", "charts", "dates", "dialogs", "print")
_SCRIPTS = ("library", "grid", "menu", "tables", "charts", "dates", "dialogs", "laps", "page")
_SHARED_BY = ("letter", "feed", "group", "board")


def _links() -> str:
    return "\n".join(f'\t\t<link href="/assets/{one}.css?1" rel="stylesheet" />' for one in _SHEETS)


def _menus() -> str:
    def items(names: tuple[str, ...]) -> str:
        return "\n".join(
            f"""							<li>
								<a href="/{name}/"><i class="fa fa-angle-right fa-fw"></i> {name.title()}</a>
							</li>"""
            for name in names
        )

    return "\n".join(
        f"""					<li>
						<a href="#"><i class="fa fa-{icon} fa-fw"></i> {name}<span class="fa arrow"></span></a>
						<ul class="nav nav-second-level">
{items(pages)}
						</ul>
					</li>"""
        for icon, name, pages in _MENUS
    )


def _share() -> str:
    return "\n".join(
        f"""						<div class="share_item">
							<a class="btn btn-social-icon" href="#" data-share="{name}"><i class="fa fa-{name}"></i></a>
						</div>"""
        for name in _SHARED_BY
    )


def _dialogs() -> str:
    return "\n".join(
        f"""			<div class="modal fade" id="{name}_dialog" tabindex="-1" role="dialog">
				<div class="modal-dialog">
					<div class="modal-content">
						<div class="modal-header"><button type="button" class="close">&times;</button></div>
						<div class="modal-body"><p>Loading {name}</p></div>
					</div>
				</div>
			</div>"""
        for name in ("driver", "share")
    )


def _scripts() -> str:
    return "\n".join(
        f'\t\t<script type="text/javascript" src="/assets/{one}.js?1"></script>' for one in _SCRIPTS
    )


def page(*, title: str, body: str, year: int = 2026, script: str = "") -> str:
    """A whole document round the content of one page."""
    return f"""<!DOCTYPE html>
<html lang="en">
	<head>
		<meta charset="utf-8" />
		<meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
		<meta name="viewport" content="width=device-width, initial-scale=1" />
		<title>{text(title)} :: LiveRC</title>
		<meta name="Copyright" content="{year} stand-in" />
		<meta name="robots" content="index, follow" />
{_links()}
		<script type="text/javascript">
			var domain = 'stand-in';{script}
		</script>
	</head>
	<body>
		<pre class="hidden" id="user_profile_data">false</pre>
		<div id="wrapper">
			<nav class="navbar navbar-default navbar-static-top" role="navigation">
				<div class="navbar-header">
					<button type="button" class="navbar-toggle"><span class="icon-bar"></span></button>
					<a class="navbar-brand" href="/"><img src="/assets/logo.png" alt="Stand-in" /></a>
				</div>
				<div class="navbar-form">
					<form action="/search/"><div class="input-group"><input type="text" name="q" /></div></form>
{_share()}
				</div>
				<ul class="nav" id="side-menu">
{_menus()}
				</ul>
			</nav>
			<div id="page-wrapper">

{body}

			</div>
			<!-- /#page-wrapper -->
		</div>
		<div id="modals">
{_dialogs()}
		</div>
		<div id="footer"><p>Stand-in of a timing site</p></div>
{_scripts()}
	</body>
</html>
"""


def crumbs(*, track: str, head: str = "", when: str = "", icon: str = "list-ol") -> str:
    """Breadcrumb: track, then event or page, then date. An icon stands before each text."""
    if not head:
        return f"""<div class="row page-breadcrumb">
	<div class="col-lg-12">
		<h1 class="page-header"><span class="fa fa-{icon}"></span> {text(track)}</h1>
	</div>
</div>
"""
    date_line = (
        f"""
			<h5 class="page-header text-nowrap pull-left"><span class="fa fa-calendar"></span> {text(when)}</h5>"""
        if when
        else ""
    )
    return f"""<div class="row page-breadcrumb">
	<div class="col-lg-12">
		<h1 class="page-header"><span class="fa fa-road"></span> {text(track)}</h1>
		<div class="clearfix">
			<h3 class="page-header text-nowrap pull-left"><span class="fa fa-{icon}"></span> {text(head)}</h3>{date_line}
		</div>
	</div>
</div>
"""


def meeting_crumbs(meeting) -> str:
    when = days(meeting.first_day, meeting.last_day)
    return crumbs(track=meeting.track.name, head=meeting.name, when=when)


def cells(names: list[str], indent: str = "\t\t\t\t\t\t\t\t\t") -> str:
    return "\n".join(f"{indent}<th>{name}</th>" for name in names)


def event_stats(meeting) -> str:
    """The card beside an event: where, who, how many laps."""
    laps = sum(len(run.laps_ms) for race in meeting.races for run in race.runs)
    entries = sum(len(racers) for racers in meeting.entries.values())
    return f"""<div class="card">
	<div class="card-header">
		<h2><i class="fas fa-chart-line"></i> Event Stats</h2>
	</div>
	<div class="card-body p-0">
		<table class="table table-sm table-borderless m-0">
			<tbody>
				<tr>
					<th>Race Track</th>
					<td>{text(meeting.course)}</td>
				</tr>
				<tr>
					<th>Registrations</th>
					<td>
						Entries: {entries}<br />
						Drivers: {meeting.drivers}					</td>
				</tr>
				<tr>
					<th>Total Race Laps</th>
					<td>{laps:,}</td>
				</tr>
			</tbody>
		</table>
	</div>
</div>"""
