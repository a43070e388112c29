"""Keep secrets and people's words out of log lines, exceptions included."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

_MARK = "[redacted]"
_SENSITIVE = r"password|secret|token|api_?key|api-key|authorization|cookie"
_PATTERNS = (
    re.compile(r"AIza[\w-]{30,}"),
    re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"),
    re.compile(r"\boracle_[\w-]{20,}"),
    re.compile(r"(?i)(?<=[?&]key=)[^&\s\"']+"),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    # PostgreSQL shows the row that it refuses, a message's text and all, the statement
    # and where in a JSON value it stumbled.
    re.compile(r"(?<=LINE )\d+: [^\n]+?(?=\n|\\n|\Z)"),
    re.compile(r"(?s)(?:(?<=DETAIL:)|(?<=CONTEXT:)).+?(?=\n\nThe above|\n\nDuring|\Z)"),
    # Pydantic quotes what it refuses; the SDK lets it read the model's answer.
    re.compile(r"(?s)(?<=input_value=).+?(?=, input_type=|\Z)"),
)
# `password=…`, `"token": "…"`, and the pairs that headers are kept in.
_PAIR = re.compile(
    rf"(?i)((?:{_SENSITIVE})(?:[\"']\s*,|[\"']?\s*[=:])\s*)(b?[\"'])?"
    rf"(?!\[redacted)(?(2)[^\"']+|[^\s\"',;&]+)"
)
_SENSITIVE_KEYS = re.compile(
    r"(?i)password|secret|token$|api[_-]?key|authorization|cookie"
)
_WORDS_OF_PEOPLE = {
    *("answer", "content", "message", "prompt", "question", "text", "title"),
}


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
        """Return the event without secrets; of a message only its length."""
        del logger, name
        return {
            self._without_known(key): self._shown(key, value)
            for key, value in event.items()
        }

    def clean(self, text: str) -> str:
        """Return a text without secrets."""
        text = self._without_known(text)
        for pattern in _PATTERNS:
            text = pattern.sub(_MARK, text)
        return _PAIR.sub(rf"\1\2{_MARK}", text)

    def _without_known(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _MARK)
        return text

    def _shown(self, key: str, value: Any) -> Any:
        if _SENSITIVE_KEYS.search(key):
            return _MARK
        if value is None or isinstance(value, bool | int | float):
            return value
        if key in _WORDS_OF_PEOPLE:
            return f"[{len(str(value))} characters]"
        return self._inside(value)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {
                self.clean(str(k)): self._shown(str(k), v) for k, v in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._shown("", each) for each in value]
        # The renderers would write its repr themselves, behind our back.
        return self.clean(repr(value))
