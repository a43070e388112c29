"""A load client that costs little: raw HTTP/1.1 on asyncio, in a process of its own.

`python -m benchmarks.load --help`; it prints one JSON object, a `Run`.
"""

import argparse
import asyncio
import json
import resource
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

_DELTA = b"event: delta"
_COMPLETE = b'"status":"complete"'
_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(slots=True)
class Run:
    """What a run of the client saw; times in ms, one entry for each good turn.

    `turns_per_s` counts the turns that ended within the run's time only.
    """

    turns_per_s: float = 0.0
    first_ms: list[float] = field(default_factory=list)
    total_ms: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    client_cpu_ratio: float = 0.0
    sessions: list[int] = field(default_factory=list)

    def count_error(self, name: str) -> None:
        """Count one turn that went wrong."""
        self.errors[name] = self.errors.get(name, 0) + 1


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server; `first_s` is None when no text was streamed."""

    status: int
    body: bytes
    first_s: float | None
    total_s: float


class Connection(asyncio.Protocol):
    """One keep-alive connection that carries one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._data = bytearray()
        self._body_start = 0
        self._length: int | None = None
        self._first_at: float | None = None
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that was waiting."""
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        """Note the first text, and whether the answer is complete."""
        seen_from = max(0, len(self._data) - len(_DELTA))
        self._data += data
        if self._first_at is None and self._data.find(_DELTA, seen_from) >= 0:
            self._first_at = self._loop.time()
        if self._is_complete() and self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def post(self, path: str, body: bytes, *, accept: str) -> Reply:
        """Send one request and read its answer to the end. Raises: OSError."""
        self._data.clear()
        self._body_start, self._length, self._first_at = 0, None, None
        self._done = self._loop.create_future()
        started_at = self._loop.time()
        self._transport.write(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "\r\n".encode()
            + body
        )
        await self._done
        return Reply(
            status=int(self._data[9:12]),
            body=bytes(self._data[self._body_start :]),
            first_s=self._first_s(started_at),
            total_s=self._loop.time() - started_at,
        )

    def _first_s(self, started_at: float) -> float | None:
        return None if self._first_at is None else self._first_at - started_at

    def _is_complete(self) -> bool:
        if not self._body_start and not self._read_head():
            return False
        if self._length is None:
            return self._data.endswith(_LAST_CHUNK)
        return len(self._data) >= self._body_start + self._length

    def _read_head(self) -> bool:
        end = self._data.find(_HEAD_END)
        if end < 0:
            return False
        self._body_start = end + len(_HEAD_END)
        for line in bytes(self._data[:end]).lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                self._length = int(line.partition(b":")[2])
        return True


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do; `turns` for each caller, or 0: as many as fit into `seconds`."""

    url: str
    message: str
    is_streamed: bool
    concurrency: int
    seconds: float
    turns: int
    sessions: list[int]


async def run(plan: Plan) -> Run:
    """Let that many callers talk at once, each in a conversation of its own."""
    loop = asyncio.get_running_loop()
    result = Run()
    connections = [await _connect(plan.url) for _ in range(plan.concurrency)]
    result.sessions = plan.sessions or [await _begin(each) for each in connections]
    deadline = loop.time() + plan.seconds
    cpu_s, started_at = _cpu_s(), loop.time()
    await asyncio.gather(
        *(
            _talk(connection, session, plan, deadline, result)
            for connection, session in zip(connections, result.sessions, strict=True)
        )
    )
    result.client_cpu_ratio = (_cpu_s() - cpu_s) / (loop.time() - started_at)
    return result


async def _talk(
    connection: Connection,
    session: int,
    plan: Plan,
    deadline: float,
    result: Run,
) -> None:
    loop = asyncio.get_running_loop()
    path = f"/api/v1/sessions/{session}/chat"
    accept = "text/event-stream" if plan.is_streamed else "application/json"
    body = json.dumps({"message": plan.message}).encode()
    turns = 0
    while turns < plan.turns if plan.turns else loop.time() < deadline:
        turns += 1
        try:
            reply = await connection.post(path, body, accept=accept)
        except OSError as error:
            result.count_error(type(error).__name__)
            connection = await _connect(plan.url)
            continue
        if reply.status != 200 or _COMPLETE not in reply.body.replace(b": ", b":"):
            result.count_error(f"{reply.status} {reply.body[-200:]!r}")
            continue
        result.total_ms.append(reply.total_s * 1000)
        if reply.first_s is not None:
            result.first_ms.append(reply.first_s * 1000)
        if loop.time() <= deadline:
            result.turns_per_s += 1 / plan.seconds


async def _connect(url: str) -> Connection:
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    return (await loop.create_connection(Connection, host, port))[1]


async def _begin(connection: Connection) -> int:
    reply = await connection.post("/api/v1/sessions/", b"{}", accept="*/*")
    session: int = json.loads(reply.body)["id"]
    return session


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Read the plan from the command line and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--message", required=True)
    parser.add_argument("--stream", action="store_true", help="ask for events")
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--turns", type=int, default=0, help="each, instead of a time")
    parser.add_argument("--sessions", default="", help="ids, instead of new ones")
    given = parser.parse_args()
    plan = Plan(
        url=given.url,
        message=given.message,
        is_streamed=given.stream,
        concurrency=given.concurrency,
        seconds=given.seconds,
        turns=given.turns,
        sessions=[int(part) for part in given.sessions.split(",") if part],
    )
    print(json.dumps(asdict(asyncio.run(run(plan)))))


if __name__ == "__main__":
    main()
