"""Which live sessions there are, over all processes: the table that allows them.

Every function runs on a database thread; those that write expect an open transaction.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeAlias

import structlog
from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, QuerySet, Sum
from django.utils import timezone

from chat import background, conf, sessions, statements
from chat.models import Generation, LiveSession
from chat.sessions import Session
from flags import evaluation
from monitoring import leases, metrics, processes

log = structlog.get_logger(__name__)
LiveSessions: TypeAlias = "QuerySet[LiveSession]"

_LEAST_RECENT = ("used_at", "id")

_USED_AT = """
SELECT used_at FROM chat_livesession WHERE process = %s AND conversation_id = %s
"""
_RENEW = """
UPDATE chat_livesession
SET strategy = %s, version = %s, message_count = %s, size_bytes = %s, used_at = %s
WHERE process = %s AND conversation_id = %s
"""
_ADD = """
INSERT INTO chat_livesession (strategy, version, message_count, size_bytes, used_at,
    process, conversation_id, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_CLOSE = "DELETE FROM chat_livesession WHERE id IN ({marks}) RETURNING conversation_id"


@dataclass(frozen=True, slots=True)
class Stats:
    """The live sessions of all processes. `oldest_age_s` None: there is none."""

    count: int
    maximum: int
    process_count: int
    size_bytes: int
    oldest_age_s: float | None
    longest_idle_s: float | None


def is_held(conversation_id: int) -> bool:
    """Tell whether this process may use the session it has for a conversation."""
    held = statements.rows(_USED_AT, [processes.me(), conversation_id])
    return bool(held) and statements.aware(held[0][0]) >= _expired_before()


def hold(session: Session) -> bool:
    """Register a session of this process, or renew it; False: there is no room.

    The count of all sessions is looked at for a new one only.
    """
    now = timezone.now()
    moment = statements.moment(now)
    values = [
        *(session.strategy, session.version, session.message_count),
        *(session.size_bytes, moment, processes.me(), session.conversation_id),
    ]
    if statements.run(_RENEW, values):
        return True
    statements.run(_ADD, [*values, moment])
    return _make_room(session.conversation_id)


def settle(
    conversation_id: int, *, outcome: str, note: str, session: Session | None
) -> None:
    """Count and log how a persistent turn went; register the session it leaves."""
    if session is not None:
        hold(session)
    if conf.TRACKING.get():
        metrics.count(**{f"sessions_{outcome}": 1})
    if conf.LOG_OPERATIONS.get():
        _log(outcome, conversation_id, note)


def close(conversation_id: int) -> int:
    """Close a conversation's sessions in every process; return how many."""
    sessions.pool().drop(conversation_id)
    return _delete(
        LiveSession.objects.filter(conversation_id=conversation_id), why="closed"
    )


def close_all(*, why: str = "closed") -> int:
    """Close every session of every process, a batch at a time; return how many."""
    return _delete(LiveSession.objects.all(), why=why)


def evict(count: int) -> int:
    """Close the least recently used sessions that no turn is using."""
    return _delete(_idle(), why="evicted", order=_LEAST_RECENT, at_most=count)


def clean_up() -> int:
    """Close what has expired, what dead processes held, and all while it is off.

    Where the maximum was lowered, also the least recently used above it.
    Returns how many were closed. Safe to run anywhere, any number of times.
    """
    if not evaluation.reaches_anybody(conf.FLAG):
        return close_all(why="switched_off")
    expired = LiveSession.objects.filter(used_at__lt=_expired_before())
    closed = close_orphans() + _delete(expired, why="expired")
    return closed + evict(max(0, count() - conf.MAX_SESSIONS.get()))


def close_here() -> int:
    """Close the sessions of this process, which is about to end; return how many."""
    mine = LiveSession.objects.filter(process=processes.me())
    return _delete(mine, why="closed")


def close_orphans() -> int:
    """Close the sessions that died with their processes; return how many."""
    holders = LiveSession.objects.order_by().values_list("process", flat=True)
    dead = [each for each in holders.distinct() if processes.is_known_dead(each)]
    if not dead:
        return 0
    return _delete(LiveSession.objects.filter(process__in=dead), why="orphaned")


def clean_up_on_startup(server: str) -> int:
    """Close every session if `FORCE_CLEANUP_ON_STARTUP` says so; return how many.

    Once for each `server`, however many of its processes start and how often.
    """
    if not conf.FORCE_CLEANUP.get():
        return 0
    is_first = leases.succeed("startup", holder=server, now=timezone.now())
    return close_all(why="forced") if is_first else 0


def held_here() -> set[int]:
    """Return the conversations whose sessions this process may keep."""
    mine = LiveSession.objects.filter(process=processes.me())
    return set(mine.values_list("conversation_id", flat=True))


def count() -> int:
    """Return how many live sessions there are."""
    return LiveSession.objects.count()


def stats() -> Stats:
    """Return what there is, over all processes."""
    now = timezone.now()
    found = LiveSession.objects.aggregate(
        count=Count("id"),
        process_count=Count("process", distinct=True),
        size_bytes=Sum("size_bytes", default=0),
        oldest=Min("created_at"),
        longest_unused=Min("used_at"),
    )
    return Stats(
        count=found["count"],
        maximum=conf.MAX_SESSIONS.get(),
        process_count=found["process_count"],
        size_bytes=found["size_bytes"],
        oldest_age_s=_seconds(found["oldest"], now),
        longest_idle_s=_seconds(found["longest_unused"], now),
    )


def _make_room(conversation_id: int) -> bool:
    """Close a batch of sessions when there are too many; False: still too many.

    The one of this conversation stays, unless that leaves more than the maximum.
    """
    maximum = conf.MAX_SESSIONS.get()
    limit = maximum * conf.EMERGENCY_THRESHOLD.get()
    if not _is_over(limit):
        return True
    if close_orphans() and not _is_over(limit):
        return True
    others = _idle().exclude(conversation_id=conversation_id)
    closed = _delete(
        others, why="evicted", order=_LEAST_RECENT, at_most=conf.BATCH.get()
    )
    log.warning("sessions.emergency_cleanup", closed=closed, maximum=maximum)
    if not _is_over(Decimal(maximum)):
        return True
    mine = LiveSession.objects.filter(
        process=processes.me(), conversation_id=conversation_id
    )
    _delete(mine, why="evicted")
    return False


def _is_over(limit: Decimal) -> bool:
    return count() > limit


def _idle() -> LiveSessions:
    """Select the sessions whose conversation has no running turn."""
    running = Generation.objects.filter(
        conversation_id=OuterRef("conversation_id"), status=Generation.Status.RUNNING
    )
    return LiveSession.objects.filter(~Exists(running))


def _delete(
    which: LiveSessions,
    *,
    why: str,
    order: Sequence[str] = ("id",),
    at_most: int = sys.maxsize,
) -> int:
    """Delete rows, the first in this order, and return how many went.

    Batch by batch, so that nobody waits long for the lock.
    """
    size = conf.BATCH.get()
    total = 0
    while ids := list(
        which.order_by(*order).values_list("id", flat=True)[: min(size, at_most)]
    ):
        total += _delete_batch(ids, why=why)
        at_most -= len(ids)
    return total


def _delete_batch(ids: list[int], *, why: str) -> int:
    """Delete rows; count and log them by why they went.

    What another process has deleted meanwhile is counted there.
    """
    marks = ", ".join(["%s"] * len(ids))
    closed = [row[0] for row in statements.rows(_CLOSE.format(marks=marks), ids)]
    if closed and conf.TRACKING.get():
        metrics.count(**{f"sessions_{why}": len(closed)})
    if conf.LOG_OPERATIONS.get():
        for conversation_id in closed:
            _log(why, conversation_id)
    return len(closed)


def _log(what: str, conversation_id: int, note: str = "") -> None:
    """Say what was done once it is: a dry run or a failed commit does nothing."""
    more = background.known() | ({"note": note} if note else {})
    say = partial(log.info, f"session.{what}", conversation=conversation_id, **more)
    transaction.on_commit(say)


def _expired_before() -> datetime:
    return timezone.now() - timedelta(seconds=conf.TIMEOUT.get())


def _seconds(since: datetime | None, now: datetime) -> float | None:
    return (now - since).total_seconds() if since else None
