"""Who may read the monitoring endpoints."""

from functools import partial

from django.conf import settings
from django.db import Error
from django.http import HttpRequest

from chat import addresses, ownership
from chat.errors import DatabaseBusy, NotAuthenticated, PermissionDenied
from monitoring import asides


async def require(request: HttpRequest) -> bool:
    """Let in staff, monitoring tokens, and trusted addresses that no proxy hides.

    Only the last of them can be told without the database.
    Raises: NotAuthenticated, PermissionDenied, DatabaseBusy.
    """
    authorization = request.headers.get("Authorization", "")
    trusted = settings.MONITORING_TRUSTED_ADDRESSES
    if not authorization and addresses.is_trusted_peer(request, trusted):
        return True
    try:
        await asides.read(partial(_identify, request, authorization))
    except (Error, TimeoutError) as error:
        raise DatabaseBusy from error
    return True


def _identify(request: HttpRequest, authorization: str) -> None:
    if authorization:
        ownership.require_monitoring(authorization)
        return
    if not request.user.is_authenticated:
        raise NotAuthenticated(
            "Sign in as staff, or send a token of the scope 'monitoring' as "
            "'Authorization: Bearer …'."
        )
    if not request.user.is_staff:
        raise PermissionDenied("Only staff may read the monitoring endpoints.")
