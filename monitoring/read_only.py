"""Tables that the admin shows and nobody edits there."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path

from monitoring import access

Page: TypeAlias = "tuple[str, Callable[..., Any], str]"

_ASKED_BY_FILTERS = {"", "exact", "isnull", "isempty"}


class ReadOnly(admin.ModelAdmin):
    """Rows that only the service itself writes."""

    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let only the filters of the page choose rows.

        Django lets an address hold any column against anything: what a page keeps to
        itself could be guessed letter by letter.
        """
        del value
        column, _, asked = lookup.partition("__")
        filters = self.get_list_filter(request)
        columns = {each[0] if isinstance(each, tuple) else each for each in filters}
        return column in columns and asked in _ASKED_BY_FILTERS

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        del request
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Any | None = None
    ) -> bool:
        """Refuse."""
        del request, obj
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Any | None = None
    ) -> bool:
        """Refuse."""
        del request, obj
        return False


class Watched(ReadOnly):
    """Rows for whoever may see monitoring's pages.

    `pages` of our own stand before the stock ones: route, view, and the name that
    `admin:monitoring_` begins.
    """

    pages: ClassVar[Sequence[Page]] = ()

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        """Let in whoever may see monitoring."""
        del obj
        return access.may_look(request)

    def get_urls(self) -> list[URLPattern]:
        """Put our pages before the stock ones."""
        ours = [
            path(route, self.admin_site.admin_view(view), name=f"monitoring_{name}")
            for route, view, name in self.pages
        ]
        return [*ours, *super().get_urls()]
