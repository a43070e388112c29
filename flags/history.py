"""What was changed, by whom and why: as the history page tells it."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator

from flags import runtime, wording
from flags.models import Change

_PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Entry:
    """A change in words."""

    change: Change

    @property
    def label(self) -> str:
        """The setting's name as a person would write it."""
        return wording.label(self.change.name)

    @property
    def old(self) -> str:
        """The value before, with its unit."""
        return wording.text(self.change.name, self.change.old)

    @property
    def new(self) -> str:
        """The value after, with its unit."""
        return wording.text(self.change.name, self.change.new)

    @property
    def is_revertible(self) -> bool:
        """Whether there is a value before it, of a setting that still exists."""
        is_declared = any(s.name == self.change.name for s in runtime.declared())
        return is_declared and bool(self.change.old)


def page(*, name: str = "", number: str = "") -> "Page[Change]":
    """Return one page of the history, the newest first; of one setting, or of all."""
    found = Change.objects.order_by("-id")
    if name:
        found = found.filter(name=name.replace("\x00", ""))  # PostgreSQL refuses it
    return Paginator(found, _PER_PAGE).get_page(number)


def entries(listed: "Page[Change]") -> list[Entry]:
    """Return a page's changes in words."""
    return [Entry(change) for change in listed]


def names() -> list[tuple[str, str]]:
    """Return what the history may be narrowed to, as (name, label)."""
    return [
        (setting.name, wording.label(setting.name)) for setting in runtime.declared()
    ]
