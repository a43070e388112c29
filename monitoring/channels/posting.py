"""One HTTP request to somebody else's server, which may be slow, broken or hostile."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2

from monitoring.channels import clean
from monitoring.channels.message import NotSent

DEADLINE_S = 5.0
_QUOTED_BYTES = 800


def host(url: str) -> str:
    """Return all of an address that may be shown."""
    return urlsplit(url).hostname or "?"


def post(url: str, *, content: bytes, headers: Mapping[str, str]) -> str:
    """Post it and return what became of it, in words.

    Redirects are not followed: the address and its secret would go to another host.
    It takes `DEADLINE_S` at most, to the end of the answer, however slowly that drips.
    Raises: NotSent.
    """
    where = host(url)
    try:
        status, body = asyncio.run(_exchange(url, content, headers))
    except TimeoutError as error:
        raise NotSent(f"{where} has not answered within {DEADLINE_S:g} s.") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        # Only its kind: the text may quote the address.
        raise NotSent(f"{where} can't be reached: {type(error).__name__}.") from error
    if status >= 300:
        raise NotSent(f"{where} answered {status}: {clean.quoted(body)}")
    return f"{where} answered {status}."


async def _exchange(
    url: str, content: bytes, headers: Mapping[str, str]
) -> tuple[int, str]:
    """Return the status and the beginning of the body."""
    async with (
        asyncio.timeout(DEADLINE_S),
        httpx2.AsyncClient(timeout=DEADLINE_S) as client,
        client.stream("POST", url, content=content, headers=headers) as answer,
    ):
        body = b""
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) >= _QUOTED_BYTES:
                break
        return answer.status_code, body[:_QUOTED_BYTES].decode(errors="replace")
