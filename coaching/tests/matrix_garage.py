"""Who may open the garage's addresses."""

from coaching.models import Heat, RunLog
from coaching.services import changes, garage, lap_files
from coaching.tests.builders import drive, make_driver, make_profile, make_session
from racecontrol.testing.matrix import of_api

SHARED = {"coaching:driver_orp", "coaching:claim"}
SESSION_PAGES = ("session", "session_change", "session_delete", "lap_add", "laps_paste",
                 "change_propose", "audit_begin", "laps_upload", "laps_export", "session_sync")  # fmt: skip
RACER_PAGES = ("profile", "profile_default", "profile_delete", "claim_withdraw")
AT = "sessions/{session_id}"
SESSION_OPERATIONS = (
    f"get|patch|delete {AT}",
    f"get|post|delete {AT}/laps",
    f"post {AT}/laps/batch",
    f"patch|delete {AT}/laps/{{lap_id}}",
    f"get {AT}/summary",
    f"get {AT}/orp",
    f"get|post {AT}/changes",
    f"post {AT}/changes/{{change_id}}/decision",
    f"get|patch {AT}/heats/{{heat_name}}",
)
RACER_OPERATIONS = ("put racers/{profile_id}", "post|delete racers/{profile_id}/claim")


def samples(owner):
    return of_racer(owner) | of_session(owner)


def of_racer(owner) -> dict[str, dict]:
    profile, driver = make_profile(owner), make_driver()
    vehicle = garage.save_vehicle(by=owner, profile_id=profile.pk, brand="Tekno", model="EB48")
    return {
        **{f"coaching:{name}": {"profile_id": profile.pk} for name in RACER_PAGES},
        **of_api(RACER_OPERATIONS, profile_id=profile.pk),
        "coaching:vehicle": {"vehicle_id": vehicle.pk},
        "coaching:vehicle_delete": {"vehicle_id": vehicle.pk},
        "coaching:driver_orp": {"driver_id": driver.pk},
        "coaching:claim": {"driver_id": driver.pk},
    }


def of_session(owner) -> dict[str, dict]:
    session = make_session(owner)
    drive(session)
    heat = Heat.objects.get(session=session)
    lap = RunLog.objects.filter(heat=heat).first()
    who = {"session_id": session.pk, "by": owner}
    change = changes.propose_change(**who, parameter="SO_F", new_value="40 wt")
    audit = changes.begin_audit(**who)
    file, _ = lap_files.request_import(
        **who, name="laps.csv", content=[b"heat_name,lap_number,lap_time\n"]
    )
    at = {"session_id": session.pk}
    return {
        **{f"coaching:{name}": at for name in SESSION_PAGES},
        "coaching:session_status": at | {"status": "start"},
        "coaching:lap_change": at | {"lap_id": lap.pk},
        "coaching:heat_change": at | {"heat_id": heat.pk},
        "coaching:heat_delete": at | {"heat_id": heat.pk},
        "coaching:change_decide": at | {"change_id": change.pk},
        "coaching:audit_answer": at | {"audit_id": audit.pk},
        "coaching:lap_file": {"file_id": file.pk},
        **of_api(SESSION_OPERATIONS, **at, lap_id=lap.pk, change_id=change.pk, heat_name="Q1"),
    }
