"""Mail, as plain text, to the operators or to whom a message names."""

from email.utils import make_msgid
from smtplib import SMTPException, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMessage

from monitoring.channels import clean
from monitoring.channels.message import Message, NotSent


def send(message: Message) -> str:
    """Send one mail to all of them.

    Raises: NotSent.
    """
    to = list(message.payload.get("to") or settings.ALERT_EMAIL_TO)
    mail = EmailMessage(
        subject=clean.line(message.subject, limit=200),
        body=message.text,
        to=to,
        headers={
            "Message-ID": make_msgid(idstring=message.id, domain=_domain()),
            "Auto-Submitted": "auto-generated",
            "X-Oracle-Delivery": message.id,
        },
    )
    where = settings.EMAIL_HOST
    try:
        mail.send()
    except SMTPResponseException as error:
        said = error.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise NotSent(
            f"{where} answered {error.smtp_code}: {clean.quoted(text)}"
        ) from error
    except (SMTPException, OSError, ValueError) as error:
        raise NotSent(f"{where} took no mail: {_kind(error)}.") from error
    return f"{where} took the mail for {len(to)} of {len(to)} addresses."


def _domain() -> str:
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2]


def _kind(error: Exception) -> str:
    """Name it without the addresses that its text may quote."""
    cause = getattr(error, "strerror", None)
    name = type(error).__name__
    return f"{name} ({clean.quoted(cause)})" if cause else name
