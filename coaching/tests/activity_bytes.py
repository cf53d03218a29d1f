"""Activity files made from numbers: GPX, TCX and a small FIT encoder."""

import struct
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)


def gpx(
    count: int = 61, *, step_s: int = 1, bpm: int | None = 140, start: datetime = START
) -> bytes:
    """A straight ride north, 0.0001° (about 11 m) a sample."""
    points = []
    for n in range(count):
        at = (start + timedelta(seconds=n * step_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
        beat = f"<extensions><x:hr>{bpm}</x:hr></extensions>" if bpm else ""
        points.append(
            f'<trkpt lat="{-35 + n * 0.0001:.6f}" lon="149.1"><ele>{600 + n % 2}</ele>'
            f"<time>{at}</time>{beat}</trkpt>"
        )
    return (
        '<?xml version="1.0"?><gpx xmlns="http://g" xmlns:x="http://x"><trk><name>secret title</name>'
        f"<type>cycling</type><trkseg>{''.join(points)}</trkseg></trk></gpx>"
    ).encode()


def tcx(watts: int = 200, seconds: int = 120, start: datetime = START) -> bytes:
    points = "".join(
        f"<Trackpoint><Time>{(start + timedelta(seconds=n)).isoformat()}</Time>"
        f"<Position><LatitudeDegrees>-35.0</LatitudeDegrees><LongitudeDegrees>149.1</LongitudeDegrees></Position>"
        f"<DistanceMeters>{n * 8}</DistanceMeters><HeartRateBpm><Value>150</Value></HeartRateBpm>"
        f"<Extensions><n:TPX xmlns:n='http://n'><n:Watts>{watts}</n:Watts></n:TPX></Extensions></Trackpoint>"
        for n in range(seconds + 1)
    )
    return (
        '<TrainingCenterDatabase><Activities><Activity Sport="Biking"><Id>x</Id><Lap>'
        f"<Calories>55</Calories><Track>{points}</Track></Lap></Activity></Activities></TrainingCenterDatabase>"
    ).encode()


def crc(data: bytes) -> int:
    """FIT's CRC-16 (polynomial 0xA001, reflected)."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


def fit(
    *,
    seconds: int = 120,
    watts: int = 210,
    bpm: int = 145,
    session: bool = True,
    start: datetime = START,
) -> bytes:
    """A FIT activity: one record a second and, unless told otherwise, a session message."""
    stamp = int((start - FIT_EPOCH).total_seconds())
    body = bytearray()
    # definition 0: record (20): timestamp uint32, heart_rate uint8, power uint16, distance uint32
    body += struct.pack("<BBBHB", 0x40, 0, 0, 20, 4)
    body += bytes([253, 4, 0x86, 3, 1, 0x02, 7, 2, 0x84, 5, 4, 0x86])
    for n in range(seconds + 1):
        body += struct.pack("<BIBHI", 0, stamp + n, bpm, watts, n * 800)
    if session:
        # definition 1: session (18): timestamp, start_time, elapsed ms, timer ms, distance cm, sport, power, hr
        body += struct.pack("<BBBHB", 0x41, 0, 0, 18, 8)
        body += bytes([253, 4, 0x86, 2, 4, 0x86, 7, 4, 0x86, 8, 4, 0x86, 9, 4, 0x86, 5, 1, 0x00])
        body += bytes([20, 2, 0x84, 16, 1, 0x02])
        body += struct.pack(
            "<BIIIIIBHB",
            1,
            stamp + seconds,
            stamp,
            seconds * 1000,
            (seconds - 20) * 1000,
            seconds * 800,
            2,
            watts,
            bpm,
        )
    header = struct.pack("<BBHI4s", 14, 0x20, 2132, len(body), b".FIT")
    header += struct.pack("<H", crc(header))
    data = header + bytes(body)
    return data + struct.pack("<H", crc(data))
