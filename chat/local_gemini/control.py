"""What a test may ask of a server, and tell its scripted brain."""

import re
from dataclasses import asdict

from .brain import Brain
from .connection import Exchange
from .errors import ApiError
from .journal import Journal
from .routing import Route, route
from .scripted import ScriptedBrain
from .wire import parse_object


class Control:
    """The journal of requests and a scripted brain's defaults, over HTTP."""

    def __init__(self, brain: Brain) -> None:
        self.journal = Journal()
        self._pace = _Pace(brain) if isinstance(brain, ScriptedBrain) else None

    def routes(self) -> list[Route]:
        """Return the routes below `/_local`."""
        return [
            route("GET", "/_local/requests", self._list),
            route("DELETE", "/_local/requests", self._clear),
            *(self._pace.routes() if self._pace else ()),
        ]

    async def _list(self, exchange: Exchange, _match: re.Match[str]) -> None:
        since = exchange.request.query.get("since") or "0"
        if not since.isdecimal():
            raise ApiError(400, "since must be the id of a request.")
        await exchange.send_json(200, self.journal.since(int(since)))

    async def _clear(self, exchange: Exchange, _match: re.Match[str]) -> None:
        self.journal.clear()
        await exchange.send_json(200, {})


class _Pace:
    """The defaults of a scripted brain."""

    def __init__(self, brain: ScriptedBrain) -> None:
        self._brain = brain

    def routes(self) -> list[Route]:
        return [
            route("GET", "/_local/defaults", self._show),
            route("PUT", "/_local/defaults", self._change),
            route("DELETE", "/_local/defaults", self._reset),
        ]

    async def _show(self, exchange: Exchange, _match: re.Match[str]) -> None:
        await exchange.send_json(200, asdict(self._brain.defaults))

    async def _change(self, exchange: Exchange, match: re.Match[str]) -> None:
        self._brain.change_defaults(parse_object(exchange.request.body))
        await self._show(exchange, match)

    async def _reset(self, exchange: Exchange, match: re.Match[str]) -> None:
        self._brain.reset_defaults()
        await self._show(exchange, match)
