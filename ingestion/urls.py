"""Ingestion's addresses, under /timing/."""

from django.urls import path

from ingestion.views import (
    bumpups,
    correct,
    drivers,
    events,
    finding,
    practice,
    practice_compare,
    practice_race,
    races,
    tracks,
)

app_name = "ingestion"
urlpatterns = [
    path("", finding.home, name="home"),
    path("discover/", finding.discover, name="discover"),
    path("import/", finding.import_events, name="import"),
    path("imports/", finding.imports_part, name="imports"),
    path("search/", finding.search, name="search"),
    path("tracks/", tracks.track_list, name="tracks"),
    path("tracks/sync/", tracks.sync_tracks, name="tracks-sync"),
    path("tracks/<int:track_id>/", tracks.track, name="track"),
    path("tracks/<int:track_id>/favourite/", tracks.favourite, name="favourite"),
    path("tracks/<int:track_id>/timezone/", correct.timezone, name="timezone"),
    path("events/<int:event_id>/", events.event, name="event"),
    path(
        "events/<int:event_id>/drivers/<int:driver_id>/practice/",
        practice_race.event_practice,
        name="event-practice",
    ),
    path("events/<int:event_id>/refresh/", events.refresh_event, name="event-refresh"),
    path("events/<int:event_id>/results.csv", events.event_csv, name="event-csv"),
    path("races/<int:race_id>/", races.race, name="race"),
    path("races/<int:race_id>/retry/", races.retry_race, name="race-retry"),
    path("races/<int:race_id>/session-type/", correct.session_type, name="session-type"),
    path("races/<int:race_id>/results.csv", races.race_csv, name="race-csv"),
    path("races/<int:race_id>/laps.csv", races.laps_csv, name="laps-csv"),
    path("practice/", practice.practice_list, name="practice"),
    path("practice/discover/", practice.discover, name="practice-discover"),
    path("practice/import/", practice.import_days, name="practice-import"),
    path("practice/<int:event_id>/", practice.practice_day, name="practice-day"),
    path("practice/<int:event_id>/refresh/", practice.refresh_day, name="practice-refresh"),
    path(
        "practice/<int:event_id>/drivers/<int:driver_id>/",
        practice_compare.driver_day,
        name="practice-driver-day",
    ),
    path(
        "practice/<int:event_id>/classes/<int:class_id>/",
        practice_compare.class_day,
        name="practice-class-day",
    ),
    path(
        "practice/drivers/<int:driver_id>/tracks/<int:track_id>/",
        practice_compare.driver_days,
        name="practice-driver-days",
    ),
    path(
        "practice/sessions/<int:race_id>/",
        practice_compare.practice_session,
        name="practice-session",
    ),
    path(
        "practice/sessions/<int:race_id>/laps.csv",
        practice_compare.session_csv,
        name="practice-session-csv",
    ),
    path(
        "practice/listed/<int:session_id>/retry/",
        practice.retry_session,
        name="practice-session-retry",
    ),
    path(
        "practice/listed/<int:session_id>/driver/",
        practice.set_driver,
        name="practice-session-driver",
    ),
    path("review/", correct.review, name="review"),
    path("drivers/", drivers.driver_list, name="drivers"),
    path("drivers/<int:driver_id>/", drivers.driver, name="driver"),
    path("events/<int:event_id>/bump-ups/", bumpups.event_bump_ups, name="event-bump-ups"),
    path("bump-ups/", bumpups.bump_up_statistics, name="bump-ups"),
    path("bump-ups/<int:bump_up_id>/", bumpups.decide_bump_up, name="bump-up"),
]
