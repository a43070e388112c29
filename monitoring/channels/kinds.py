"""Which ways there are to reach people, what each needs, and how it sends."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from monitoring.channels import apprise, email, log, patience, posting, slack, webhook
from monitoring.channels.message import Message


class UnknownChannel(LookupError):
    """There is no channel of this name; the message lists those that exist."""


class NotConfigured(Exception):
    """Nothing is sent this way; the message names the variables that are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A way to reach people; `needs` are the settings without which it is off."""

    name: str
    needs: tuple[str, ...]
    deliver: Callable[[Message], str]
    where: Callable[[], str]

    @property
    def missing(self) -> list[str]:
        """Return the variables that are not set."""
        return [name for name in self.needs if not getattr(settings, name)]

    @property
    def is_configured(self) -> bool:
        """Tell whether something can be sent this way."""
        return not self.missing

    @property
    def what_to_set(self) -> str:
        """Say what is missing; only where something is."""
        names = " and ".join(self.missing)
        return f"The channel {self.name} is not configured: set {names}."

    def send(self, message: Message) -> str:
        """Send it now and return what became of it, in words.

        Raises: NotConfigured, and NotSent, also when it takes too long.
        """
        lacks = [each for each in self.missing if each not in message.replaces]
        if lacks:
            raise NotConfigured(self.what_to_set)
        return patience.within(lambda: self.deliver(message))


_KINDS = [
    Kind(name="log", needs=(), deliver=log.send, where=lambda: "the log"),
    Kind(
        name="email",
        needs=("EMAIL_HOST", "ALERT_EMAIL_TO"),
        deliver=email.send,
        where=lambda: ", ".join(settings.ALERT_EMAIL_TO),
    ),
    Kind(
        name="slack",
        needs=("ALERT_SLACK_URL",),
        deliver=slack.send,
        where=lambda: posting.host(settings.ALERT_SLACK_URL),
    ),
    Kind(
        name="webhook",
        needs=("ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"),
        deliver=webhook.send,
        where=lambda: posting.host(settings.ALERT_WEBHOOK_URL),
    ),
    Kind(
        name="apprise",
        needs=("ALERT_APPRISE_URLS",),
        deliver=apprise.send,
        where=lambda: f"{len(settings.ALERT_APPRISE_URLS)} addresses",
    ),
]


def every() -> list[Kind]:
    """Return all of them."""
    return _KINDS


def find(name: str) -> Kind:
    """Return one of them. Raises: UnknownChannel."""
    for kind in _KINDS:
        if kind.name == name:
            return kind
    names = ", ".join(kind.name for kind in _KINDS)
    raise UnknownChannel(f"There is no channel {name!r}. There are: {names}.")
