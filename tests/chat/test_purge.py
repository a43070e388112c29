"""What no one can use any more is forgotten, and nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat import purge
from chat.models import ApiToken, Owner, RateBucket

pytestmark = pytest.mark.django_db


def _token(name: str, *, expired_days: int = 0, revoked_days: int = 0) -> None:
    now = timezone.now()
    owner, _ = Owner.objects.get_or_create(kind=Owner.Kind.VISITOR)
    ApiToken.objects.create(
        owner=owner,
        name=name,
        prefix=name[:12],
        digest=name,
        expires_at=now - timedelta(days=expired_days) if expired_days else None,
        revoked_at=now - timedelta(days=revoked_days) if revoked_days else None,
    )


def test_tokens_go_thirty_days_after_they_ended() -> None:
    _token("in use")
    _token("just expired", expired_days=29)
    _token("just revoked", revoked_days=29)
    _token("expired", expired_days=31)
    _token("revoked", revoked_days=31)

    assert purge.purge_expired() == 2
    names = set(ApiToken.objects.values_list("name", flat=True))
    assert names == {"in use", "just expired", "just revoked"}


def test_a_token_that_will_expire_later_stays() -> None:
    _token("tomorrow", expired_days=-1)

    assert purge.purge_expired() == 0


def test_buckets_that_nobody_spent_from_for_a_day_go_in_small_batches() -> None:
    now = timezone.now().timestamp()
    for number in range(130):
        RateBucket.objects.create(key=f"old {number}", tokens=0, filled_at=now - 86_500)
    RateBucket.objects.create(key="fresh", tokens=0, filled_at=now - 86_300)

    assert purge.purge_expired() == 130
    assert RateBucket.objects.get().key == "fresh"
