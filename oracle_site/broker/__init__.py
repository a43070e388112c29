"""A task queue in Django's database, for a machine without any other service.

A task's row is deleted when the task was acknowledged, not when it was handed out.
Who has it is written on it, so that it goes to another worker when that process dies.
"""

import django
from django.apps import apps
from kombu.transport import TRANSPORT_ALIASES

SCHEME = "djangodb"


def register() -> None:
    """Teach kombu, the library under Celery, the scheme `djangodb://`."""
    TRANSPORT_ALIASES[SCHEME] = _transport


def _transport() -> str:
    """Name the class; Celery's smaller commands come here without Django's models."""
    if not apps.ready:
        django.setup()
    return f"{__name__}.transport:Transport"
