"""What an operator does on the incident pages, without a browser."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from monitoring.models import Incident

LIST = "/admin/monitoring/incident/"
STEPS = ("acknowledge", "update", "edit", "publish", "withdraw", "resolve")


def url(incident: Incident, step: str = "") -> str:
    """Return the address of an incident, or of a step of it."""
    return f"{LIST}{incident.pk}/{step}"


def update(client: Client, incident: Incident, **given: str) -> Any:
    """Send the update form as it was shown, but for what is given."""
    held = {"status": incident.status, "seen": incident.status}
    data = {f"update-{name}": text for name, text in (held | given).items()}
    return client.post(url(incident, "update/"), data, follow=True)


def begin_edit(client: Client, incident: Incident, **given: str) -> Callable[[], Any]:
    """Take the form as the page shows it, change what is given; return its sending."""
    form = client.get(url(incident)).context["edit_form"]
    data = {}
    for field in form:
        data[f"edit-{field.name}"] = given.get(field.name, field.initial)
        data[f"initial-edit-{field.name}"] = field.initial
    return lambda: client.post(url(incident, "edit/"), data, follow=True)
