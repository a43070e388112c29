"""The process's database threads: readers, and one writer that commits for many.

Every `await` on the asynchronous ORM is a thread hop, and every commit is a wait for
the disk. So a step's queries are one function that runs on a thread of ours, and
writes that arrive together share one transaction.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import structlog
from django.db import (
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from chat import background, contention
from chat.errors import DatabaseBusy
from monitoring import metrics, pending

log = structlog.get_logger(__name__)
T = TypeVar("T")

_READERS = 2
_MAX_BATCH = 200
_TRIES = 3
_PATIENCE_S = 120.0
_PAUSE_S = 1.0
_CLOSE_S = 2.5


@dataclass(slots=True)
class _Job:
    run: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


_Jobs: TypeAlias = "queue.SimpleQueue[_Job | None]"
_Outcome: TypeAlias = tuple[Any, Exception | None]


class GroupWriter:
    """One thread that runs queued functions, as many as wait, in one transaction.

    Each function runs in its own savepoint: one that raises undoes only itself. It
    must be safe to run again: a failed commit is repeated function by function, and
    one that another process's locks hold up begins the next transaction.
    """

    def __init__(self) -> None:
        self._jobs: _Jobs = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, run: Callable[[], T]) -> Future[T]:
        """Queue `run`; its result arrives after the commit that holds it."""
        job = _Job(background.named(run))
        job.future.set_running_or_notify_cancel()  # a queued write can't be cancelled
        with self._starting:
            self._jobs.put(job)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=_serve, args=[self._jobs], name="oracle-writer", daemon=True
                )
                self._thread.start()
        return job.future

    def close(self) -> None:
        """Finish what is queued and close the thread's connection.

        A database that hangs is not waited for longer than `_CLOSE_S`.
        """
        with self._starting:
            thread, self._thread = self._thread, None
            # What comes from now on is the next thread's: nothing stands behind None.
            jobs, self._jobs = self._jobs, queue.SimpleQueue()
        if thread is not None:
            jobs.put(None)
            thread.join(_CLOSE_S)


def _serve(jobs: _Jobs) -> None:
    try:
        while (batch := _next_batch(jobs)) is not None:
            if not _settle(batch):
                _refuse(jobs)
    finally:
        connection.close()


def _refuse(jobs: _Jobs) -> None:
    """Refuse what was queued while a batch waited in vain, or it would wait twice."""
    while not jobs.empty():
        job = jobs.get()
        if job is None:
            jobs.put(None)
            return
        job.future.set_exception(DatabaseBusy())


def _next_batch(jobs: _Jobs) -> list[_Job] | None:
    job = jobs.get()
    if job is None:
        return None
    batch = [job]
    while len(batch) < _MAX_BATCH and not jobs.empty():
        job = jobs.get()
        if job is None:
            jobs.put(None)
            break
        batch.append(job)
    return batch


def _settle(batch: list[_Job]) -> bool:
    """Tell every job how it went; False when the database let nothing begin."""
    while batch:
        settled = _commit(batch)
        if not settled:
            return False
        batch = batch[settled:]
    return True


def _commit(batch: list[_Job], tries: int = _TRIES) -> int:
    """Run the batch in one transaction and tell each job how it went.

    Returns how many jobs were told, from the first; 0 when the database did not let
    it begin, which all were told.
    """
    outcomes: list[_Outcome] = []
    has_begun = False
    try:
        _reconnect_if_broken()
        with pending.settled(), transaction.atomic(), metrics.gathering():
            has_begun = True
            _run(batch, outcomes)
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for the jobs
        _repeat_or_fail(batch, error, tries=tries if has_begun else 0)
        return len(batch) if has_begun else 0
    for job, (value, failure) in zip(batch, outcomes, strict=False):
        if failure is not None:
            job.future.set_exception(failure)
        else:
            job.future.set_result(value)
    return len(outcomes)


def _run(batch: list[_Job], outcomes: list[_Outcome]) -> None:
    """Add the outcome of each job, up to one that would have to wait for a lock.

    Two processes whose batches cross would wait for each other, so that only the
    first job waits long: it holds no locks but its own.
    """
    for job in batch:
        if len(outcomes) == 1:
            contention.wait_briefly()
        try:
            outcomes.append(_attempt(job))
        except OperationalError as error:
            if not outcomes or not contention.is_held_up(error):
                raise
            break
    if len(batch) > 1:
        # The totals, which come last, are locked in the same order by everybody.
        contention.wait_as_usual()


def _attempt(job: _Job) -> _Outcome:
    try:
        with transaction.atomic(), metrics.gathering():
            return job.run(), None
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for the job
        return None, error


def _repeat_or_fail(batch: list[_Job], error: Exception, *, tries: int) -> None:
    """Run the jobs of a failed batch one by one; one alone if it may go well now.

    `tries` 0: nobody could have begun.
    """
    if len(batch) > 1 and tries:
        for job in batch:
            _commit([job])
        return
    if tries > 1 and contention.is_undone(error):
        contention.rest()
        _commit(batch, tries - 1)
        return
    log.warning("database.write_failed", jobs=len(batch), error=str(error))
    for job in batch:
        job.future.set_exception(_translate(error))


def _reconnect_if_broken() -> None:
    """Drop a connection on which something failed and that no longer answers.

    These threads keep theirs for good, so Django's per-request clean-up does not
    apply.
    """
    if connection.errors_occurred:
        if not connection.is_usable():
            connection.close()
        connection.errors_occurred = False


def _translate(error: Exception) -> Exception:
    if isinstance(error, Error) and not isinstance(error, IntegrityError):
        busy = DatabaseBusy()
        busy.__cause__ = error
        return busy
    return error


writer = GroupWriter()
_readers = ThreadPoolExecutor(_READERS, thread_name_prefix="oracle-reader")


async def write(run: Callable[[], T]) -> T:
    """Run a function of queries on the writer; return once it is durable.

    A caller that is cancelled leaves the write to happen.
    Raises: whatever `run` raises; DatabaseBusy when the database does not answer.
    """
    return await asyncio.wrap_future(writer.submit(run))


def post(run: Callable[[], object]) -> None:
    """Queue a write that nobody waits for; it comes before those queued later."""
    writer.submit(run).add_done_callback(_log_failure)


def _log_failure(done: "Future[object]") -> None:
    if error := done.exception():
        log.error("database.post_failed", error=repr(error))


async def insist(run: Callable[[], T]) -> T:
    """Write what must not be lost, waiting out a database that is away for a while.

    Raises: whatever `run` raises; DatabaseBusy when the patience has run out.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await write(run)
        except DatabaseBusy:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE_S)


async def read(run: Callable[[], T]) -> T:
    """Run a function of queries on a reading thread.

    Raises: whatever `run` raises; DatabaseBusy when the database does not answer.
    """
    return await asyncio.get_running_loop().run_in_executor(
        _readers, _read, background.named(run)
    )


def _read(run: Callable[[], T]) -> T:
    try:
        _reconnect_if_broken()
        return run()
    except (OperationalError, InterfaceError) as error:
        raise _translate(error) from error


def close() -> None:
    """Close every connection that the threads hold; they reopen when needed.

    A thread that hangs in the database is left alone, and closes its own later.
    """
    writer.close()
    barrier = threading.Barrier(_READERS, timeout=_CLOSE_S)

    def close_mine() -> None:
        with suppress(threading.BrokenBarrierError):
            barrier.wait()
        connection.close()

    closings = [_readers.submit(close_mine) for _ in range(_READERS)]
    for closing in wait(closings, timeout=_CLOSE_S).done:
        closing.result()
