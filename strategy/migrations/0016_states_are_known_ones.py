"""A status is one of those there are, whoever writes the row."""

from django.db import migrations, models
from django.db.models import Q

STATES = {
    "eventparticipation": [
        ("signup_status_known", "status", ["interested", "signed_up", "team_assigned", "entered",
                                           "confirmed", "waitlist", "withdrawn", "participated"]),
        ("signup_kind_known", "kind", ["individual", "team_signup"]),
    ],
    "racestrategy": [("strategy_status_known", "status", ["draft", "active", "archived"])],
    "stintplan": [
        ("stint_status_known", "status", ["planned", "ready", "in_progress", "completed",
                                          "skipped", "aborted"]),
    ],
    "liverun": [("race_state_known", "state", ["scheduled", "grid", "racing", "finished"])],
}  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("strategy", "0015_commands_are_taken_back")]

    operations = [
        migrations.AddConstraint(
            model, models.CheckConstraint(condition=Q(**{f"{field}__in": values}), name=name)
        )
        for model, constraints in STATES.items()
        for name, field, values in constraints
    ]
