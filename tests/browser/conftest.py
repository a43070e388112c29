"""A real Chromium, and pages that may not break the content security policy."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    expect,
    sync_playwright,
)

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_MS = 15_000

NewContext = Callable[..., BrowserContext]


def _chromium() -> str:
    for name in (os.environ.get("CHROMIUM", ""), *_NAMES):
        if path := shutil.which(name):
            return path
    pytest.fail("There is no Chromium for the browser tests: run `make browser`.")


# One playwright for a module, not for the whole run: while it lives, its event loop
# counts as running in this thread, which asyncio's and Django's tests do not bear.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=_chromium(), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def new_context(browser: Browser, live_site: str) -> Iterator[NewContext]:
    """Make visitors: each context has cookies and storage of its own.

    At the end no script may have failed and no policy been broken in any of them.
    """
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: (
                problems.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(base_url=live_site, **options)
        context.set_default_timeout(_PATIENCE_MS)
        context.on("page", watch)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A visitor's page on a desktop."""
    return new_context(viewport={"width": 1280, "height": 800}).new_page()


@pytest.fixture
def phone(new_context: NewContext) -> Page:
    """A visitor's page on a narrow phone, in the dark."""
    return new_context(
        viewport={"width": 360, "height": 740},
        is_mobile=True,
        has_touch=True,
        color_scheme="dark",
    ).new_page()


@pytest.fixture
def plain_page(new_context: NewContext) -> Page:
    """A visitor's page without JavaScript."""
    return new_context(java_script_enabled=False).new_page()
