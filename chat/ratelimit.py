"""Token buckets in the database: one atomic statement counts over all processes."""

import time

from django.conf import settings
from django.db import connection

from chat import tallies
from chat.errors import RateLimited
from chat.models import RateBucket
from monitoring import pending


def spend(*, key: str, per_minute: int, what: str) -> None:
    """Take one token from the bucket `key`, which refills by `per_minute` a minute.

    A new bucket is full. Call it inside the transaction of what it allows: if that
    fails, the token returns. Raises: RateLimited with the seconds until the next token.
    """
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS[connection.vendor], _values(key, per_minute, now))
        if cursor.fetchone() is not None:
            return
    # What is refused is rolled back, so no transaction of ours could carry the count.
    pending.add(tallies.REFUSALS.delta(key.partition(":")[0]))
    wait_s = _wait_s(key=key, per_minute=per_minute, now=now)
    raise RateLimited(
        f"Too many {what} in a short time (at most {per_minute} a minute). "
        f"Try again in {wait_s:.0f} s.",
        retry_after_s=wait_s,
    )


def spend_message(*, owner_id: int, address: str) -> None:
    """Count one message against its owner and its network address.

    Raises: RateLimited.
    """
    # The address first, as where a conversation begins: in one order no two wait in
    # a ring for each other's buckets.
    spend_address(address)
    spend(
        key=f"message:owner:{owner_id}",
        per_minute=settings.RATE_LIMIT_MESSAGES_PER_MINUTE,
        what="messages",
    )


def spend_address(address: str) -> None:
    """Count one write against a network address. Raises: RateLimited."""
    if address:
        spend(
            key=f"address:{address}",
            per_minute=settings.RATE_LIMIT_ADDRESS_PER_MINUTE,
            what="requests from your address",
        )


def spend_login(address: str) -> None:
    """Count one attempt to sign in against a network address. Raises: RateLimited."""
    spend(
        key=f"login:{address}",
        per_minute=settings.RATE_LIMIT_LOGINS_PER_MINUTE,
        what="attempts to sign in",
    )


_TEMPLATE = """
INSERT INTO chat_ratebucket (key, tokens, filled_at) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE
SET tokens = {filled} - 1, filled_at = excluded.filled_at
WHERE {filled} >= 1
RETURNING tokens
"""
# A bucket fills in a minute. One that was filled later than a minute from now is from a
# clock that was set back, and is full: else nobody could do anything until then.
_FILLED = (
    "{least}(%s, chat_ratebucket.tokens"
    " + CASE WHEN chat_ratebucket.filled_at > excluded.filled_at + 60 THEN 60"
    " ELSE {most}(0, excluded.filled_at - chat_ratebucket.filled_at) END * %s)"
)
_STATEMENTS = {
    "sqlite": _TEMPLATE.format(filled=_FILLED.format(least="min", most="max")),
    "postgresql": _TEMPLATE.format(
        filled=_FILLED.format(least="least", most="greatest")
    ),
}


def _values(key: str, per_minute: int, now: float) -> list[str | float]:
    per_second = per_minute / 60
    fill = [float(per_minute), per_second]
    return [key, float(per_minute - 1), now, *fill, *fill]


def _wait_s(*, key: str, per_minute: int, now: float) -> float:
    bucket = RateBucket.objects.get(pk=key)
    is_from_ahead = bucket.filled_at > now + 60  # as in the statement
    since_s = 60.0 if is_from_ahead else max(0.0, now - bucket.filled_at)
    filled = bucket.tokens + since_s * per_minute / 60
    return max(1.0, (1 - filled) * 60 / per_minute)
