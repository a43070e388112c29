"""Knows how we are doing, says so, keeps the records."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class MonitoringConfig(AppConfig):
    """The monitoring app."""

    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every app that has `probes.py` register what it can tell."""
        autodiscover_modules("probes")
        post_migrate.connect(_seed, sender=self)


def _seed(*, apps: Apps = installed, **_: Any) -> None:
    """Seed unless it was migrated back to before there was anything to seed."""
    from monitoring.alerting import rules

    if "alertrule" in apps.all_models["monitoring"]:
        rules.seed()
