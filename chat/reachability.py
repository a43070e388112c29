"""Whether the model's server answers, without asking it for an answer."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from chat import errors, upstream

TIMEOUT_S = 5.0


async def look_up(
    client: Any, name: str, *, failures: tuple[type[Exception], ...], secret: str
) -> None:
    """Let the SDK's client look a model up. Raises: errors.GeminiError."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await client.aio.models.get(model=name)
    except failures as error:
        raise upstream.translated(
            error, has_begun=False, secret=secret, now=datetime.now(UTC)
        ) from None
    except TimeoutError:
        raise errors.GeminiTimeout(reason="look_up_deadline") from None
