"""Forget what no one can use any more."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from chat.models import ApiToken, RateBucket
from monitoring import jobs

_KEEP_TOKENS = timedelta(days=30)
_KEEP_BUCKETS = timedelta(days=1)


def purge_expired() -> int:
    """Delete tokens that ended over 30 days ago and buckets that are full again.

    No bucket takes longer than a minute to fill, so one left for a day is full.
    Returns how many rows went.
    """
    now = timezone.now()
    cutoff = now - _KEEP_TOKENS
    ended = Q(expires_at__lt=cutoff) | Q(revoked_at__lt=cutoff)
    unfilled_since = (now - _KEEP_BUCKETS).timestamp()
    return jobs.delete_in_batches(
        ApiToken.objects.filter(ended)
    ) + jobs.delete_in_batches(RateBucket.objects.filter(filled_at__lt=unfilled_since))
