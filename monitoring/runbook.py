"""The runbook's sections as HTML, for the pages of whoever needs them now."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

DOCUMENT = "docs/RUNBOOK.md"
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_PICTURE = re.compile(r"^!\[.*\n?", re.MULTILINE)  # the site does not serve them


@dataclass(frozen=True, slots=True)
class Section:
    """What the runbook says under a heading."""

    title: str
    body: SafeString


def sections(reference: str, *, label: str = "") -> Iterator[Section]:
    """Yield what an alert's reference leads to; none: it leads elsewhere.

    An alert about a health check gets that check's section, too.
    """
    document, _, anchor = reference.partition("#")
    if document != DOCUMENT:
        return
    check = f"check-{_slug(label)}" if anchor.startswith("alert-check-") else ""
    for each in (anchor, check):
        if found := _sections().get(each):
            yield found


@lru_cache(maxsize=1)
def _sections() -> Mapping[str, Section]:
    """Read the document once; nothing where it is not there."""
    try:
        text = (settings.BASE_DIR / DOCUMENT).read_text(encoding="utf-8")
    except OSError:
        return {}
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    _, *parts = _HEADING.split(_PICTURE.sub("", text))
    return {
        _slug(title): Section(title, SafeString(parser.render(body)))
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


def _slug(title: str) -> str:
    """Return the anchor that a heading has on a page of Markdown."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower().replace("_", " ")).replace(" ", "-")
