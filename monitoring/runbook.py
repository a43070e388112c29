"""The runbook's sections as HTML, for the pages of whoever needs them now."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

DOCUMENT = "docs/RUNBOOK.md"
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_NAME = re.compile(r"<em>([^<]+)</em>")
_PICTURE = re.compile(r"^!\[.*\n?", re.MULTILINE)  # the site does not serve them


@dataclass(frozen=True, slots=True)
class Section:
    """What the runbook says under a heading."""

    title: str
    body: SafeString


def sections(reference: str, *, label: str = "") -> list[Section]:
    """Return what an alert's reference leads to; none: it leads elsewhere.

    With that of an alert come the sections it names, and that of its health check.
    """
    document, _, anchor = reference.partition("#")
    known = _sections()
    if document != DOCUMENT or anchor not in known:
        return []
    anchors = [anchor]
    if anchor.startswith("alert-"):
        anchors += _named(known[anchor], known)
    if anchor.startswith("alert-check-"):
        anchors.append(f"check-{_slug(label)}")
    return [known[each] for each in dict.fromkeys(anchors) if each in known]


def _named(section: Section, known: Iterable[str]) -> Iterator[str]:
    """Yield the anchors of those that a section names, if only by how they begin."""
    for name in map(_slug, _NAME.findall(section.body)):
        starts = (f"{name}-", f"alert-{name}-")
        yield from (each for each in known if f"{each}-".startswith(starts))


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
