"""The catalogue of tracks, a track's dashboard and its list of events."""

from datetime import datetime, time
from urllib.parse import quote

from ingestion.fake_liverc.facts import Track
from ingestion.fake_liverc.pages.frame import crumbs, days, page, text


def catalogue_page(tracks: tuple[Track, ...]) -> str:
    rows = "".join(track_row(track) for track in tracks)
    body = (
        crumbs(track="Track List", icon="road")
        + f"""
<div class="row">
	<div class="col-lg-6">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-road fa-fw"></i> Tracks</div>
			<div class="panel-body no_padding">
				<ul class="list-inline padding_container">
					<li><i class="fa fa-video-camera fa-fw status_video_1"></i> Video</li>
					<li><i class="fa fa-flag-checkered fa-fw status_2"></i> Racing</li>
				</ul>
				<div class="table-responsive">
					<table class="table table-striped track_list" cellspacing="0" width="100%">
						<thead>
							<tr>
								<th class="col_min">Status</th>
								<th>Track Name</th>
							</tr>
						</thead>
						<tfoot>
							<tr>
								<th>Status</th>
								<th>Track Name</th>
							</tr>
						</tfoot>
						<tbody>{rows}
						</tbody>
					</table>
				</div>
			</div>
		</div>
	</div>
</div>
"""
    )
    return page(title="LiveRC :: Tracks of the stand-in", body=body)


STATUS_ICON = {0: "power-off", 1: "clock-o", 2: "flag-checkered"}


def track_row(track: Track) -> str:
    """One track. Clubs type their activity by hand; it stands in the page unescaped."""
    star = (
        '\n\t\t\t\t\t\t\t\t\t\t\t\t<i class="fa fa-star fa-fw status_featured"></i>'
        if track.is_featured
        else ""
    )
    label = f'<div class="indent"><small>{track.label}</small></div>' if track.label else ""
    where = "live" if track.status else "results"
    return f"""
										<tr class="clickable-row" data-href="//{track.slug}.liverc.com/{where}/">
											<td class="text-nowrap">
												<i class="fa fa-video-camera fa-fw status_video_{int(track.has_video)}"></i>
												<i class="fa fa-{STATUS_ICON[track.status]} fa-fw status_{track.status}"></i>{star}
												<br /><small><small>{track.age}</small></small>
											</td>
											<td><span class="hidden">seRC</span><a href="//{track.slug}.liverc.com/"><strong>{text(track.name)}</strong></a>{label}</td>
										</tr>"""


def panel(href: str, icon: str, huge: str, stats: str, footer: str) -> str:
    return f"""
	<a href="{href}">
		<div class="col-lg-3 col-md-6 col-xs-6">
			<div class="panel panel-green">
				<div class="panel-heading">
					<div class="row">
						<div class="col-xs-3"><i class="fa fa-{icon} fa-4x"></i></div>
						<div class="col-xs-9 text-right">
							<div class="huge">{huge}</div>
							<div class="stats">{stats}</div>
						</div>
					</div>
				</div>
				<div class="panel-footer">
					<span class="pull-left"><u>{footer}</u></span>
					<div class="clearfix"></div>
				</div>
			</div>
		</div>
	</a>
"""


LIVE = {0: "Track is Offline", 1: "LIVE (Practice)", 2: "LIVE (Racing)"}


def city_line(track: Track) -> str:
    """'City, ST zip' in North America, 'City zip' elsewhere."""
    if track.country_code in ("US", "CA"):
        return f"{track.city}, {track.region} {track.postal}"
    return f"{track.city} {track.postal}".strip()


def map_query(track: Track) -> str:
    region = track.region if track.country_code in ("US", "CA") else ""
    return f"{track.street},{track.city},{region}+{track.postal},{track.country_code}"


def dashboard_page(track: Track, *, lifetime: dict[str, int], this_month: dict[str, int]) -> str:
    body = (
        crumbs(track=f"{track.name}'s Dashboard", icon="dashboard")
        + f"""
<div class="row dashboard_panels">
{panel("/live/", "hourglass", '<i class="fa fa-times"></i>', LIVE[track.status], "Live")}
{panel("/results/", "list-ol", f"{this_month['results']:,}", "Results This Month", "Current event")}
{panel("/practice/", "clock-o", f"{this_month['sessions']:,}", "Sessions This Month", "Practice")}
{panel("/videos/", "video-camera", "0", "Videos This Month", "Videos")}
</div>

<div class="row">
	<div class="col-lg-8">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-flag fa-fw"></i> About {text(track.name)}</div>
			<div class="panel-body">
				<div class="row">
					<div class="col-sm-4">
{address(track)}
					</div>
				</div>
			</div>
		</div>
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-map-marker fa-fw"></i> Map</div>
			<div class="panel-body no-padding">
				<iframe width="100%" frameborder="0" src="/maps/embed/v1/place?key=none&q={map_query(track)}" allowfullscreen></iframe>
			</div>
		</div>
	</div>
	<div class="col-lg-4">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-line-chart fa-fw"></i> Lifetime Track Stats</div>
			<div class="panel-body no_padding">
				<table class="table">
					<tbody>{lifetime_rows(lifetime)}
					</tbody>
				</table>
			</div>
		</div>
	</div>
</div>
"""
    )
    return page(title=f"{track.name} :: Dashboard", body=body)


def address(track: Track) -> str:
    website = (
        f'<a href="{track.website}" target="_blank">{track.website}</a>' if track.website else "N/A"
    )
    return f"""						<address class="small">
							<strong>{text(track.name)}</strong>
							<br>{text(track.street)}							<br>{text(city_line(track))}							<br>{text(track.country)}							<br>
							<br><abbr title="Phone">P:</abbr> N/A							<br><abbr title="Website">W:</abbr> {website}							<br><abbr title="E-Mail">E:</abbr> <a href="javascript:noSpam('club', '{track.slug}.example');" target="_blank">{entities(f"club@{track.slug}.example")}</a>						</address>"""


def lifetime_rows(lifetime: dict[str, int]) -> str:
    return "".join(
        f"""
						<tr>
							<th>{name}</th>
							<td class="text-right">{count:,}</td>
						</tr>"""
        for name, count in lifetime.items()
    )


def entities(value: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in value)


def events_page(track: Track, programmes, counts: dict[int, tuple[int, int]]) -> str:
    """Newest first. The hidden time is midnight or the planned start, never when racing began."""
    rows = "".join(
        f"""
									<tr>
										<td><a href="/results/?p=view_event&id={p.id}">{text(p.name)}</a></td>
										<td><span class="hidden">{datetime.combine(p.day, p.starts_at or time(0))}</span>{days(p.day, p.last_day, " to <br />")}</td>
										<td>{counts[p.id][0]}</td>
										<td>{counts[p.id][1]}</td>
									</tr>"""
        for p in programmes
    )
    heads = "".join(
        f"\n\t\t\t\t\t\t\t\t\t<th>{name}</th>"
        for name in ("Event Name", "Date", "# Entries", "# Drivers")
    )
    body = (
        crumbs(track=f"{track.name}'s Events", icon="calendar")
        + f"""
<div class="row">
	<div class="col-lg-12">
		<div class="panel panel-default">
			<div class="panel-heading"><i class="fa fa-calendar"></i> Events</div>
			<div class="panel-body no_padding">
				<div class="table-responsive">
					<table id="events" class="table table-striped" width="100%">
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
				</div>
			</div>
		</div>
	</div>
</div>
"""
    )
    return page(title=f"{track.name} :: Events", body=body, script=f" // {quote(track.slug)}")
