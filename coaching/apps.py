from django.apps import AppConfig
from django.db.models.signals import post_delete


class CoachingConfig(AppConfig):
    name = "coaching"

    def ready(self) -> None:
        from coaching import metrics
        from coaching.models import ReasoningLog
        from coaching.services.reasoning_logs import forget_file

        metrics.register()
        post_delete.connect(forget_file, sender=ReasoningLog)
