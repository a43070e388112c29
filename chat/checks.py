"""Checks that call out: never run unless they are asked for by their tag."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.checks.registry import registry

from chat import errors
from chat.gemini import Config, GeminiModel

TAG = "gemini"


def reachable(**_: Any) -> list[CheckMessage]:
    """Look the configured model up at its server."""
    config = Config.from_settings()
    try:
        asyncio.run(_look_up(config))
    except errors.GeminiRefused as error:
        return [
            Error(
                f"Gemini refuses the key ({error.reason}). {error.upstream}".strip(),
                hint="Set GEMINI_API_KEY or GEMINI_API_KEY_FILE to a key that may use "
                "the API.",
                id="chat.E001",
            )
        ]
    except errors.UnknownModel:
        return [
            Error(
                f"Gemini has no model {settings.GEMINI_MODEL!r} for this key.",
                hint="Set GEMINI_MODEL to one that it has.",
                id="chat.E002",
            )
        ]
    except errors.GeminiError as error:
        words = f"Cannot reach Gemini API endpoint {_address(config.base_url)}"
        return [
            Warning(
                f"{words} ({error.reason}). {error.upstream}".strip(),
                hint="Is there a network, and are GEMINI_BASE_URL and "
                "GEMINI_API_VERSION right? Nothing else of the site depends on it.",
                id="chat.W001",
            )
        ]
    return []


@contextmanager
def registered() -> Iterator[None]:
    """Register the check for a while.

    Django runs whatever is registered when no tag is given, as each command does
    before it begins; this one waits for somebody else's server.
    """
    registry.register(reachable, TAG)
    try:
        yield
    finally:
        registry.registered_checks.discard(reachable)


async def _look_up(config: Config) -> None:
    model = GeminiModel(config)
    try:
        await model.require(settings.GEMINI_MODEL)
    finally:
        await model.close()


def _address(url: str) -> str:
    """Return an address without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
