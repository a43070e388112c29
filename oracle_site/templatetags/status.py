"""The public incidents on the chat's pages."""

from django import template

from monitoring.responding.status_page import Notice
from oracle_site import status

register = template.Library()


@register.simple_tag
def public_notices() -> list[Notice]:
    """Return the open incidents that a visitor should know of."""
    return status.notices()
