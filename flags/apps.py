"""Decides who gets what, and how fast that widens or shrinks."""

from django.apps import AppConfig


class FlagsConfig(AppConfig):
    """The flags app."""

    name = "flags"
    default_auto_field = "django.db.models.BigAutoField"
