"""A task queue in Django's database, for a machine without any other service.

A task's row is deleted when the task was acknowledged, not when it was handed out.
Who has it is written on it, so that it goes to another worker when that process dies.
"""

from kombu.transport import TRANSPORT_ALIASES


def register() -> None:
    """Teach kombu, the library under Celery, the scheme `djangodb://`."""
    TRANSPORT_ALIASES["djangodb"] = "oracle_site.broker.transport:Transport"
