"""Decides who gets what, and how fast that widens or shrinks."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.db.models.signals import post_migrate


class FlagsConfig(AppConfig):
    """The flags app."""

    name = "flags"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every app declare its settings in `conf.py`; a bad value stops here."""
        from flags import checks, runtime  # noqa: F401 - checks register themselves

        runtime.discover()
        post_migrate.connect(_seed, sender=self)


def _seed(*, apps: Apps = installed, **_: Any) -> None:
    """Seed unless it was migrated back to before there was anything to seed."""
    from flags import plan_store, seeding

    if "runtimesetting" in apps.all_models["flags"]:
        seeding.seed()
    if "rolloutplan" in apps.all_models["flags"]:
        plan_store.seed()
