from django.apps import AppConfig


class RunplansConfig(AppConfig):
    name = "runplans"
