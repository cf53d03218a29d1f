"""FIT, GPX and TCX files -> one activity each. Positions are read for distance only and not kept."""

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import IO, Any
from xml.parsers import expat

import fitdecode

from coaching.domain.curves import thin
from coaching.domain.fitness import normalised_power
from coaching.uploads import archive
from coaching.uploads.errors import BadUpload

MOST_FILE = 64 * 1024**2  # one activity; a day of 1 Hz FIT has about 5 MB
MOST_IN_ZIP = 5_000
SUFFIXES = (".fit", ".gpx", ".tcx", ".fit.gz", ".gpx.gz", ".tcx.gz")
STOPPED_AFTER = 30  # seconds between two points above which nobody was moving
FASTEST = 60.0  # m/s; a jump above it is a broken fix, not a ride


@dataclass(frozen=True, slots=True)
class ActivityRead:
    """One activity as its file tells it; times in UTC, None where the file is silent."""

    source: str  # "FIT file": the same ride brought twice in one form is one row
    kind: str
    starts_at: datetime
    elapsed_s: int
    moving_s: int
    distance_m: float | None = None
    ascent_m: float | None = None
    average_w: float | None = None
    normalised_w: float | None = None
    average_bpm: float | None = None
    max_bpm: int | None = None
    energy_kcal: float | None = None
    curves: dict[str, list[float | None]] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Point:
    """One sample of a track."""

    at: datetime
    position: tuple[float, float] | None = None
    altitude_m: float | None = None
    distance_m: float | None = None
    bpm: int | None = None
    watts: int | None = None


def read_file(file: IO[bytes], name: str) -> Iterator[tuple[str, ActivityRead | BadUpload]]:
    """(name, activity or what is wrong with it) of a file, or of each file in a zip.

    Raises BadUpload where the upload as a whole cannot be used.
    """
    if not name.lower().endswith(".zip"):
        yield name, _one(file.read(MOST_FILE + 1), name)
        return
    box = archive.opened(file)
    entries = [e for e in box.infolist() if e.filename.lower().endswith(SUFFIXES)]
    if not entries:
        raise BadUpload("There is no FIT, GPX or TCX file in this zip.")
    if len(entries) > MOST_IN_ZIP:
        raise BadUpload(f"At most {MOST_IN_ZIP} activities at once; split the zip.")
    for entry in entries:
        if entry.file_size > MOST_FILE:
            yield entry.filename, BadUpload("Larger than 64 MB.")
            continue
        try:
            data = b"".join(archive.stream(box, entry))
        except BadUpload as refusal:
            yield entry.filename, refusal
            continue
        yield entry.filename, _one(data, entry.filename)


def misdated(read: ActivityRead, *, latest: datetime) -> str:
    """What is wrong with the dates of an activity, for its athlete; empty where nothing is.

    `latest` is the last moment it may end at. A device that lost its clock starts at 1989 or 1970.
    """
    if read.starts_at.year < 1990:
        return f"It is dated {read.starts_at:%Y}: the device had lost its clock."
    try:
        ends_at = read.starts_at + timedelta(seconds=read.elapsed_s)
    except OverflowError:
        ends_at = latest.max.replace(tzinfo=UTC)
    if ends_at > latest:
        return f"It is dated {read.starts_at:%Y-%m-%d}, which is still to come: was the device's clock right?"
    return ""


def _one(data: bytes, name: str) -> ActivityRead | BadUpload:
    try:
        return read_activity(data, name)
    except BadUpload as refusal:
        return refusal


def read_activity(data: bytes, name: str) -> ActivityRead:
    """One activity from the bytes of a FIT, GPX or TCX file (also gzipped). Raises BadUpload."""
    lower = name.lower()
    if lower.endswith(".gz"):
        try:
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MOST_FILE + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise BadUpload(f"{name} is damaged.") from error
        lower = lower.removesuffix(".gz")
    if len(data) > MOST_FILE:
        raise BadUpload(f"{name} is larger than 64 MB.")
    readers = {".fit": read_fit, ".gpx": read_gpx, ".tcx": read_tcx}
    for suffix, reader in readers.items():
        if lower.endswith(suffix):
            return reader(data)
    raise BadUpload(f"{name} is none of FIT, GPX, TCX.")


def read_fit(data: bytes) -> ActivityRead:
    """A FIT activity: the session message where there is one, else what its records add up to."""
    session: dict[str, Any] = {}
    points: list[Point] = []
    try:
        with fitdecode.FitReader(io.BytesIO(data), check_crc=fitdecode.CrcCheck.RAISE) as reader:
            for frame in reader:
                if frame.frame_type != fitdecode.FIT_FRAME_DATA:
                    continue
                if frame.name == "session" and not session:
                    session = {f.name: f.value for f in frame.fields if f.value is not None}
                elif frame.name == "record" and frame.has_field("timestamp"):
                    at = frame.get_value("timestamp", fallback=None)
                    if isinstance(at, datetime):
                        points.append(
                            Point(
                                at=at.astimezone(UTC),
                                altitude_m=_float(_field(frame, "enhanced_altitude", "altitude")),
                                distance_m=_float(_field(frame, "distance")),
                                bpm=_int(_field(frame, "heart_rate")),
                                watts=_int(_field(frame, "power")),
                            )
                        )
    except (fitdecode.FitError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise BadUpload("The FIT file is damaged.") from error
    base = summary(points, "FIT file", str(session.get("sport", ""))) if len(points) > 1 else None
    start = session.get("start_time")
    if not isinstance(start, datetime) or "total_elapsed_time" not in session:
        if base is None:
            raise BadUpload("The FIT file holds no activity.")
        return base
    elapsed = int(_float(session["total_elapsed_time"]) or 0)
    if elapsed <= 0:
        raise BadUpload("The FIT file holds an activity without duration.")
    moving = int(_float(session.get("total_timer_time")) or elapsed)
    return ActivityRead(
        source="FIT file",
        kind=str(session.get("sport", ""))[:60],
        starts_at=start.astimezone(UTC),
        elapsed_s=elapsed,
        moving_s=min(moving, elapsed),
        distance_m=_float(session.get("total_distance")),
        ascent_m=_float(session.get("total_ascent")),
        average_w=_float(session.get("avg_power")),
        normalised_w=_float(session.get("normalized_power"))
        or (base.normalised_w if base else None),
        average_bpm=_float(session.get("avg_heart_rate")),
        max_bpm=_int(session.get("max_heart_rate")),
        energy_kcal=_float(session.get("total_calories")),
        curves=base.curves if base else {},
    )


def read_gpx(data: bytes) -> ActivityRead:
    """A GPX track; without times there is nothing to train from and it is refused."""
    found = _walk(data, "gpx", point="trkpt")
    kind = found.texts.get("type", "")
    return summary(found.points("time", "ele"), "GPX file", kind)


def read_tcx(data: bytes) -> ActivityRead:
    """A TCX activity (Garmin Training Center)."""
    found = _walk(data, "TrainingCenterDatabase", point="Trackpoint")
    energy = sum(_float(value) or 0 for value in found.lists.get("Calories", []))
    points = found.points("Time", "AltitudeMeters")
    return summary(points, "TCX file", found.sport, energy_kcal=energy or None)


def summary(
    points: list[Point], source: str, kind: str, *, energy_kcal: float | None = None
) -> ActivityRead:
    """An activity from its samples. Raises BadUpload for fewer than two with a time."""
    points = sorted((p for p in points if p.at.year >= 1990), key=lambda p: p.at)
    if len(points) < 2 or points[-1].at == points[0].at:
        raise BadUpload("The file has no samples with times, so there is nothing to train from.")
    moving = distance = ascent = 0.0
    for before, after in pairwise(points):
        seconds = (after.at - before.at).total_seconds()
        metres = 0.0
        if before.position and after.position:
            metres = great_circle_m(before.position, after.position)
            if seconds and metres / seconds > FASTEST:
                metres = 0.0
        distance += metres
        if seconds <= STOPPED_AFTER:
            moving += seconds
        if before.altitude_m is not None and after.altitude_m is not None:
            ascent += max(0.0, after.altitude_m - before.altitude_m)
    told = [p.distance_m for p in points if p.distance_m is not None]
    beats = [p.bpm for p in points if p.bpm]
    watts = [p.watts for p in points if p.watts is not None]
    return ActivityRead(
        source=source,
        kind=kind[:60],
        starts_at=points[0].at,
        elapsed_s=int((points[-1].at - points[0].at).total_seconds()),
        moving_s=int(moving),
        distance_m=round(max(told) if told else distance, 1) or None,
        ascent_m=round(ascent, 1) if any(p.altitude_m is not None for p in points) else None,
        average_w=round(sum(watts) / len(watts), 1) if watts else None,
        normalised_w=_normalised(points),
        average_bpm=round(sum(beats) / len(beats), 1) if beats else None,
        max_bpm=max(beats) if beats else None,
        energy_kcal=energy_kcal,
        curves=_curves(points),
    )


def _curves(points: list[Point]) -> dict[str, list[float | None]]:
    """Power, pulse and height over time, made small; positions are left out."""
    found: dict[str, list[float | None]] = {
        "watts": [p.watts for p in points],
        "bpm": [p.bpm for p in points],
        "altitude_m": [p.altitude_m for p in points],
    }
    told = {name: values for name, values in found.items() if any(v is not None for v in values)}
    if not told:
        return {}
    return thin({"time_s": [(p.at - points[0].at).total_seconds() for p in points], **told})


def great_circle_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two (latitude, longitude), haversine on a sphere of 6,371,008.8 m."""
    lat_a, lon_a, lat_b, lon_b = map(radians, (*a, *b))
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6_371_008.8 * asin(min(1.0, sqrt(half)))


def _normalised(points: list[Point]) -> float | None:
    """Normalised power over one sample a second; samples further apart are held, pauses are zero."""
    if not any(p.watts is not None for p in points):
        return None
    seconds = int((points[-1].at - points[0].at).total_seconds()) + 1
    if seconds > 48 * 3600:
        return None
    grid: list[int | None] = [None] * seconds
    for before, after in zip(points, [*points[1:], points[-1]], strict=False):
        begin = int((before.at - points[0].at).total_seconds())
        length = int((after.at - before.at).total_seconds()) or 1
        for second in range(begin, begin + (length if length <= 10 else 1)):
            grid[second] = before.watts
    value = normalised_power(grid)
    return round(value, 1) if value is not None else None


class _Found:
    """What a GPX or TCX holds: texts by element, and one dictionary per point."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.rows: list[dict[str, str]] = []
        self.sport = ""

    def points(self, time: str, altitude: str) -> list[Point]:
        out = []
        for row in self.rows:
            at = _time(row.get(time, ""))
            if at is None:
                continue
            lat, lon = _float(row.get("lat")), _float(row.get("lon"))
            there = lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180
            out.append(
                Point(
                    at=at,
                    position=(lat, lon) if there and lat is not None and lon is not None else None,
                    altitude_m=_float(row.get(altitude)),
                    distance_m=_float(row.get("DistanceMeters")),
                    bpm=_int(row.get("hr") or row.get("Value")),
                    watts=_int(row.get("power") or row.get("Watts")),
                )
            )
        return out


def _walk(data: bytes, root: str, *, point: str) -> _Found:
    """Read GPX or TCX with expat; a document type is refused, so no entity can be defined."""
    found, path, text = _Found(), [], []
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def no_doctype(*_: Any) -> None:
        raise BadUpload("The file has a document type, which no GPX or TCX needs.")

    def start(name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if not path and name != root:
            raise BadUpload(f"This is not a {root} file.")
        path.append(name)
        if len(path) > 40:
            raise BadUpload("The file is nested too deep to be real.")
        text.clear()
        if name == point:
            found.rows.append(dict(attributes))
        elif name == "Activity":
            found.sport = attributes.get("Sport", "")

    def end(name: str) -> None:
        name = name.rpartition(":")[2]
        value = "".join(text).strip()
        text.clear()
        path.pop()
        if not value:
            return
        if point in path and found.rows:
            keys = {"LatitudeDegrees": "lat", "LongitudeDegrees": "lon"}
            found.rows[-1].setdefault(keys.get(name, name), value[:40])
        else:
            found.texts.setdefault(name, value[:60])
            found.lists.setdefault(name, []).append(value[:40])

    parser.StartDoctypeDeclHandler = no_doctype
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadUpload("The file is damaged or incomplete.") from error
    return found


def _time(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d\d-\d\dT", text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _field(frame: Any, *names: str) -> Any:
    for name in names:
        if frame.has_field(name):
            return frame.get_value(name, fallback=None)
    return None


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e9 else None


def _int(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and 0 <= number < 10_000 else None
