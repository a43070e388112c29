"""Finds the door that answers a path."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from .connection import Exchange
from .errors import ApiError

Door = Callable[[Exchange, re.Match[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern, below the version for Google's paths."""

    method: str
    pattern: re.Pattern[str]
    door: Door


def route(method: str, pattern: str, door: Door) -> Route:
    """Make a route; the pattern is a regular expression for the whole path."""
    return Route(method, re.compile(pattern), door)


async def follow(routes: Iterable[Route], exchange: Exchange, path: str) -> None:
    """Call the door of the path.

    Raises:
        ApiError: 404, no such path; 405, not with this method.
    """
    allowed = []
    for candidate in routes:
        match = candidate.pattern.fullmatch(path)
        if match is None:
            continue
        if candidate.method == exchange.request.method:
            await candidate.door(exchange, match)
            return
        allowed.append(candidate.method)
    if allowed:
        raise ApiError(405, f"Method not allowed; use {', '.join(allowed)}.")
    raise ApiError(404, f"The requested URL {path} was not found.")
