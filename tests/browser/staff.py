"""Staff in front of the admin's pages, and what is looked at on all of them."""

import re

from playwright.sync_api import BrowserContext, Page

from tests import people, servers

TEXTS = """
() => [...document.querySelectorAll(".control *")]
  .filter((element) => element.checkVisibility() && element.closest("svg") === null)
  .filter((element) => [...element.childNodes].some((node) =>
    node.nodeType === Node.TEXT_NODE && node.textContent.trim()))
  .map((element) => {
    const clear = "rgba(0, 0, 0, 0)";
    let behind = element;
    while (behind && getComputedStyle(behind).backgroundColor === clear)
      behind = behind.parentElement;
    return [element.textContent.trim().slice(0, 40), getComputedStyle(element).color,
      behind ? getComputedStyle(behind).backgroundColor : "rgb(255, 255, 255)"];
  })
"""


def sign_in(site: servers.Site, context: BrowserContext, start: str) -> Page:
    """Let a new superuser sign in; return their page."""
    username = people.name(start)
    people.add_superuser(site, username)
    page = context.new_page()
    page.goto("/admin/login/")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/admin/")
    return page


def width_overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    found: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found


def as_hex(colour: str) -> str:
    """Return a colour, as browsers compute it, as tests compare it."""
    red, green, blue = re.findall(r"\d+", colour)[:3]
    return f"#{int(red):02x}{int(green):02x}{int(blue):02x}"
