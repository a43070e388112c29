"""People who begin conversations, say a few things in each, and begin the next."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

import httpx2

_PATIENCE_S = 30.0
_MESSAGES = ("Good morning.", "And then?", "What do you make of it?")


class People:
    """Clients of one site, on a thread of their own.

    Each says a message when the last one is answered, whatever the answer was.
    """

    def __init__(self, url: str, *, count: int, pause_s: float) -> None:
        self.statuses: Counter[int] = Counter()
        self._url, self._count, self._pause_s = url, count, pause_s
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Let them talk."""
        self._thread.start()

    def fall_silent(self) -> None:
        """Let everybody finish the turn they are in, and say no more."""
        self._is_over.set()
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        async with httpx2.AsyncClient(
            base_url=f"{self._url}/api/v1/sessions/",
            limits=httpx2.Limits(max_keepalive_connections=self._count),
            timeout=_PATIENCE_S,
            trust_env=False,
        ) as client:
            await asyncio.gather(*(self._one(client) for _ in range(self._count)))

    async def _one(self, client: httpx2.AsyncClient) -> None:
        while not self._is_over.is_set():
            try:
                await self._talk(client)
            except (httpx2.HTTPError, KeyError, ValueError):
                self.statuses[0] += 1
                await asyncio.sleep(self._pause_s)

    async def _talk(self, client: httpx2.AsyncClient) -> None:
        begun = await client.post("", json={})
        number = begun.raise_for_status().json()["id"]
        for text in _MESSAGES:
            if self._is_over.is_set():
                return
            said = await client.post(f"{number}/chat", json={"message": text})
            self.statuses[said.status_code] += 1
            await asyncio.sleep(self._pause_s)


@contextlib.contextmanager
def talking(url: str, *, count: int, pause_s: float = 0.0) -> Iterator[People]:
    """Let so many people talk; they are silent at the end."""
    people = People(url, count=count, pause_s=pause_s)
    people.begin()
    try:
        yield people
    finally:
        people.fall_silent()
