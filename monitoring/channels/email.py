"""Mail, as plain text, to the operators or to whom a message names."""

from collections.abc import Mapping
from email.utils import make_msgid
from smtplib import SMTPException, SMTPResponseException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from monitoring.channels import clean
from monitoring.channels.message import Message, NotSent

# From this code on, SMTP's refusals hold for good.
_FOR_GOOD = 500

log = structlog.get_logger(__name__)


def send(message: Message) -> str:
    """Send one mail to all of them; whom the server refuses alone is in the log.

    Raises: NotSent, also where the server refuses some for the time being.
    """
    to = list(message.payload.get("to") or settings.ALERT_EMAIL_TO)
    where = settings.EMAIL_HOST
    try:
        refused = _sent(_mail(message, to))
    except SMTPResponseException as error:
        said = error.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise NotSent(
            f"{where} answered {error.smtp_code}: {clean.quoted(text)}"
        ) from error
    except (SMTPException, OSError, ValueError) as error:
        raise NotSent(f"{where} took no mail: {_kind(error)}.") from error
    codes = {address: code for address, (code, _) in refused.items()}
    if codes:
        told = sorted(set(codes.values()))
        log.warning("mail.refused", count=len(codes), codes=told, mail=message.id)
    said = f"{where} took the mail for {len(to) - len(codes)} of {len(to)} addresses."
    if left := [address for address, code in codes.items() if code < _FOR_GOOD]:
        raise NotSent(f"{said} It put {len(left)} off for now.", left=left)
    return said


def _mail(message: Message, to: list[str]) -> EmailMessage:
    return EmailMessage(
        subject=clean.line(message.subject, limit=200),
        body=message.text,
        to=to,
        headers={
            "Message-ID": make_msgid(idstring=message.id, domain=_domain()),
            "Auto-Submitted": "auto-generated",
            "X-Oracle-Delivery": message.id,
        },
    )


class _Telling:
    """A connection to a mail server that remembers whom that refused.

    Django forgets them as long as the server takes one of several.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self.refused: Mapping[str, tuple[int, bytes]] = {}

    def sendmail(self, *given: Any) -> Mapping[str, tuple[int, bytes]]:
        """Send, and remember."""
        self.refused = self._server.sendmail(*given)
        return self.refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


def _sent(mail: EmailMessage) -> Mapping[str, tuple[int, bytes]]:
    """Send it and return who was refused. Raises: what Django's own does."""
    with get_connection() as backend:
        telling = _Telling(getattr(backend, "connection", None))
        if hasattr(backend, "connection"):
            backend.connection = telling
        backend.send_messages([mail])
    return telling.refused


def _domain() -> str:
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2]


def _kind(error: Exception) -> str:
    """Name it without the addresses that its text may quote."""
    cause = getattr(error, "strerror", None)
    name = type(error).__name__
    return f"{name} ({clean.quoted(cause)})" if cause else name
