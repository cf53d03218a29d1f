"""Ingestion's addresses, under /timing/."""

from django.urls import path

from ingestion.views import bumpups

app_name = "ingestion"
urlpatterns = [
    path("events/<int:event_id>/bump-ups/", bumpups.event_bump_ups, name="event-bump-ups"),
    path("bump-ups/", bumpups.bump_up_statistics, name="bump-ups"),
    path("bump-ups/<int:bump_up_id>/", bumpups.decide_bump_up, name="bump-up"),
]
