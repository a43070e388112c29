"""Decides who gets what, and how fast that widens or shrinks."""

from typing import Any

from django.apps import AppConfig
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


def _seed(**_: Any) -> None:
    from flags import seeding

    seeding.seed()
