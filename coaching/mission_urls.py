"""The addresses of missions; `coaching.urls` mounts them."""

from django.urls import path

from coaching.views import mission_settings, mission_today, mission_wizard, missions

of_mission = "missions/<int:mission_id>/"
of_draft = "missions/drafts/<int:draft_id>/"
urlpatterns = [
    path("missions/", missions.mission_list, name="missions"),
    path("missions/new/", mission_wizard.mission_new, name="mission_new"),
    path(of_draft + "discard/", mission_wizard.mission_draft_discard, name="mission_discard"),
    path(of_draft + "<slug:step>/", mission_wizard.mission_draft, name="mission_draft"),
    path(of_mission, missions.mission, name="mission"),
    path(of_mission + "edit/", missions.mission_edit, name="mission_edit"),
    path(of_mission + "move/", missions.mission_move, name="mission_move"),
    path(of_mission + "clock/", mission_today.mission_clock, name="mission_clock"),
    path(of_mission + "today/", mission_today.mission_today, name="mission_today"),
    path(of_mission + "today/check-in/", mission_today.mission_check_in, name="mission_check_in"),
    path(of_mission + "today/answer/", mission_today.mission_answer, name="mission_answer"),
    path(of_mission + "today/run/", mission_today.mission_run_now, name="mission_run_now"),
    path(of_mission + "calendar/", missions.mission_calendar, name="mission_calendar"),
    path(of_mission + "days/<str:on>/", missions.mission_day, name="mission_day"),
    path(
        of_mission + "days/<str:on>/reasoning/<slug:kind>/",
        missions.mission_reasoning,
        name="mission_reasoning",
    ),
    path(of_mission + "letters/<slug:kind>/", missions.mission_letter, name="mission_letter"),
    path(of_mission + "board/", missions.mission_board, name="mission_board"),
    path(
        of_mission + "board/<int:number>/remove/",
        missions.mission_stage_remove,
        name="mission_stage_remove",
    ),
    path("settings/", mission_settings.settings, name="settings"),
    path("settings/test/", mission_settings.settings_test, name="settings_test"),
    path("settings/forget/", mission_settings.settings_forget, name="settings_forget"),
    path("settings/consent/", mission_settings.settings_consent, name="settings_consent"),
]
