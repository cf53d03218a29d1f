from django.apps import AppConfig


class RaceControlConfig(AppConfig):
    name = "racecontrol"

    def ready(self) -> None:
        from racecontrol import checks, metrics

        metrics.register()
        checks.register_all()
