"""Who may open the garage's addresses."""

from coaching.models import Heat, RunLog
from coaching.services import changes, garage, lap_files
from coaching.tests.builders import drive, make_driver, make_profile, make_session

SHARED = {"coaching:driver_orp", "coaching:claim"}


def samples(owner):
    profile, driver = make_profile(owner), make_driver()
    session = make_session(owner)
    drive(session)
    change = changes.propose_change(
        session_id=session.pk, by=owner, parameter="SO_F", new_value="40 wt"
    )
    vehicle = garage.save_vehicle(by=owner, profile_id=profile.pk, brand="Tekno", model="EB48")
    audit = changes.begin_audit(session_id=session.pk, by=owner)
    lap = RunLog.objects.filter(heat__session=session).first()
    heat = Heat.objects.get(session=session)
    file, _ = lap_files.request_import(
        by=owner,
        name="laps.csv",
        content=[b"heat_name,lap_number,lap_time\n"],
        session_id=session.pk,
    )
    of_session = {"session_id": session.pk}
    pages = {
        f"coaching:{name}": of_session
        for name in (
            "session",
            "session_change",
            "session_delete",
            "lap_add",
            "laps_paste",
            "change_propose",
            "audit_begin",
            "laps_upload",
            "laps_export",
            "session_sync",
        )
    }
    pages |= {
        "coaching:profile": {"profile_id": profile.pk},
        "coaching:profile_default": {"profile_id": profile.pk},
        "coaching:profile_delete": {"profile_id": profile.pk},
        "coaching:vehicle": {"vehicle_id": vehicle.pk},
        "coaching:vehicle_delete": {"vehicle_id": vehicle.pk},
        "coaching:session_status": of_session | {"status": "start"},
        "coaching:lap_change": of_session | {"lap_id": lap.pk},
        "coaching:heat_change": of_session | {"heat_id": heat.pk},
        "coaching:heat_delete": of_session | {"heat_id": heat.pk},
        "coaching:change_decide": of_session | {"change_id": change.pk},
        "coaching:audit_answer": of_session | {"audit_id": audit.pk},
        "coaching:claim_withdraw": {"profile_id": profile.pk},
        "coaching:lap_file": {"file_id": file.pk},
        "coaching:driver_orp": {"driver_id": driver.pk},
        "coaching:claim": {"driver_id": driver.pk},
    }
    at = "/api/v1/sessions/{session_id}"
    found = {
        f"api:{method} {at}{rest}": of_session
        for method, rest in [
            ("get", ""),
            ("patch", ""),
            ("get", "/laps"),
            ("post", "/laps"),
            ("post", "/laps/batch"),
            ("get", "/summary"),
            ("get", "/orp"),
            ("get", "/changes"),
            ("post", "/changes"),
            ("delete", "/laps"),
            ("delete", ""),
        ]
    }
    return (
        pages
        | found
        | {
            "api:put /api/v1/racers/{profile_id}": {"profile_id": profile.pk},
            "api:post /api/v1/racers/{profile_id}/claim": {"profile_id": profile.pk},
            "api:delete /api/v1/racers/{profile_id}/claim": {"profile_id": profile.pk},
            f"api:patch {at}/laps/{{lap_id}}": of_session | {"lap_id": lap.pk},
            f"api:delete {at}/laps/{{lap_id}}": of_session | {"lap_id": lap.pk},
            f"api:get {at}/heats/{{heat_name}}": of_session | {"heat_name": "Q1"},
            f"api:patch {at}/heats/{{heat_name}}": of_session | {"heat_name": "Q1"},
            f"api:post {at}/changes/{{change_id}}/decision": of_session | {"change_id": change.pk},
        }
    )
