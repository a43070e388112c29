"""What was said, in the shape that Gemini takes: made once, then never changed.

A live session and one that is recovered from the database are built by the same
functions, so the bytes that the model has seen before stay the same.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Content: TypeAlias = dict[str, Any]

GO_ON = (
    "Your last answer broke off. Go on exactly where it stops, without repeating "
    "anything and without a remark about the interruption."
)


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said: `role` is `user` or `assistant`.

    `signed` are the parts of an answer that carry the model's signature, verbatim.
    """

    role: str
    text: str
    signed: Sequence[dict[str, Any]] = ()


def of_line(line: Line) -> Content:
    """Return one message as a content."""
    if line.role == "user":
        return {"role": "user", "parts": [{"text": line.text}]}
    return {"role": "model", "parts": list(_parts(line))}


def of_lines(lines: Iterable[Line]) -> list[Content]:
    """Return messages as contents. One of the model's can't stand first: it is left."""
    contents = [of_line(line) for line in lines]
    while contents and contents[0]["role"] == "model":
        del contents[0]
    return contents


def size_bytes(contents: Iterable[Content]) -> int:
    """Return how long they are on the wire."""
    return sum(len(json.dumps(each, ensure_ascii=False).encode()) for each in contents)


def _parts(line: Line) -> Iterator[dict[str, Any]]:
    """Yield the text with each signed part in its place; their texts make up the whole.

    A signed thought is no part of the text; one whose words are not there is left out.
    Gemini 3 signs an answer's last, empty text: it stays the last.
    """
    rest = line.text
    signed = [_ordered(part) for part in line.signed]
    ends = [part for part in signed if _is_end(part)]
    for part in (part for part in signed if part not in ends):
        words = "" if part.get("thought") else part.get("text", "")
        before, found, after = rest.partition(words) if words else ("", "", rest)
        if words and not found:
            continue
        if before:
            yield {"text": before}
        yield part
        rest = after
    if rest:
        yield {"text": rest}
    yield from ends


def _ordered(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part in one order of its keys: PostgreSQL keeps them in its own."""
    ordered: dict[str, Any] = json.loads(json.dumps(part, sort_keys=True))
    return ordered


def _is_end(part: dict[str, Any]) -> bool:
    return part.get("text") == "" and not part.get("thought")
