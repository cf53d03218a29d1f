"""Run plans as they were computed: what went in, what came out, whose they are."""

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func

DATABASE_NOW = Func(function="now", output_field=models.DateTimeField())


class RunPlan(models.Model):
    """One computed run. `inputs` and `result` are never changed after they were stored.

    The database makes the id and the moments, so that a plan written by plain SQL is as whole
    as one written here. A plan without an owner was made by a stranger (RUN_PLANS_ANONYMOUS).
    """

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    title = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not empty
    objective = models.TextField(null=True, blank=True)  # noqa: DJ001
    inputs = models.JSONField()
    result = models.JSONField()
    status = models.CharField(max_length=20, db_default="computed")
    created_at = models.DateTimeField(db_default=DATABASE_NOW)
    updated_at = models.DateTimeField(db_default=DATABASE_NOW)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="run_plans",
        db_index=False,  # idx_run_plans_owner begins with it
    )
    # Set while the plan is shared: whoever holds the link may look, signed in or not.
    share_token = models.UUIDField(null=True, blank=True, unique=True)

    class Meta:
        db_table = "run_plans"
        indexes = [
            models.Index(fields=["created_at"], name="idx_run_plans_created_at"),
            GinIndex(fields=["inputs"], name="idx_run_plans_inputs_gin"),
            GinIndex(fields=["result"], name="idx_run_plans_result_gin"),
            models.Index(fields=["owner", "-created_at", "-id"], name="idx_run_plans_owner"),
        ]

    def __str__(self) -> str:
        return self.title or f"Run plan {str(self.pk)[:8]}"

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("runplans:plan", args=[self.pk])

    @property
    def is_shared(self) -> bool:
        return self.share_token is not None
