"""Knows how we are doing, says so, keeps the records."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MonitoringConfig(AppConfig):
    """The monitoring app."""

    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every app that has `probes.py` register what it can tell."""
        autodiscover_modules("probes")
