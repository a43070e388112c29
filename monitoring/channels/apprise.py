"""Whatever service apprise knows, where somebody has installed it."""

import importlib

from django.conf import settings

from monitoring.channels.message import Message, NotSent

_VERSION = "2.2.0"
_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}


def send(message: Message) -> str:
    """Hand it to apprise, for all its addresses. Raises: NotSent."""
    try:
        apprise = importlib.import_module("apprise")
    except ImportError as error:
        raise NotSent(
            f"apprise is not installed: pip install apprise=={_VERSION}."
        ) from error
    urls = settings.ALERT_APPRISE_URLS
    sender = apprise.Apprise()
    for position, url in enumerate(urls, start=1):
        if not sender.add(url):
            raise NotSent(f"apprise does not understand address {position}.")
    has_arrived = sender.notify(
        title=message.subject,
        body=message.text,
        notify_type=_TYPES.get(message.severity, "warning"),
    )
    if not has_arrived:
        raise NotSent(f"apprise did not reach all of its addresses ({len(urls)}).")
    return f"apprise reached all of its addresses ({len(urls)})."
