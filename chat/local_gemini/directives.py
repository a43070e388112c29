"""Finds out which behaviour a request asks of the scripted brain."""

import re
from dataclasses import dataclass

from .errors import ApiError

_NAMES = """
say echo markdown status reset hang stall drip early_end cut cut_close bad_json
error_mid html blocked safety recitation finish empty_candidates no_candidates
empty_text null_text thought_only thoughts huge dup_chunks utf8_split bad_gzip
wrong_ct
"""
NAMES = frozenset(_NAMES.split())
_DIRECTIVE = re.compile(r"\[\[(\w+)((?:\s+\w+=[^\s\]]*)*)\s*\]\]")
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_USER_MARK = "\nUser: "
_ANSWER_MARK = "\nAssistant:"


@dataclass(frozen=True, slots=True)
class Directive:
    """`[[name key=value …]]`, as it stood in the text."""

    name: str
    options: dict[str, str]
    source: str

    def integer(self, key: str, default: int) -> int:
        """Read a whole number.

        Raises:
            ApiError: 400, the value is no number.
        """
        return int(self.number(key, default))

    def number(self, key: str, default: float) -> float:
        """Read a number.

        Raises:
            ApiError: 400, the value is no number.
        """
        if key not in self.options:
            return default
        if not _NUMBER.fullmatch(self.options[key]):
            raise ApiError(400, f"{self.source}: {key} must be a number")
        return float(self.options[key])


def find(text: str) -> Directive | None:
    """Return the last known directive of the text; unknown names are plain text."""
    found = [match for match in _DIRECTIVE.finditer(text) if match[1] in NAMES]
    if not found:
        return None
    options = dict(pair.split("=", 1) for pair in found[-1][2].split())
    return Directive(found[-1][1], options, found[-1][0])


def newest_message(text: str) -> str:
    """Return what the user said last in a pasted transcript, or the whole text.

    A transcript marks turns with `User: ` and `Assistant:` at the start of a line.
    """
    last = f"\n{text}".rpartition(_USER_MARK)[2] if _USER_MARK in f"\n{text}" else text
    return last.removesuffix(_ANSWER_MARK)


def question(text: str) -> str:
    """Return the user's newest message without its directive."""
    message = newest_message(text)
    directive = find(message)
    if directive is not None:
        message = message.replace(directive.source, "")
    return message.strip()
