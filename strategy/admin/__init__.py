"""Look and mend, for operators."""

from django.apps import apps
from django.contrib import admin

from strategy.admin import events, plans, teams
from strategy.admin.trail import ReadOnlyAdmin

__all__ = ["events", "plans", "teams"]

# What only the code writes needs no page of its own: it can be looked at, with its trail.
for model in apps.get_app_config("strategy").get_models():
    if not admin.site.is_registered(model):
        admin.site.register(model, ReadOnlyAdmin)
