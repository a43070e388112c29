"""Explicit caches: `cachedContents` and their use by `cachedContent`."""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from . import catalogue, wire
from .brain import Brain, Prompt
from .connection import Exchange
from .errors import ApiError
from .routing import Route, route
from .wire import JsonObject

# Google's minimum is 2,048 or 4,096; a small one lets tests and small models use it.
MINIMUM_TOKENS = 400
_DEFAULT_TTL = timedelta(hours=1)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")


@dataclass(frozen=True, slots=True)
class CachedContent:
    """A prompt prefix, kept until it expires."""

    name: str
    display_name: str
    prefix: Prompt
    token_count: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime

    def shape(self) -> JsonObject:
        """Return the resource as the API shows it, without its contents."""
        return {
            "name": self.name,
            "model": f"models/{self.prefix.model}",
            "displayName": self.display_name,
            "createTime": wire.timestamp(self.created_at),
            "updateTime": wire.timestamp(self.updated_at),
            "expireTime": wire.timestamp(self.expires_at),
            "usageMetadata": {"totalTokenCount": self.token_count},
        }


class CacheStore:
    """The explicit caches of this server; they live as long as it does."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self._caches: dict[str, CachedContent] = {}

    def routes(self) -> list[Route]:
        """Return the routes below a version."""
        name = "/(cachedContents/[^/]+)"
        return [
            route("POST", "/cachedContents", self._create),
            route("GET", "/cachedContents", self._list),
            route("GET", name, self._get),
            route("PATCH", name, self._update),
            route("DELETE", name, self._delete),
        ]

    def extend(self, name: str, payload: JsonObject, prompt: Prompt) -> Prompt:
        """Put the cached prefix before a prompt.

        Raises:
            ApiError: 400, the request repeats what only the cache may hold, or is for
                another model; 403, no such cache.
        """
        if any(payload.get(key) for key in ("systemInstruction", "tools")):
            raise ApiError(
                400,
                "CachedContent can not be used with GenerateContent request setting "
                "system_instruction, tools or tool_config.",
            )
        cache = self._find(name)
        if cache.prefix.model != prompt.model:
            raise ApiError(
                400,
                f"Model used by GenerateContent request (models/{prompt.model}) and "
                f"CachedContent (models/{cache.prefix.model}) has to be the same.",
            )
        return replace(
            prompt,
            system=cache.prefix.system,
            turns=cache.prefix.turns + prompt.turns,
            explicit_cache_tokens=cache.token_count,
        )

    async def _create(self, exchange: Exchange, _match: re.Match[str]) -> None:
        payload = wire.parse_object(exchange.request.body)
        model = str(payload.get("model", "")).removeprefix("models/")
        catalogue.check(model)
        contents = payload.get("contents")
        turns = wire.parse_contents(contents) if contents else ()
        prefix = Prompt(model, wire.system_text(payload), turns)
        token_count = await self._brain.count_tokens(prefix)
        if token_count < MINIMUM_TOKENS:
            raise ApiError(
                400,
                f"Cached content is too small. total_token_count={token_count}, "
                f"min_total_token_count={MINIMUM_TOKENS}",
            )
        now = datetime.now(UTC)
        self._drop_expired(now)
        cache = CachedContent(
            name=f"cachedContents/{secrets.token_hex(8)}",
            display_name=str(payload.get("displayName", "")),
            prefix=prefix,
            token_count=token_count,
            created_at=now,
            updated_at=now,
            expires_at=_expiry(payload, now) or now + _DEFAULT_TTL,
        )
        self._caches[cache.name] = cache
        await exchange.send_json(200, cache.shape())

    async def _list(self, exchange: Exchange, _match: re.Match[str]) -> None:
        self._drop_expired(datetime.now(UTC))
        shapes = [cache.shape() for cache in self._caches.values()]
        page = catalogue.paged("cachedContents", shapes, exchange.request.query)
        await exchange.send_json(200, page)

    async def _get(self, exchange: Exchange, match: re.Match[str]) -> None:
        await exchange.send_json(200, self._find(match[1]).shape())

    async def _update(self, exchange: Exchange, match: re.Match[str]) -> None:
        cache = self._find(match[1])
        now = datetime.now(UTC)
        expires_at = _expiry(wire.parse_object(exchange.request.body), now)
        if expires_at is None:
            raise ApiError(400, "Only ttl and expireTime can be updated.")
        changed = replace(cache, updated_at=now, expires_at=expires_at)
        self._caches[cache.name] = changed
        await exchange.send_json(200, changed.shape())

    async def _delete(self, exchange: Exchange, match: re.Match[str]) -> None:
        del self._caches[self._find(match[1]).name]
        await exchange.send_json(200, {})

    def _find(self, name: str) -> CachedContent:
        self._drop_expired(datetime.now(UTC))
        if name not in self._caches:
            message = "CachedContent not found (or permission denied)"
            raise ApiError(403, message)
        return self._caches[name]

    def _drop_expired(self, now: datetime) -> None:
        for cache in list(self._caches.values()):
            if cache.expires_at <= now:
                del self._caches[cache.name]


def _expiry(payload: JsonObject, now: datetime) -> datetime | None:
    ttl, expire_time = payload.get("ttl"), payload.get("expireTime")
    if ttl is not None:
        match = _DURATION.fullmatch(str(ttl))
        if match is None:
            raise ApiError(400, f"Invalid value at 'ttl': {ttl!r}")
        return now + timedelta(seconds=float(match[1]))
    if expire_time is None:
        return None
    try:
        return datetime.fromisoformat(str(expire_time)).astimezone(UTC)
    except ValueError:
        message = f"Invalid value at 'expire_time': {expire_time!r}"
        raise ApiError(400, message) from None
