"""Keep secrets out of log lines, exceptions included."""

import re
from collections.abc import MutableMapping
from typing import Any

_MARK = "[redacted]"
_PATTERNS = (
    re.compile(r"AIza[\w-]{30,}"),
    re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"),
    re.compile(r"\boracle_[\w-]{20,}"),
    re.compile(r"(?i)(?<=[?&]key=)[^&\s\"']+"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
_SENSITIVE_KEYS = re.compile(
    r"(?i)password|secret|token$|api_?key|authorization|cookie"
)


class Redactor:
    """A structlog processor; it belongs behind the one that formats exceptions.

    `secrets` are values that must not appear whatever they look like. Short ones are
    left out: replacing them would tear up ordinary words.
    """

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= 8]

    def __call__(
        self, logger: object, name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the event without secrets."""
        del logger, name
        for key, value in event.items():
            if _SENSITIVE_KEYS.search(key):
                event[key] = _MARK
            elif isinstance(value, str):
                event[key] = self.clean(value)
        return event

    def clean(self, text: str) -> str:
        """Return a text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _MARK)
        for pattern in _PATTERNS:
            text = pattern.sub(_MARK, text)
        return text
