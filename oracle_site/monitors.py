"""Who may read the monitoring endpoints."""

from django.conf import settings
from django.http import HttpRequest

from chat import addresses, ownership
from chat.errors import NotAuthenticated, PermissionDenied


def require(request: HttpRequest) -> bool:
    """Let in staff, monitoring tokens, and trusted addresses that no proxy hides.

    Raises: NotAuthenticated, PermissionDenied.
    """
    if authorization := request.headers.get("Authorization", ""):
        ownership.require_monitoring(authorization)
        return True
    if addresses.is_trusted_peer(request, settings.MONITORING_TRUSTED_ADDRESSES):
        return True
    if not request.user.is_authenticated:
        raise NotAuthenticated(
            "Sign in as staff, or send a token of the scope 'monitoring' as "
            "'Authorization: Bearer …'."
        )
    if not request.user.is_staff:
        raise PermissionDenied("Only staff may read the monitoring endpoints.")
    return True
