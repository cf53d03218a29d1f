"""Who may open the house's own addresses."""

from datetime import timedelta

from django.utils.timezone import now

from racecontrol.models import PersonExport
from racecontrol.shared import jobs, tokens

PUBLIC = {"favicon", "home", "health_live", "health_ready", "left"}
STAFF = {"ops", "metrics"}


def samples(owner):
    job = jobs.enqueue("racecontrol.tests.work.count", 1, owner=owner)
    token, _ = tokens.make(by=owner, name="bridge", scope="read")
    packed = PersonExport.objects.create(owner=owner, expires_at=now() + timedelta(hours=1))
    of_job, of_token = {"job_id": job.pk}, {"token_id": token.pk}
    return {
        "job": of_job,
        "job-cancel": of_job,
        "job-retry": of_job,
        "export-fetch": {"export_id": packed.pk},
        "token-revoke": of_token,
        "api:get /api/v1/jobs/{job_id}": of_job,
        "api:post /api/v1/jobs/{job_id}/cancel": of_job,
        "api:post /api/v1/jobs/{job_id}/retry": of_job,
        "api:delete /api/v1/tokens/{token_id}": of_token,
        "api:get /api/v1/me/exports/{export_id}": {"export_id": packed.pk},
        "api:get /api/v1/me/exports/{export_id}/file": {"export_id": packed.pk},
    }
