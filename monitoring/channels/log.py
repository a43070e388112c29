"""The channel that is always there: the log."""

import logging

import structlog

from monitoring.channels.message import Message

log = structlog.get_logger(__name__)

_LEVELS = {
    "info": logging.INFO,
    "warning": logging.WARNING,
    "critical": logging.CRITICAL,
}


def send(message: Message) -> str:
    """Write it as one line."""
    log.log(
        _LEVELS.get(message.severity, logging.WARNING),
        "alerts.told",
        severity=message.severity,
        subject=message.subject,
        words=message.text,
        delivery=message.id,
    )
    return "It is in the log."
