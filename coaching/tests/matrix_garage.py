"""Who may open the garage's addresses."""

from coaching.services import changes
from coaching.tests.builders import drive, make_profile, make_session


def samples(owner):
    profile = make_profile(owner)
    session = make_session(owner)
    drive(session)
    change = changes.propose_change(
        session_id=session.pk, by=owner, parameter="SO_F", new_value="40 wt"
    )
    of_session = {"session_id": session.pk}
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
    return found | {
        "api:put /api/v1/racers/{profile_id}": {"profile_id": profile.pk},
        f"api:get {at}/heats/{{heat_name}}": of_session | {"heat_name": "Q1"},
        f"api:post {at}/changes/{{change_id}}/decision": of_session | {"change_id": change.pk},
    }
