"""Who may see which conversation: the only way to one."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from chat import addresses, database, statements
from chat.errors import ConversationNotFound, NotAuthenticated, PermissionDenied
from chat.models import ApiToken, Conversation, Owner

_SIGNER = signing.Signer(salt="chat.visitor")
_COOKIE_AGE_S = 400 * 24 * 3600
_TOKEN_USE_GRAIN = timedelta(minutes=5)
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
MAX_ID = 2**63 - 1  # beyond it the database can't even be asked


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `owner_id` is None for somebody we have not met."""

    owner_id: int | None


def cookie_name() -> str:
    """Return the visitor cookie's name; `__Host-` binds it to HTTPS and this host."""
    return "__Host-oracle_visitor" if settings.USE_HTTPS else "oracle_visitor"


def identify(request: HttpRequest, *, is_page: bool = False) -> Caller:
    """Say who sent this request; call it on a database thread.

    In this order: a bearer token, a signed-in user, a visitor's cookie, and for API
    calls from this host without any of them the shared `local` owner.

    Raises: NotAuthenticated for a bad token, or for a visitor where `ORACLE_ACCESS`
    is `login`; PermissionDenied for a token without the scope.
    """
    if authorization := request.headers.get("Authorization", ""):
        return _by_token(authorization, request.method or "GET")
    if settings.SESSION_COOKIE_NAME in request.COOKIES and (
        request.user.is_authenticated
    ):
        return Caller(_owner_of_user(request.user).pk)
    if not is_page and _is_local_call(request):
        return Caller(statements.local_owner_id() or local_owner().pk)
    if settings.ORACLE_ACCESS == "login":
        raise NotAuthenticated
    return _by_cookie(request)


def conversations(caller: Caller) -> QuerySet[Conversation]:
    """Return what this caller owns: the base of every other query."""
    if caller.owner_id is None:
        return Conversation.objects.none()
    return Conversation.objects.filter(owner_id=caller.owner_id)


def conversation(caller: Caller, conversation_id: int) -> Conversation:
    """Return one conversation. Raises: ConversationNotFound, also for a foreign one."""
    found = None
    if caller.owner_id is not None and conversation_id <= MAX_ID:
        found = statements.owned_conversation(
            conversation_id=conversation_id, owner_id=caller.owner_id
        )
    if found is None:
        raise ConversationNotFound
    return found


def new_visitor() -> Owner:
    """Make an owner for somebody who has just begun."""
    return Owner.objects.create(kind=Owner.Kind.VISITOR)


def local_owner() -> Owner:
    """Return the owner shared by this host's own calls."""
    return Owner.objects.get_or_create(kind=Owner.Kind.LOCAL)[0]


def issue_token(
    owner: Owner,
    *,
    name: str,
    scope: str = ApiToken.Scope.CHAT,
    lifetime: timedelta | None = None,
) -> str:
    """Make a bearer token and return its text, which is stored nowhere."""
    text = f"oracle_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(
        owner=owner,
        name=name,
        prefix=text[:12],
        digest=_digest(text),
        scope=scope,
        expires_at=timezone.now() + lifetime if lifetime else None,
    )
    return text


def remember_visitor(response: HttpResponseBase, owner: Owner) -> None:
    """Give a browser the signed cookie that makes it this visitor."""
    response.set_cookie(
        cookie_name(),
        _SIGNER.sign(str(owner.pk)),
        max_age=_COOKIE_AGE_S,
        secure=settings.USE_HTTPS,
        httponly=True,
        samesite="Lax",
    )


def require_monitoring(authorization: str) -> None:
    """See that a bearer token may read the monitoring endpoints.

    Raises: NotAuthenticated, PermissionDenied.
    """
    if _token(authorization).scope != ApiToken.Scope.MONITORING:
        raise PermissionDenied


def _token(authorization: str) -> ApiToken:
    """Return a valid token and note its use. Raises: NotAuthenticated."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated
    now = timezone.now()
    tokens = ApiToken.objects.select_related("owner__user")
    token = tokens.filter(digest=_digest(text.strip())).first()
    if token is None or token.revoked_at or (token.expires_at or now) < now:
        raise NotAuthenticated("This token is unknown, expired or revoked.")
    if token.owner.user is not None and not token.owner.user.is_active:
        raise NotAuthenticated("The user of this token has been deactivated.")
    if token.last_used_at is None or now - token.last_used_at > _TOKEN_USE_GRAIN:
        # Not here: a call that only reads must not wait for the write lock.
        database.post(partial(_note_use, token.pk, now))
    return token


def _by_token(authorization: str, method: str) -> Caller:
    token = _token(authorization)
    if token.owner.kind == Owner.Kind.VISITOR and settings.ORACLE_ACCESS == "login":
        raise NotAuthenticated
    if token.scope == ApiToken.Scope.MONITORING or (
        token.scope == ApiToken.Scope.READ and method not in _SAFE_METHODS
    ):
        raise PermissionDenied
    return Caller(token.owner_id)


def _note_use(token_id: int, at: datetime) -> None:
    ApiToken.objects.filter(pk=token_id).update(last_used_at=at)


def _by_cookie(request: HttpRequest) -> Caller:
    cookie = request.COOKIES.get(cookie_name())
    if cookie is None:
        return Caller(None)
    try:
        return Caller(int(_SIGNER.unsign(cookie)))
    except (signing.BadSignature, ValueError):
        return Caller(None)


def _is_local_call(request: HttpRequest) -> bool:
    return (
        settings.ORACLE_LOCAL_OWNER
        and cookie_name() not in request.COOKIES
        and addresses.is_from_this_host(request)
        and not addresses.is_from_elsewhere(request)
    )


def _owner_of_user(user: AbstractUser) -> Owner:
    return Owner.objects.get_or_create(kind=Owner.Kind.USER, user_id=user.pk)[0]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
