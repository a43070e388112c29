"""A stored report as text: Markdown for people's notes, plain lines for mail."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from monitoring.reporting import wording

Body = dict[str, Any]

_COLUMNS = ("Now", "Before", "Change")


def title(body: Body) -> str:
    """Return what the report is of."""
    begin, end = (datetime.fromisoformat(body[name]) for name in ("begin", "end"))
    span = wording.span(body["period"], begin, end)
    return f"{wording.title(body['period'])}: {span}"


def remarks(body: Body) -> list[str]:
    """Return what to know before believing the figures."""
    found = []
    if not body["is_settled"]:
        found.append(
            "Preliminary: turns that still ran, or were not recorded yet, are missing. "
            "It is computed again soon."
        )
    if body["minutes_recorded"] < body["minutes"]:
        found.append(
            f"Only {body['minutes_recorded']} of {body['minutes']} minutes were "
            f"recorded: what happened in the others may be missing."
        )
    if body.get("turns_from"):  # reports of an earlier release have none
        found.append(
            "Performance tracking was off meanwhile: turns may be missing, and a "
            "figure of none of them is no data."
        )
    return found


def rows(section: Body) -> Iterator[tuple[str, str, str, str]]:
    """Yield each figure of a section: title, now, before, change."""
    for figure in section["figures"]:
        unit = figure["unit"]
        now = wording.shown(figure["value"], unit)
        before = wording.shown(figure["before"], unit)
        yield figure["title"], now, before, figure["change"]


def markdown(body: Body) -> str:
    """Return it as Markdown."""
    return "\n".join(_markdown(body)) + "\n"


def plain(body: Body) -> str:
    """Return it as lines for a font of equal widths."""
    return "\n".join(_plain(body)) + "\n"


def _markdown(body: Body) -> Iterator[str]:
    yield f"# {title(body)}"
    for remark in remarks(body):
        yield from ("", f"*{remark}*")
    yield from ("", "## What stands out", "")
    yield from (f"- {sentence}" for sentence in advice(body))
    for section in body["sections"]:
        yield from ("", f"## {section['title']}", "")
        yield _row("Figure", *_COLUMNS)
        yield "|---|---:|---:|---|"
        yield from (_row(*row) for row in rows(section))


def _plain(body: Body) -> Iterator[str]:
    yield title(body)
    yield from remarks(body)
    yield from ("", "What stands out")
    yield from (f"- {sentence}" for sentence in advice(body))
    for section in body["sections"]:
        yield ""
        for name, *rest in ((section["title"], *_COLUMNS), *rows(section)):
            now, before, change = rest
            yield f"{name:<48} {now:>16} {before:>16}  {change}"


def advice(body: Body) -> list[str]:
    """Return what the figures suggest, or that they suggest nothing."""
    if body["advice"]:
        return list(body["advice"])
    if not body["minutes_recorded"]:
        return ["There is no data to judge by."]
    return ["Nothing is beyond what the alert rules worry about."]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
