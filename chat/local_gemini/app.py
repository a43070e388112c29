"""Keys, routing and errors: what happens to a request before a brain sees it."""

import asyncio
import re

from . import catalogue, generation, wire
from .brain import Brain, Prompt
from .caches import CacheStore
from .connection import Exchange
from .control import Control
from .errors import ApiError, ConnectionDropped, invalid_key, missing_key
from .interactions import InteractionStore
from .routing import follow, route

_VERSION = re.compile(r"/(v1|v1beta)(?=/)")
_WRONG_KEY = "wrong-key"


class App:
    """Answers every path of the server."""

    def __init__(
        self,
        brain: Brain,
        *,
        control: Control | None,
        required_key: str = "",
        has_interactions: bool = True,
    ) -> None:
        self._brain = brain
        self._control = control
        self._required_key = required_key
        self._local_routes = [route("GET", "/_local/health", self._health)]
        if control is not None:
            self._local_routes += control.routes()
        self._caches = CacheStore(brain)
        self._interactions = InteractionStore(brain, is_on=has_interactions)
        if control is not None:
            self._local_routes += self._interactions.local_routes()
        model = "/models/([^/:]+)"
        self._routes = [
            route("POST", f"{model}:streamGenerateContent", self._stream),
            route("POST", f"{model}:generateContent", self._generate),
            route("POST", f"{model}:countTokens", self._count_tokens),
            route("GET", "/models", self._list_models),
            route("GET", model, self._get_model),
            *self._caches.routes(),
        ]
        self._interaction_routes = self._interactions.routes()

    async def __call__(self, exchange: Exchange) -> None:
        """Answer a request and note it in the journal, if there is one."""
        request = exchange.request
        if self._control is None or request.path.startswith("/_local/"):
            await self._answer(exchange)
            return
        entry = self._control.journal.open(request)
        try:
            await self._answer(exchange)
        except asyncio.CancelledError:
            entry.is_disconnected = True
            raise
        finally:
            entry.close(exchange.write_count)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._dispatch(exchange)
        except ConnectionDropped:
            exchange.reset()
        except ApiError as error:
            await self._send_error(exchange, error)

    async def _dispatch(self, exchange: Exchange) -> None:
        path = exchange.request.path
        if path.startswith("/_local/"):
            await follow(self._local_routes, exchange, path)
            return
        version = _VERSION.match(path)
        if version is None:
            raise ApiError(404, f"The requested URL {path} was not found.")
        self._check_key(exchange)
        known = self._interaction_routes if self._interactions.is_on else []
        await follow(self._routes + known, exchange, path[version.end() :])

    async def _send_error(self, exchange: Exchange, error: ApiError) -> None:
        if exchange.is_started:
            exchange.cut()
            return
        is_on = self._interactions.is_on
        is_interaction = is_on and "/interactions" in exchange.request.path
        body = error.interactions_body() if is_interaction else error.body()
        await exchange.send_json(error.code, body, headers=error.headers())

    def _check_key(self, exchange: Exchange) -> None:
        request = exchange.request
        key = request.headers.get("x-goog-api-key") or request.query.get("key", "")
        if self._required_key and not key:
            raise missing_key()
        if key == _WRONG_KEY or self._required_key not in ("", key):
            raise invalid_key()

    async def _health(self, exchange: Exchange, _match: re.Match[str]) -> None:
        health = {
            "brain": self._brain.name,
            "model": self._brain.model_version,
            "ready": True,
            "queued": self._brain.queued,
            "running": self._brain.running,
        }
        await exchange.send_json(200, health)

    async def _list_models(self, exchange: Exchange, _match: re.Match[str]) -> None:
        page = catalogue.page(exchange.request.query, self._brain)
        await exchange.send_json(200, page)

    async def _get_model(self, exchange: Exchange, match: re.Match[str]) -> None:
        await exchange.send_json(200, catalogue.describe(match[1], self._brain))

    async def _generate(self, exchange: Exchange, match: re.Match[str]) -> None:
        prompt = self._prompt(exchange, match[1])
        await generation.answer_whole(exchange, self._brain, prompt)

    async def _stream(self, exchange: Exchange, match: re.Match[str]) -> None:
        if exchange.request.query.get("alt") != "sse":
            raise ApiError(400, "The local server streams with ?alt=sse only.")
        prompt = self._prompt(exchange, match[1])
        await generation.stream(exchange, self._brain, prompt)

    async def _count_tokens(self, exchange: Exchange, match: re.Match[str]) -> None:
        catalogue.check(match[1])
        payload = wire.parse_object(exchange.request.body)
        request = wire.nested(payload, "generateContentRequest") or payload
        prompt = wire.parse_prompt(match[1], request)
        total = await self._brain.count_tokens(prompt)
        details = [{"modality": "TEXT", "tokenCount": total}]
        shape = {"totalTokens": total, "promptTokensDetails": details}
        await exchange.send_json(200, shape)

    def _prompt(self, exchange: Exchange, model: str) -> Prompt:
        catalogue.check(model)
        payload = wire.parse_object(exchange.request.body)
        prompt = wire.parse_prompt(model, payload)
        cache = payload.get("cachedContent")
        return self._caches.extend(str(cache), payload, prompt) if cache else prompt
