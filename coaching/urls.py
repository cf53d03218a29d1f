"""Coaching's addresses: the garage, and the missions."""

from django.urls import path, register_converter

from coaching import mission_urls
from coaching.views import (
    activities,
    athlete,
    connections,
    driver_orp,
    garage,
    lap_files,
    session,
    timing,
)

app_name = "coaching"


class StatusConverter:
    regex = "start|close|reopen"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(StatusConverter, "session_status")

of_session = "sessions/<int:session_id>/"
of_provider = "athlete/connections/<slug:provider>/"
urlpatterns = [
    path("", garage.home, name="home"),
    path("racers/new/", garage.profile, name="profile_new"),
    path("racers/<int:profile_id>/", garage.profile, name="profile"),
    path("racers/<int:profile_id>/default/", garage.profile_default, name="profile_default"),
    path("racers/<int:profile_id>/delete/", garage.profile_delete, name="profile_delete"),
    path("cars/new/", garage.vehicle, name="vehicle_new"),
    path("cars/<int:vehicle_id>/", garage.vehicle, name="vehicle"),
    path("cars/<int:vehicle_id>/delete/", garage.vehicle_delete, name="vehicle_delete"),
    path("history/", garage.score_history, name="history"),
    path("compare/", garage.compare, name="compare"),
    path("drivers/<int:driver_id>/orp/", driver_orp.driver_orp, name="driver_orp"),
    path("drivers/<int:driver_id>/claim/", timing.claim, name="claim"),
    path("racers/<int:profile_id>/unclaim/", timing.withdraw_claim, name="claim_withdraw"),
    path("lap-files/<int:file_id>/", lap_files.lap_file, name="lap_file"),
    path("sessions/new/", garage.session_form, name="session_new"),
    path(of_session, session.session, name="session"),
    path(of_session + "change/", garage.session_form, name="session_change"),
    path(of_session + "delete/", garage.session_delete, name="session_delete"),
    path(of_session + "<session_status:status>/", session.set_status, name="session_status"),
    path(of_session + "laps/", session.add_lap, name="lap_add"),
    path(of_session + "laps/paste/", session.paste_laps, name="laps_paste"),
    path(of_session + "laps/<int:lap_id>/", session.change_lap, name="lap_change"),
    path(of_session + "laps/file/", lap_files.upload, name="laps_upload"),
    path(of_session + "laps.csv", lap_files.export, name="laps_export"),
    path(of_session + "sync/", timing.sync, name="session_sync"),
    path(of_session + "heats/<int:heat_id>/", session.change_heat, name="heat_change"),
    path(of_session + "heats/<int:heat_id>/delete/", session.delete_heat, name="heat_delete"),
    path(of_session + "changes/", session.propose_change, name="change_propose"),
    path(of_session + "changes/<int:change_id>/", session.decide_change, name="change_decide"),
    path("athlete/", athlete.athlete, name="athlete"),
    path("athlete/numbers/", athlete.athlete_numbers, name="athlete_numbers"),
    path("athlete/uploads/", athlete.uploads, name="uploads"),
    path("athlete/uploads/<uuid:upload_id>/cancel/", athlete.cancel_upload, name="upload_cancel"),
    path("athlete/uploads/<uuid:upload_id>/retry/", athlete.retry_upload, name="upload_retry"),
    path("athlete/consent/", athlete.health_consent, name="health_consent"),
    path("athlete/activities/", activities.activities, name="activities"),
    path("athlete/activities/<int:activity_id>/", activities.activity, name="activity"),
    path("athlete/connections/", connections.connections, name="connections"),
    path("athlete/connections/key/", connections.connect_key, name="connection_key"),
    path(of_provider + "connect/", connections.connect, name="connection_start"),
    path(of_provider + "back/", connections.connection_back, name="connection_back"),
    path(of_provider + "test/", connections.connection_test, name="connection_test"),
    path(of_provider + "fetch/", connections.connection_sync, name="connection_sync"),
    path(of_provider + "end/", connections.disconnect, name="connection_end"),
    path("hooks/strava/<str:secret>/", connections.strava_hook, name="strava_hook"),
    path("athlete/activities/<int:activity_id>/effort/", athlete.rate_effort, name="rate_effort"),
    path(of_session + "audit/", session.begin_audit, name="audit_begin"),
    path(of_session + "audit/<int:audit_id>/", session.answer_audit, name="audit_answer"),
]
urlpatterns += mission_urls.urlpatterns
