"""The Interactions API: a store of interactions and its doors."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from . import catalogue, generation, wire
from .brain import Brain, BrokenJson, Cut, Delivery, Prompt, Turn, Waiting
from .connection import Exchange
from .errors import ApiError
from .interaction import Interaction, Sent
from .routing import Route, route
from .wire import JsonObject

_CAPACITY = 2000
_BROKEN_EVENT = b'event: step.delta\ndata: {"index":0,"delta":{"ty\n\n'
_PLAIN = Delivery()


class InteractionStore:
    """Keeps the newest interactions; a forgotten one is as unknown as an expired."""

    def __init__(self, brain: Brain, *, is_on: bool = True) -> None:
        self.is_on = is_on
        self._brain = brain
        self._interactions: dict[str, Interaction] = {}

    def routes(self) -> list[Route]:
        """Return the routes below a version."""
        one = "/interactions/([^/]+)"
        return [
            route("POST", "/interactions", self._create),
            route("GET", one, self._get),
            route("DELETE", one, self._delete),
            route("POST", f"{one}/cancel", self._cancel),
        ]

    def local_routes(self) -> list[Route]:
        """Return the routes below `/_local`, for tests."""
        return [
            route("PUT", "/_local/interactions", self._switch),
            route("DELETE", "/_local/interactions", self._forget),
        ]

    async def _switch(self, exchange: Exchange, _match: re.Match[str]) -> None:
        self.is_on = wire.parse_object(exchange.request.body).get("is_on") is True
        await exchange.send_json(200, {"is_on": self.is_on})

    async def _forget(self, exchange: Exchange, _match: re.Match[str]) -> None:
        self._interactions.clear()
        await exchange.send_json(200, {})

    async def _create(self, exchange: Exchange, _match: re.Match[str]) -> None:
        payload = wire.parse_object(exchange.request.body)
        prompt, new_turns = self._prompt(payload)
        is_stored = payload.get("store") is not False
        is_background = payload.get("background") is True
        if is_background and not is_stored:
            raise ApiError(400, "background=true requires store=true.")
        reply = await self._brain.respond(prompt)
        body = reply.delivery.body
        if body is not None:
            await generation.send_replacement(exchange, body, reply.delivery)
            return
        previous_id = payload.get("previous_interaction_id") or ""
        interaction = Interaction(
            prompt,
            model_version=self._brain.model_version,
            new_turns=new_turns,
            previous_id=previous_id,
            is_background=is_background,
        )
        if is_stored:
            self._keep(interaction)
        interaction.start(reply.events)
        with _stopping(interaction):
            if payload.get("stream") is True:
                await _send_events(exchange, interaction, reply.delivery)
            elif is_background:
                await exchange.send_json(200, interaction.shape())
            else:
                await _send_whole(exchange, interaction)

    async def _get(self, exchange: Exchange, match: re.Match[str]) -> None:
        interaction = self._find(match[1])
        query = exchange.request.query
        if query.get("stream") == "true":
            after = _event_number(query.get("last_event_id", ""))
            with _stopping(interaction):
                await _send_events(exchange, interaction, _PLAIN, resumed_after=after)
            return
        includes_input = query.get("include_input") == "true"
        shape = interaction.shape(includes_input=includes_input)
        await exchange.send_json(200, shape)

    async def _cancel(self, exchange: Exchange, match: re.Match[str]) -> None:
        interaction = self._find(match[1])
        if interaction.is_running and interaction.task is not None:
            interaction.task.cancel()
            await asyncio.wait([interaction.task])
        await exchange.send_json(200, interaction.shape())

    async def _delete(self, exchange: Exchange, match: re.Match[str]) -> None:
        interaction = self._find(match[1])
        del self._interactions[interaction.id]
        if interaction.task is not None:
            interaction.task.cancel()
        await exchange.send_json(200, {})

    def _prompt(self, payload: JsonObject) -> tuple[Prompt, tuple[Turn, ...]]:
        model = str(payload.get("model") or "").removeprefix("models/")
        catalogue.check(model)
        if payload.get("cached_content"):
            raise ApiError(400, "Interactions support implicit caching only.")
        previous_id = payload.get("previous_interaction_id")
        earlier = self._earlier_turns(str(previous_id)) if previous_id else ()
        new_turns = _input_turns(payload.get("input"))
        config = wire.nested(payload, "generation_config")
        prompt = Prompt(
            model=model,
            system=str(payload.get("system_instruction") or ""),
            turns=earlier + new_turns,
            max_output_tokens=wire.positive_integer(config, "max_output_tokens"),
            stop_sequences=wire.strings(config, "stop_sequences"),
            sampling=wire.sampling(config),
        )
        return prompt, new_turns

    def _earlier_turns(self, previous_id: str) -> tuple[Turn, ...]:
        context = self._find(previous_id).context()
        self._brain.recall(context)
        return context.turns

    def _find(self, interaction_id: str) -> Interaction:
        if interaction_id not in self._interactions:
            raise ApiError(404, f"Interaction {interaction_id} was not found.")
        return self._interactions[interaction_id]

    def _keep(self, interaction: Interaction) -> None:
        self._interactions[interaction.id] = interaction
        while len(self._interactions) > _CAPACITY:
            del self._interactions[next(iter(self._interactions))]


@contextmanager
def _stopping(interaction: Interaction) -> Iterator[None]:
    """End the answer when its reader leaves, unless it runs in the background."""
    try:
        yield
    except asyncio.CancelledError:
        if not interaction.is_background and interaction.task is not None:
            interaction.task.cancel()
        raise


async def _send_events(
    exchange: Exchange,
    interaction: Interaction,
    delivery: Delivery,
    *,
    resumed_after: int | None = None,
) -> None:
    """Send the events; a resumed stream does not meet the same faults again."""
    async with aclosing(interaction.follow(after=resumed_after or 0)) as milestones:
        async for milestone in milestones:
            if resumed_after is not None and not isinstance(milestone, Sent | Waiting):
                continue
            if not exchange.is_started:
                generation.start_stream(exchange, delivery)
            if isinstance(milestone, Cut):
                exchange.cut()
                return
            await generation.write_line(exchange, delivery, _line(milestone))
    if not exchange.is_started:
        generation.start_stream(exchange, delivery)
    exchange.finish()


def _line(milestone: Sent | BrokenJson | Waiting) -> bytes:
    if isinstance(milestone, Sent):
        return milestone.line
    # An empty line is no event; it only shows that we are alive.
    return b"\n" if isinstance(milestone, Waiting) else _BROKEN_EVENT


async def _send_whole(exchange: Exchange, interaction: Interaction) -> None:
    """Wait for the end and send the interaction as one object.

    Raises:
        ApiError: the brain failed in the middle of its answer.
    """
    async for milestone in interaction.follow():
        if isinstance(milestone, BrokenJson | Cut):
            await generation.send_damaged(exchange, interaction.shape(), milestone)
            return
    if interaction.failure is not None:
        raise interaction.failure
    await exchange.send_json(200, interaction.shape())


def _event_number(event_id: str) -> int:
    number = event_id.removeprefix("ev")
    if number and not number.isdecimal():
        raise ApiError(400, f"last_event_id {event_id} is not one of ours.")
    return int(number or 0)


def _input_turns(given: Any) -> tuple[Turn, ...]:
    """Read `input`: a text, a list of contents, or a list of steps.

    Raises:
        ApiError: 400, it is missing or something else.
    """
    if isinstance(given, str) and given:
        return (Turn("user", given),)
    items = given if isinstance(given, list) else [given]
    if not items or not all(isinstance(item, dict) for item in items):
        raise ApiError(400, "input must be a text, a list of contents or of steps.")
    if any(item.get("type") == "text" for item in items):
        return (Turn("user", _content_text(items)),)
    steps = [item for item in items if item.get("type") != "thought"]
    return tuple(_step_turn(step) for step in steps)


def _step_turn(step: JsonObject) -> Turn:
    roles = {"user_input": "user", "model_output": "model"}
    if step.get("type") not in roles:
        raise ApiError(400, f"input has a step of unknown type {step.get('type')}.")
    content = step.get("content")
    return Turn(roles[step["type"]], _content_text(content))


def _content_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    items = content if isinstance(content, list) else [content]
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("text"), str):
            raise ApiError(400, "the local server understands text contents only.")
    return "".join(item["text"] for item in items)
