"""Addresses of run plans."""

from django.urls import path

from runplans import views

app_name = "runplans"
urlpatterns = [
    path("", views.plan_list, name="list"),
    path("new/", views.new_plan, name="new"),
    path("compare/", views.compare, name="compare"),
    path("shared/<uuid:token>/", views.shared, name="shared"),
    path("<uuid:plan_id>/", views.plan, name="plan"),
    path("<uuid:plan_id>/print/", views.plan_print, name="print"),
    path("<uuid:plan_id>/share/", views.share, name="share"),
    path("<uuid:plan_id>/unshare/", views.unshare, name="unshare"),
    path("<uuid:plan_id>/plan.json", views.plan_json, name="json"),
    path("<uuid:plan_id>/plan.csv", views.plan_csv, name="csv"),
]
