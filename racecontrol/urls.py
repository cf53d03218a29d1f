"""Every address of the site: the house's own, and one prefix per room."""

import importlib.util

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from racecontrol import views
from racecontrol.api import api
from racecontrol.personal import pages as personal_pages

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Race Control"

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("jobs/<uuid:job_id>/", views.job, name="job"),
    path("jobs/<uuid:job_id>/cancel/", views.cancel_job, name="job-cancel"),
    path("jobs/<uuid:job_id>/retry/", views.retry_job, name="job-retry"),
    path("account/", views.account, name="account"),
    path("account/tokens/", views.api_tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", views.revoke_token, name="token-revoke"),
    path("account/data/", personal_pages.own_data, name="own-data"),
    path("account/data/export/", personal_pages.ask_export, name="export-ask"),
    path("account/data/<uuid:export_id>.zip", personal_pages.fetch_export, name="export-fetch"),
    path("account/data/leave/", personal_pages.leave, name="leave"),
    path("account/data/leave/code/", personal_pages.leave_code, name="leave-code"),
    path("account/left/", personal_pages.left, name="left"),
    path("ops/", views.ops, name="ops"),
    path("health/live", views.health_live, name="health_live"),
    path("health/ready", views.health_ready, name="health_ready"),
    path("metrics", views.metrics, name="metrics"),
    path("accounts/password/set/", personal_pages.set_password, name="account_set_password"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/", views.api_documentation, name="api_docs"),
    path("api/v1/", api.urls),
    # what no router knows, also while DEBUG would answer with a page of its own
    path("api/v1/<path:rest>", views.unknown_operation),
]
for room, prefix in {
    "ingestion": "timing/",
    "runplans": "run-plans/",
    "strategy": "strategy/",
    "coaching": "coaching/",
}.items():
    if importlib.util.find_spec(f"{room}.urls"):
        urlpatterns.append(path(prefix, include(f"{room}.urls")))

handler400 = "racecontrol.views.bad_request"
handler403 = "racecontrol.views.forbidden"
handler404 = "racecontrol.views.not_found"
handler500 = "racecontrol.views.server_error"
