"""A message to an incoming webhook of Slack, which Mattermost takes as well."""

import json
import re
from typing import Any

from django.conf import settings

from monitoring.channels import posting
from monitoring.channels.message import Message

_COLOURS = {"info": "#2f6fde", "warning": "#d98200", "critical": "#c62828"}
_OVER = "#2e7d32"
# Slack cuts longer texts itself, or refuses them.
_TEXT_CHARS, _FIELD_CHARS = 3000, 300

# `@all`, but not the middle of an address; `[words](link)`, `[words][name]`, `[name]:`.
_LURES = re.compile(r"(?<![^\W_])@(?=\w)|\](?=[(\[:])")


def send(message: Message) -> str:
    """Post it. Raises: NotSent."""
    return posting.post(
        settings.ALERT_SLACK_URL,
        content=json.dumps(_document(message)).encode(),
        headers={
            "Content-Type": "application/json",
            "X-Oracle-Delivery": message.id,
        },
    )


def _document(message: Message) -> dict[str, Any]:
    alerts = message.payload.get("alerts") or []
    is_over = bool(alerts) and all(each["state"] == "resolved" for each in alerts)
    colour = _OVER if is_over else _COLOURS.get(message.severity, _COLOURS["warning"])
    attachment: dict[str, Any] = {
        "color": colour,
        "fallback": _escaped(message.subject),
        "fields": [_field(each) for each in alerts],
    }
    if not alerts:
        attachment["text"] = _escaped(message.text[:_TEXT_CHARS])
    elif more := message.payload.get("more_count"):
        attachment["text"] = f"and {more} more"
    if link := message.payload.get("link"):
        attachment |= {"title": "Look at the alerts", "title_link": link}
    return {"text": _escaped(message.subject), "attachments": [attachment]}


def _field(alert: dict[str, Any]) -> dict[str, Any]:
    title = f"{alert['name']} {alert['label']}".strip()
    is_over = alert["state"] == "resolved"
    value = f"{'resolved' if is_over else 'on'}: {alert['summary']}"[:_FIELD_CHARS]
    if alert["runbook"] and not is_over:
        value += f"\nWhat to do: {alert['runbook']}"
    return {"title": _escaped(title), "value": _escaped(value), "short": False}


def _escaped(text: str) -> str:
    """Return it so that neither Slack nor Mattermost reads a mention or link into it.

    What would begin one for Mattermost is broken up by a space that nobody sees.
    """
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LURES.sub(lambda found: f"{found[0]}\u200b", plain)
