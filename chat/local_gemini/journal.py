"""The recent requests of the scripted brain, for tests to look at."""

import json
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .connection import Request

_MAX_ENTRIES = 2000
_MAX_BYTES = 64 * 1024 * 1024
_SECRET_HEADERS = frozenset({"x-goog-api-key", "authorization", "cookie"})


@dataclass(slots=True)
class Entry:
    """One request and what became of it."""

    id: int
    request: Request
    started_at: datetime
    ended_at: datetime | None = None
    is_disconnected: bool = False
    chunk_count: int = 0

    def close(self, chunk_count: int) -> None:
        """Note the end of the request."""
        self.ended_at = datetime.now(UTC)
        self.chunk_count = chunk_count


class Journal:
    """The newest requests, bounded in number and bytes."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._byte_count = 0
        self._last_id = 0

    def open(self, request: Request) -> Entry:
        """Note a request that begins."""
        self._last_id += 1
        entry = Entry(self._last_id, request, datetime.now(UTC))
        self._entries.append(entry)
        self._byte_count += len(request.body)
        while len(self._entries) > _MAX_ENTRIES or self._byte_count > _MAX_BYTES:
            self._byte_count -= len(self._entries.popleft().request.body)
        return entry

    def since(self, entry_id: int) -> list[dict[str, Any]]:
        """Return the requests after this id, oldest first."""
        return [_shape(entry) for entry in self._entries if entry.id > entry_id]

    def clear(self) -> None:
        """Forget all requests; ids go on."""
        self._entries.clear()
        self._byte_count = 0


def _shape(entry: Entry) -> dict[str, Any]:
    request = entry.request
    return {
        "id": entry.id,
        "method": request.method,
        "path": request.path,
        "query": {key: value for key, value in request.query.items() if key != "key"},
        "headers": {
            name: value
            for name, value in request.headers.items()
            if name not in _SECRET_HEADERS
        },
        "body": _body(request.body),
        "started_at": entry.started_at.isoformat(),
        "ended_at": entry.ended_at.isoformat() if entry.ended_at else None,
        "disconnected": entry.is_disconnected,
        "chunks_sent": entry.chunk_count,
    }


def _body(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
