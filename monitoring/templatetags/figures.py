"""Figures for templates: the strip of the admin's first page, and spans of time."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django import template
from django.db import Error
from django.template import Context
from django.utils import timezone

from monitoring import access
from monitoring.alerting import wording
from monitoring.dashboard import headline, present

register = template.Library()
log = structlog.get_logger(__name__)


@register.filter
def step(span: timedelta) -> str:
    """Return a span of whole minutes, hours or days in words."""
    return wording.span(int(span.total_seconds()))


@register.inclusion_tag("monitoring/_strip.html", takes_context=True)
def monitoring_strip(context: Context) -> dict[str, Any]:
    """Show the figures of the last hour to whoever may see the dashboard.

    Without them the page is there all the same: a strip is no reason for an error.
    """
    request = context.get("request")
    if request is None or not access.may_look(request):
        return {"may_look": False}
    return {"may_look": True, **_figures(timezone.now())}


def _figures(now: datetime) -> dict[str, Any]:
    try:
        return {"figures": headline.last_hour(now), "present": present.read(now)}
    except (Error, LookupError) as error:
        log.warning("dashboard.no_strip", error=repr(error))
        return {"figures": []}
