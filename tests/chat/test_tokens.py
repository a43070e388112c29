"""Whose tokens let somebody in."""

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from chat import ownership
from chat.errors import NotAuthenticated
from chat.models import ApiToken, Owner

pytestmark = pytest.mark.django_db


def _token(user: User, scope: str) -> str:
    owner, _ = Owner.objects.get_or_create(kind=Owner.Kind.USER, user=user)
    text = ownership.issue_token(owner, name="test", scope=scope)
    ApiToken.objects.update(last_used_at=timezone.now())  # so that nothing is noted
    return f"Bearer {text}"


def test_tokens_of_somebody_who_was_deactivated_let_nobody_in() -> None:
    user = User.objects.create_user("leo")
    watching, chatting = _token(user, "monitoring"), _token(user, "chat")
    request = RequestFactory().get("/", headers={"Authorization": chatting})
    ownership.require_monitoring(watching)
    assert ownership.identify(request).owner_id is not None

    User.objects.update(is_active=False)

    with pytest.raises(NotAuthenticated, match="deactivated"):
        ownership.require_monitoring(watching)
    with pytest.raises(NotAuthenticated, match="deactivated"):
        ownership.identify(request)
