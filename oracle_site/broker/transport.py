"""The queue in the shape that kombu wants of a transport."""

import itertools
import time
from contextlib import suppress
from queue import Empty
from typing import Any, ClassVar

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
)
from django.utils import timezone
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

from monitoring import processes
from oracle_site.broker import store

_POLL_S = 0.5
_SWEEP_S = 5.0

_numbers = itertools.count(1)
_open_numbers: set[int] = set()


class QoS(virtual.QoS):
    """What a channel was given and has not acknowledged."""

    def ack(self, delivery_tag: int) -> None:
        """Delete the message.

        Raises: BrokenPipeError when the database refused; it is the one error after
        which Celery drops the connection, and with it the claim.
        """
        try:
            store.ack(delivery_tag, owner=self.channel.owner)
        except DatabaseError as error:
            raise BrokenPipeError("The acknowledgement was not stored.") from error
        super().ack(delivery_tag)
        if self.channel.connection is not None:
            self.channel.connection.ask_soon()

    def reject(self, delivery_tag: int, requeue: Any = None) -> None:
        """Let it wait again, or keep it for the operator."""
        owner = self.channel.owner
        if requeue:
            store.requeue(delivery_tag, owner=owner)
        else:
            store.bury(delivery_tag, owner=owner, reason="refused by the worker")
        self._quick_ack(delivery_tag)


class Channel(virtual.Channel):
    """One conversation over the connection."""

    QoS = QoS
    supports_fanout = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._temporary_queues: set[str] = set()
        self._unacknowledged_queues: set[str] = set()
        self.owner: str = self.connection.owner  # what it was given outlives it

    def basic_consume(
        self, queue: str, no_ack: Any, *args: Any, **options: Any
    ) -> None:
        """Remember whose messages are gone once they are read."""
        if no_ack:
            self._unacknowledged_queues.add(queue)
        super().basic_consume(queue, no_ack, *args, **options)

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        """Return what is bound to an exchange, by any process."""
        return store.bindings(exchange)

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        store.put(queue, dumps(message))

    def _put_fanout(
        self, exchange: str, message: dict[str, Any], routing_key: str, **_: Any
    ) -> None:
        del routing_key
        for _key, _pattern, queue in store.bindings(exchange):
            self._put(queue, message)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        del timeout
        if queue in self._unacknowledged_queues:
            delivery = store.take(queue)
        else:
            delivery = store.claim(queue, owner=self.owner)
        if delivery is None:
            raise Empty
        message: dict[str, Any] = loads(delivery.payload)
        properties = message["properties"]
        properties["delivery_tag"] = delivery.tag
        properties["delivery_info"]["redelivered"] = delivery.is_redelivered
        return message

    def _restore(self, message: virtual.Message) -> None:
        """Give back at the end of the connection; the sweep does it if this fails."""
        with suppress(DatabaseError):
            store.give_back(message.delivery_tag, owner=self.owner)

    def _new_queue(self, queue: str, **options: Any) -> None:
        if options.get("auto_delete") or options.get("exclusive"):
            self._temporary_queues.add(queue)

    def _queue_bind(
        self, exchange: str, routing_key: str, pattern: str | None, queue: str
    ) -> None:
        store.bind(
            exchange=exchange,
            routing_key=routing_key or "",
            pattern=pattern or "",
            queue=queue,
            owner=self.owner if queue in self._temporary_queues else "",
        )

    def _delete(self, queue: str, *_args: Any, **_options: Any) -> None:
        store.delete_queue(queue)

    def _size(self, queue: str) -> int:
        return store.size(queue)

    def _purge(self, queue: str) -> int:
        return store.purge(queue)


class Transport(virtual.Transport):
    """One connection of one process to the queue."""

    Channel = Channel
    driver_type = driver_name = "djangodb"
    polling_interval = _POLL_S
    default_connection_params: ClassVar[dict[str, Any]] = {}
    connection_errors = (OSError, OperationalError, InterfaceError)
    implements = virtual.Transport.implements.extend(
        # Otherwise Celery's pool processes share one pipe and its lock, and an idle
        # one that is killed takes the lock with it: no task is ever run again.
        asynchronous=True,
        exchange_type=frozenset(["direct", "topic", "fanout"]),
    )

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self._number = next(_numbers)
        self._swept_at = 0.0
        self._loop: Any = None

    @property
    def owner(self) -> str:
        """Name this connection: the process, and which of its connections."""
        return f"{processes.me()}#{self._number}"

    def driver_version(self) -> str:
        """Return the database's kind; it has no driver of its own."""
        return str(connection.vendor)

    def establish_connection(self) -> Any:
        """Open it. Raises: OperationalError while the database is away."""
        store.connect()
        _open_numbers.add(self._number)
        return super().establish_connection()

    def close_connection(self, connection: Any) -> None:
        """Close it and free what it has left."""
        super().close_connection(connection)
        _open_numbers.discard(self._number)
        with suppress(DatabaseError):
            store.release(self.owner)

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Ask for messages again and again, in the worker's own loop."""
        del connection
        self._loop = loop
        loop.call_repeatedly(self.polling_interval, self._deliver_waiting)

    def ask_soon(self) -> None:
        """Ask at once: somebody has become free for another message."""
        if self._loop is not None:
            self._loop.call_soon(self._deliver_waiting)

    def _deliver_waiting(self) -> None:
        """Deliver what may be delivered; free what the dead have now and then."""
        if time.monotonic() - self._swept_at > _SWEEP_S:
            self._sweep()
        with suppress(Empty):
            while self._number in _open_numbers:
                self.cycle.get(self._deliver)

    def _sweep(self) -> None:
        store.connect()
        me = processes.me()
        store.sweep(
            open_owners={f"{me}#{number}" for number in _open_numbers},
            now=timezone.now(),
        )
        self._swept_at = time.monotonic()
