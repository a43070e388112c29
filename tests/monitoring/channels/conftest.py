"""Channels that lead to servers of the tests' own."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.monitoring.channels import sinks

WEBHOOK_SECRET = "canary-secret-of-the-webhook"


@pytest.fixture
def web_sink() -> Iterator[sinks.WebSink]:
    """A web server that takes everything."""
    with sinks.web() as sink:
        yield sink


@pytest.fixture
def mail_sink(settings: Settings) -> Iterator[sinks.MailSink]:
    """A mail server that takes everything, and mail that goes there."""
    with sinks.mail() as sink:
        use_mail(settings, sink.port)
        yield sink


@pytest.fixture
def webhook(settings: Settings, web_sink: sinks.WebSink) -> sinks.WebSink:
    """The webhook's receiver, which takes everything."""
    use_webhook(settings, web_sink.url)
    return web_sink


def use_mail(settings: Settings, port: int) -> None:
    """Let mail go to this port; pytest-django would keep it in memory."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = False
    settings.ALERT_EMAIL_TO = ["ops@example.org"]


def use_webhook(settings: Settings, url: str) -> None:
    """Let the webhook lead there, with a secret that nothing may show."""
    settings.ALERT_WEBHOOK_URL = url
    settings.ALERT_WEBHOOK_SECRET = WEBHOOK_SECRET
    settings.SECRETS = [*settings.SECRETS, WEBHOOK_SECRET, url]
