"""Moments and percents, as the control and rollout pages tell them."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from flags.rollout_pages import words

register = template.Library()


@register.filter
def percent(number: Decimal) -> str:
    """Return a percent with the decimals that it has: 10 %, 0.25 %."""
    return words.percent(number)


@register.simple_tag
def since(moment: datetime) -> str:
    """Return how long ago a moment was; its date and time show on hovering."""
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%d %b %Y, %H:%M:%S}",
        ago(moment),
    )


def ago(moment: datetime) -> str:
    """Return how long ago a moment was, in words."""
    now = timezone.now()
    if now - moment < timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, now, depth=1)} ago"
