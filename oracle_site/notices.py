"""What the settings of notifications need of each other, and what of them is secret."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_SECRET_CHARS = 16


def check_mail(*, host: str, to: list[str], uses_tls: bool, uses_ssl: bool) -> None:
    """Refuse a half-configured mail. Raises: ImproperlyConfigured."""
    if to and not host:
        raise ImproperlyConfigured(
            "EMAIL_HOST is not set: ALERT_EMAIL_TO and REPORT_EMAIL_TO need a mail "
            "server."
        )
    if uses_tls and uses_ssl:
        raise ImproperlyConfigured(
            "EMAIL_USE_TLS and EMAIL_USE_SSL are both true: TLS begins in the clear "
            "(port 587), SSL does not (port 465); choose one."
        )


def check_webhook(*, url: str, secret: str) -> None:
    """Refuse a webhook whose receiver could not tell us from others.

    Raises: ImproperlyConfigured.
    """
    if url and len(secret) < _SECRET_CHARS:
        raise ImproperlyConfigured(
            f"ALERT_WEBHOOK_SECRET is not set or short: ALERT_WEBHOOK_URL needs one of "
            f"{_SECRET_CHARS} characters at least; its messages are signed with it."
        )


def secrets(*urls: str) -> Iterator[str]:
    """Yield what must never be shown of addresses, whole or in parts.

    A short path is left out: it may be a word that other lines need.
    """
    for url in urls:
        parts = urlsplit(url)
        yield url
        if parts.password:
            yield unquote(parts.password)
        pieces = [parts.path, parts.query, *(value for _, value in parse_qsl(parts[3]))]
        if parts.scheme not in {"http", "https"}:
            # For apprise a token may stand where a host would, which has dots.
            names = [parts.netloc, *re.split("[:@]", parts.netloc)]
            pieces += [each for each in names if "." not in each]
        yield from (each for each in pieces if len(each) >= _SECRET_CHARS)
