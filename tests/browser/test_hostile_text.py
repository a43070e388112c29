"""The corpus of hostile texts in a real browser: nothing runs, nothing is fetched."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape
from playwright.sync_api import Browser, Page, Route

from chat.bubbles import Bubble
from chat.rendering import render, render_user
from tests.browser.conftest import NewContext
from tests.browser.steps import begin, body, say, wait_until_done
from tests.chat.xss_corpus import PAYLOADS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
# Runs before anything on the page: every way of showing that a script runs is caught.
WATCH = """
try { window.top.executed ??= []; } catch { /* another site's frame */ }
for (const name of ["alert", "confirm", "prompt", "print", "open"])
  window[name] = (...words) => window.top.executed.push(name + ":" + words);
document.addEventListener("securitypolicyviolation",
  (event) => window.top.executed.push("policy:" + event.violatedDirective));
"""
# Wakes what waits for a person.
POKE = """
for (const element of document.body.querySelectorAll("*"))
  for (const name of ["focus", "mouseover", "toggle", "animationstart"])
    element.dispatchEvent(new Event(name, {bubbles: true}));
"""
ALLOWED_NAMES = """
ARTICLE A BLOCKQUOTE BR CODE DEL DIV EM H3 H4 H5 H6 HR LI OL P PRE S SPAN STRONG TABLE
TBODY TD TH THEAD TR UL
"""
AUDIT = """
() => [...document.body.querySelectorAll("*")].map((element) => ({
  tag: element.tagName,
  attributes: [...element.attributes].map((attribute) => attribute.name),
  href: element.href || "",
}))
"""


@contextmanager
def served(html: str, *, policy: str | None) -> Iterator[str]:
    """Serve one page; yield its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(html.encode("utf-8", "replace"))

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Outcome:
    """What happened on a page: what ran, what it asked for, what it is made of."""

    executed: list[str]
    requested: list[str]
    elements: list[dict[str, Any]]


def shown(browser: Browser, html: str, *, policy: str | None) -> Outcome:
    """Open a page made of `html`, wake everything on it, and report.

    Outside of this machine there is nothing: a request is seen, never sent.
    """
    document = f"<!doctype html><meta charset=utf-8><body>{html}</body>"
    requested: list[str] = []
    with served(document, policy=policy) as address, browser.new_context() as context:

        def seen(route: Route) -> None:
            if route.request.url in (address, f"{address}favicon.ico"):
                route.continue_()
            else:
                requested.append(route.request.url)
                route.abort()

        context.add_init_script(WATCH)
        page = context.new_page()
        page.route("**/*", seen)
        page.goto(address)
        page.evaluate(POKE)
        page.wait_for_timeout(300)
        return Outcome(
            page.evaluate("window.executed"), requested, page.evaluate(AUDIT)
        )


def as_answer(text: str) -> str:
    return f"<article>{render(text)}</article>"


def as_question(text: str) -> str:
    return f"<article>{render_user(text)}</article>"


def as_title(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


SHOWN_AS = {"answer": as_answer, "question": as_question, "title": as_title}


@pytest.mark.parametrize("show", SHOWN_AS.values(), ids=SHOWN_AS)
@pytest.mark.parametrize("policy", [POLICY, None], ids=["policy", "no policy"])
def test_no_hostile_text_runs_or_fetches_anything(
    browser: Browser, show: Callable[[str], str], policy: str | None
) -> None:
    outcome = shown(browser, "".join(map(show, PAYLOADS)), policy=policy)

    assert outcome.executed == []
    assert outcome.requested == []


def test_hostile_text_makes_no_element_of_its_own(browser: Browser) -> None:
    found = shown(browser, "".join(map(as_answer, PAYLOADS)), policy=None).elements

    assert {element["tag"] for element in found} <= set(ALLOWED_NAMES.split())
    assert len([element for element in found if element["tag"] == "ARTICLE"]) == len(
        PAYLOADS
    )
    names = {name for element in found for name in element["attributes"]}
    assert names <= {"class", "href", "rel", "target", "tabindex", "start"}
    links = [element["href"] for element in found if element["tag"] == "A"]
    assert links
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in links)


def test_the_same_texts_do_run_when_they_are_not_rendered(browser: Browser) -> None:
    raw = "".join(
        f'<iframe srcdoc="{escape(text)}"></iframe>' for text in PAYLOADS[:150]
    )

    outcome = shown(browser, raw, policy=None)

    assert len(outcome.executed) > 30
    assert len(outcome.requested) > 10


def test_the_message_fragment_takes_hostile_fields(browser: Browser) -> None:
    html = "".join(
        render_to_string(
            "chat/_message.html",
            {
                "bubble": Bubble(
                    id=number,
                    conversation_id=1,
                    role="assistant",
                    html=render(text),
                    status="failed",
                    note=text,
                    tone="error",
                    can_retry=False,
                    can_continue=False,
                    can_rate=True,
                    rating=text,
                    created_at=timezone.now(),
                    details=text,
                    staff_details=text,
                )
            },
        )
        for number, text in enumerate(PAYLOADS[::3])
    )

    outcome = shown(browser, html, policy=POLICY)

    assert outcome.executed == []
    assert outcome.requested == []


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)>"
    " ![x](https://evil.invalid/x) [x](javascript:alert(1)) [[echo]]"
)


def test_hostile_text_is_dead_on_the_live_pages(
    page: Page, new_context: NewContext
) -> None:
    page.context.add_init_script(WATCH)
    outside: list[str] = []
    page.on(
        "request",
        lambda request: outside.append(request.url) if "evil" in request.url else None,
    )

    begin(page, HOSTILE)
    wait_until_done(page)
    say(page, HOSTILE)
    wait_until_done(page, count=2)
    page.reload()
    page.goto("/")

    assert page.evaluate("window.executed") == []
    assert outside == []
    page.go_back()
    assert "<script>alert(1)</script>" in body(page).inner_text()
