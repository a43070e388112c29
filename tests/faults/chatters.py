"""People who talk and do not give up: they resend, resume and retry until answered."""

import asyncio
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.faults import api
from tests.faults.api import Api, Shown, Surprise

_ANSWER_WITHIN_S = 60.0
_PAUSE_S = 0.1


@dataclass(slots=True)
class Sent:
    """One message and all that the site ever said about it; times are monotonic.

    `acknowledged` are the ids that it was stored under, `shown` is what was seen of
    each answer, `begun_at` when each attempt at an answer was asked for.
    """

    conversation_id: int
    text: str
    expected: str
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    acknowledged: set[int] = field(default_factory=set)
    shown: dict[int, Shown] = field(default_factory=dict)
    begun_at: list[float] = field(default_factory=list)
    broken_at: list[float] = field(default_factory=list)
    refused_count: int = 0
    retry_count: int = 0
    completed_at: float | None = None


class Chatter:
    """Talks in one conversation, one message after the other."""

    def __init__(self, client: Api) -> None:
        self.sent: list[Sent] = []
        self._api = client
        self._conversation_id: int | None = None
        self._current = Shown()

    async def talk_until(self, enough: asyncio.Event) -> None:
        """Send message after message; the last one is answered, too."""
        self._conversation_id = await self._api.begin()
        while not enough.is_set():
            await self.say(words=random.randint(20, 160), delay_ms=20)
            await asyncio.sleep(random.uniform(0, 0.3))

    async def say(self, *, words: int, delay_ms: int) -> Sent:
        """Say one thing until there is a complete answer. Raises: Surprise."""
        if self._conversation_id is None:
            self._conversation_id = await self._api.begin()
        text = api.say(f"Message {uuid.uuid4()}", words=words, delay_ms=delay_ms)
        sent = Sent(self._conversation_id, text, api.spoken(text, words=words))
        self.sent.append(sent)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S) as patience:
                await self._insist(sent, patience)
        except TimeoutError:
            raise Surprise(f"{_ANSWER_WITHIN_S:.0f} s without an end: {sent}") from None
        return sent

    async def _insist(self, sent: Sent, patience: asyncio.Timeout) -> None:
        """Attach to the newest attempt by the key, retry it when it has failed.

        The patience begins anew with each connection that a kill has broken.
        """
        is_streaming = random.random() < 0.7
        attempt = self._stream if is_streaming else self._post
        path, status = f"{sent.conversation_id}/chat", ""
        self._current = Shown()
        while status != "complete":
            sent.begun_at.append(time.monotonic())
            try:
                status = await attempt(sent, path)
            except httpx2.TransportError:
                sent.broken_at.append(time.monotonic())
                patience.reschedule(sent.broken_at[-1] + _ANSWER_WITHIN_S)
                await asyncio.sleep(_PAUSE_S)
                status = await self._resume(sent) if is_streaming else ""
            path = f"{sent.conversation_id}/chat"
            if status in {"interrupted", "failed"}:
                path = f"{sent.conversation_id}/retry"
                sent.retry_count += 1
                self._current = Shown()
        sent.completed_at = time.monotonic()

    async def _stream(self, sent: Sent, path: str) -> str:
        is_first = path.endswith("chat")
        async with self._api.stream(
            path,
            text=sent.text if is_first else None,
            key=sent.key if is_first else "",
            after=len(self._current.text),
        ) as response:
            if response.status_code != 200:
                await response.aread()
                return await self._refused(sent, response)
            return await self._follow(sent, response)

    async def _resume(self, sent: Sent) -> str:
        """Half of the readers go on through `/events`, the others send again."""
        if random.random() < 0.5:
            return ""
        try:
            async with self._api.stream(
                f"{sent.conversation_id}/events", after=len(self._current.text)
            ) as response:
                if response.status_code != 200:
                    await response.aread()
                    return await self._refused(sent, response)
                return await self._follow(sent, response)
        except httpx2.TransportError:
            return ""

    async def _follow(self, sent: Sent, response: httpx2.Response) -> str:
        async for event in api.events(response):
            match event.name:
                case "accepted":
                    sent.acknowledged.add(event.data["user_message_id"])
                    sent.shown[event.data["assistant_message_id"]] = self._current
                case "delta":
                    self._current.add(event)
                case "end":
                    return self._believe(sent, event.data, self._current.text)
                case "error":
                    return str(_answer_in(event.data)["status"])
        raise httpx2.RemoteProtocolError("The stream ended without a last event.")

    async def _post(self, sent: Sent, path: str) -> str:
        is_first = path.endswith("chat")
        if is_first:
            response = await self._api.say(
                sent.conversation_id, sent.text, key=sent.key
            )
        else:
            response = await self._api.retry(sent.conversation_id)
        if response.status_code != 200:
            return await self._refused(sent, response)
        turn = response.json()
        sent.acknowledged.add(turn["user_message"]["id"])
        return self._believe(sent, turn, turn["assistant_message"]["content"])

    def _believe(self, sent: Sent, turn: dict[str, Any], text: str) -> str:
        """Return the status. Raises: Surprise when complete is not the whole text."""
        told = turn["assistant_message"]["content"]
        if turn["status"] != "complete" or told != sent.expected or text != told:
            raise Surprise(f"Called complete: {turn}; shown: {text!r}; of: {sent}")
        return "complete"

    async def _refused(self, sent: Sent, response: httpx2.Response) -> str:
        """Return the status of a failed attempt, or "" where one may come again.

        Raises: Surprise for an answer that a fault must not cause.
        """
        if response.status_code == 204:
            return ""
        sent.refused_count += 1
        problem = response.json()
        if response.status_code == 503 and "assistant_message" in problem:
            sent.acknowledged.add(problem["user_message_id"])
            return str(_answer_in(problem)["status"])
        is_passing = response.status_code == 503 and "Retry-After" in response.headers
        is_repeated = problem["error_code"] == "INVALID_REQUEST" and sent.retry_count
        if not (is_passing or is_repeated or response.status_code == 409):
            raise Surprise(f"{response.status_code} {problem}")
        await asyncio.sleep(_PAUSE_S)
        return ""


def _answer_in(problem: dict[str, Any]) -> dict[str, Any]:
    """Return the kept answer of a failed turn. Raises: Surprise when there is none."""
    if problem.get("assistant_message") is None:
        raise Surprise(f"An error without what is kept of the answer: {problem}")
    answer: dict[str, Any] = problem["assistant_message"]
    return answer
