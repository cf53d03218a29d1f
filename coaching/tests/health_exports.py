"""Apple Health exports made from numbers."""

import io
import zipfile

HEAD = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED>
]>
"""
ME = '<Me HKCharacteristicTypeIdentifierDateOfBirth="1990-01-01"/>'


def record(
    kind: str,
    value: object,
    start: str,
    end: str = "",
    *,
    source: str = "Watch",
    unit: str = "count/min",
) -> str:
    """One Record; `kind` without Apple's prefix."""
    return (
        f'<Record type="HKQuantityTypeIdentifier{kind}" sourceName="{source}" unit="{unit}" '
        f'startDate="{start}" endDate="{end or start}" value="{value}"/>'
    )


def sleep(stage: str, start: str, end: str, *, source: str = "Watch") -> str:
    return (
        f'<Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="{source}" '
        f'startDate="{start}" endDate="{end}" value="HKCategoryValueSleepAnalysis{stage}"/>'
    )


def workout(
    start: str, end: str, *, inner: str = "", kind: str = "Cycling", extra: str = ""
) -> str:
    return (
        f'<Workout workoutActivityType="HKWorkoutActivityType{kind}" sourceName="Watch" {extra} '
        f'startDate="{start}" endDate="{end}">{inner}</Workout>'
    )


def xml(*elements: str, head: bytes = HEAD, tail: str = "</HealthData>") -> bytes:
    body = f'<HealthData locale="en_AU">{ME}' + "\n".join(elements) + tail
    return head + body.encode()


def zipped(
    content: bytes, *, name: str = "apple_health_export/export.xml", **others: bytes
) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr(name, content)
        for other, data in others.items():
            box.writestr(other.replace("__", "/").replace("_dot_", "."), data)
    file.seek(0)
    return file
