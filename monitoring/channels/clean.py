"""Words of others and of ours, fit to be kept and shown: short and without secrets."""

import re
from math import isfinite
from typing import Any

from django.conf import settings

from monitoring.redaction import Redactor

_QUOTED_CHARS = 200
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# PostgreSQL takes neither of them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def text(raw: str) -> str:
    """Return a text without secrets, that a database can keep."""
    return _UNSTORABLE.sub("", Redactor(settings.SECRETS).clean(raw))


def line(raw: str, *, limit: int) -> str:
    """Return it on one line, without secrets, no longer than the limit."""
    one = _BREAKS.sub(" ", text(raw)).strip()
    return one if len(one) <= limit else f"{one[: limit - 1]}…"


def quoted(raw: str) -> str:
    """Return the beginning of what somebody's server said."""
    return line(raw, limit=_QUOTED_CHARS) or "nothing"


def inside(value: Any) -> Any:
    """Return a value of JSON with every text in it cleaned."""
    match value:
        case str():
            return text(value)
        case dict():
            return {text(str(key)): inside(each) for key, each in value.items()}
        case float() if not isfinite(value):
            return None  # neither JSON nor a database knows it
        case list() | tuple():
            return [inside(each) for each in value]
    return value
