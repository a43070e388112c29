"""What happens to the queue's rows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from monitoring import processes
from oracle_site.broker.forking import unforked
from oracle_site.models import BrokerBinding, BrokerMessage

Owned = TypeVar("Owned", BrokerMessage, BrokerBinding)

MAX_DELIVERIES = 5
MESSAGE_LEASE = timedelta(minutes=2)
BINDING_LEASE = timedelta(hours=12)
KEEP_BURIED = timedelta(days=30)

_WAITING = {"owner": "", "buried_at": None}
_FREE = {"owner": "", "leased_until": None}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in somebody's hands."""

    tag: int
    payload: str
    is_redelivered: bool


@unforked
def connect() -> None:
    """Open the database again if it went away, except in a transaction.

    Raises: OperationalError while it can't be reached.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    connection.ensure_connection()


@unforked
def put(queue: str, payload: str) -> None:
    """Add a message, in the caller's transaction if there is one."""
    BrokerMessage.objects.create(queue=queue, payload=payload)


@unforked
def claim(queue: str, *, owner: str) -> Delivery | None:
    """Hand out the oldest waiting message; it stays until `ack`.

    The first look takes no lock. One that was handed out `MAX_DELIVERIES` times and
    never finished is buried: it may be what kills the workers.
    """
    waiting = BrokerMessage.objects.filter(queue=queue, **_WAITING).order_by("id")
    while waiting.exists():
        with transaction.atomic():
            message = waiting.select_for_update(skip_locked=True).first()
            if message is None:
                return None
            if message.delivery_count < MAX_DELIVERIES:
                return _hand_out(message, owner)
            _bury(message, f"not finished in {MAX_DELIVERIES} deliveries")
    return None


@unforked
def take(queue: str) -> Delivery | None:
    """Remove the oldest waiting message, for a reader that acknowledges nothing."""
    waiting = BrokerMessage.objects.filter(queue=queue, **_WAITING).order_by("id")
    if not waiting.exists():
        return None
    with transaction.atomic():
        message = waiting.select_for_update(skip_locked=True).first()
        if message is None:
            return None
        tag = message.pk
        message.delete()
    return Delivery(tag, message.payload, is_redelivered=False)


@unforked
def ack(tag: int, *, owner: str) -> None:
    """Remove a finished message, unless somebody else has it by now."""
    BrokerMessage.objects.filter(pk=tag, owner=owner).delete()


@unforked
def requeue(tag: int, *, owner: str) -> None:
    """Let a message wait again after a failed delivery."""
    BrokerMessage.objects.filter(pk=tag, owner=owner).update(**_FREE)


@unforked
def give_back(tag: int, *, owner: str) -> None:
    """Let a message wait again that was never tried, as at a shutdown."""
    BrokerMessage.objects.filter(pk=tag, owner=owner).update(
        **_FREE, delivery_count=Greatest(F("delivery_count") - 1, 0)
    )


@unforked
def bury(tag: int, *, owner: str, reason: str) -> None:
    """Keep a refused message for the operator."""
    for message in BrokerMessage.objects.filter(pk=tag, owner=owner):
        _bury(message, reason)


@unforked
def size(queue: str) -> int:
    """Count the messages that wait."""
    return BrokerMessage.objects.filter(queue=queue, **_WAITING).count()


@unforked
def purge(queue: str) -> int:
    """Delete the messages that wait; return how many."""
    return BrokerMessage.objects.filter(queue=queue, **_WAITING).delete()[0]


@unforked
def bind(
    *, exchange: str, routing_key: str, pattern: str, queue: str, owner: str
) -> None:
    """Let an exchange reach a queue; with an owner, only while that lives."""
    key: dict[str, Any] = {
        "exchange": exchange,
        "routing_key": routing_key,
        "queue": queue,
    }
    values: dict[str, Any] = {"pattern": pattern, "owner": owner}
    if BrokerBinding.objects.filter(**key, **values).exists():
        return
    until = timezone.now() + BINDING_LEASE if owner else None
    BrokerBinding.objects.update_or_create(
        **key, defaults={**values, "leased_until": until}
    )


@unforked
def bindings(exchange: str) -> list[tuple[str, str, str]]:
    """Return routing key, pattern and queue of everything bound to an exchange."""
    return list(
        BrokerBinding.objects.filter(exchange=exchange).values_list(
            "routing_key", "pattern", "queue"
        )
    )


@unforked
def delete_queue(queue: str) -> None:
    """Delete a queue, what waits in it and what leads to it."""
    BrokerBinding.objects.filter(queue=queue).delete()
    purge(queue)


@unforked
def sweep(*, open_owners: Collection[str], now: datetime) -> None:
    """Free what the dead have, and what others have longer than their lease.

    `open_owners` are the live connections of this process; their leases are renewed.
    """
    abandoned = _abandoned(BrokerMessage, MESSAGE_LEASE, open_owners, now)
    if abandoned:
        _free(abandoned)
    _unbind(_abandoned(BrokerBinding, BINDING_LEASE, open_owners, now))
    stale = BrokerMessage.objects.filter(buried_at__lt=now - KEEP_BURIED)
    if stale.exists():
        stale.delete()


@unforked
def release(owner: str) -> None:
    """Free everything of a connection that is being closed."""
    _free(_rows_of(BrokerMessage, owner))
    _unbind(_rows_of(BrokerBinding, owner))


def _hand_out(message: BrokerMessage, owner: str) -> Delivery:
    is_redelivered = message.delivery_count > 0
    message.owner = owner
    message.leased_until = timezone.now() + MESSAGE_LEASE
    message.delivery_count += 1
    message.save(update_fields=["owner", "leased_until", "delivery_count"])
    return Delivery(message.pk, message.payload, is_redelivered)


def _bury(message: BrokerMessage, reason: str) -> None:
    message.owner, message.leased_until = "", None
    message.buried_at, message.buried_because = timezone.now(), reason
    message.save(update_fields=["owner", "leased_until", "buried_at", "buried_because"])


def _rows_of(model: type[Owned], owner: str) -> dict[int, str]:
    rows = model._default_manager.filter(owner=owner)
    return dict(rows.values_list("pk", "owner"))


def _abandoned(
    model: type[Owned],
    lease: timedelta,
    open_owners: Collection[str],
    now: datetime,
) -> dict[int, str]:
    """Return the id and owner of each row that its owner lost."""
    found: dict[int, str] = {}
    owned = model._default_manager.exclude(owner="")
    for pk, owner, until in owned.values_list("pk", "owner", "leased_until"):
        if owner in open_owners:
            if until is None or until < now + lease / 2:
                _same(model, pk, owner).update(leased_until=now + lease)
        elif until is None or until < now or _is_closed(owner):
            found[pk] = owner
    return found


def _is_closed(owner: str) -> bool:
    """Tell whether a connection that is not open here can't be open elsewhere."""
    process = owner.rpartition("#")[0]
    return process == processes.me() or processes.is_known_dead(process)


def _same(model: type[Owned], pk: int, owner: str) -> models.QuerySet[Owned]:
    return model._default_manager.filter(pk=pk, owner=owner)


def _free(messages: dict[int, str]) -> None:
    for pk, owner in messages.items():
        _same(BrokerMessage, pk, owner).update(**_FREE)


def _unbind(lost: dict[int, str]) -> None:
    """Delete bindings, and the messages of queues that nothing leads to any more."""
    for pk, owner in lost.items():
        binding = _same(BrokerBinding, pk, owner).first()
        if binding is not None:
            binding.delete()
            if not BrokerBinding.objects.filter(queue=binding.queue).exists():
                purge(binding.queue)
