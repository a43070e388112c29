"""What a person does on the pages, and sees."""

from playwright.sync_api import Locator, Page, expect

BUSY = "[aria-busy]"
DONE = ".message-assistant:not([aria-busy])"


def begin(page: Page, text: str) -> None:
    """Start a conversation and wait until its page is there."""
    page.goto("/")
    say(page, text)
    page.wait_for_url("**/c/*/**")


def say(page: Page, text: str) -> None:
    """Write something and send it."""
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def answers(page: Page) -> Locator:
    """Return all answers on the page."""
    return page.locator(".message-assistant")


def body(page: Page) -> Locator:
    """Return the text of the newest answer."""
    return answers(page).last.locator(".message-body")


def wait_for_words(page: Page) -> str:
    """Wait for the first words of the running answer and return them."""
    expect(body(page).locator("p")).not_to_have_count(0)
    return body(page).inner_text()


def wait_until_done(page: Page, *, count: int = 1) -> str:
    """Wait until `count` answers have ended; return the newest one's text."""
    expect(page.locator(DONE)).to_have_count(count)
    expect(page.locator(BUSY)).to_have_count(0)
    return body(page).inner_text()


def html(page: Page) -> str:
    """Return the newest answer's HTML without the buttons that the script adds."""
    found: str = body(page).evaluate(
        """body => {
          const copy = body.cloneNode(true);
          copy.querySelectorAll("button").forEach((button) => button.remove());
          copy.normalize();
          return copy.innerHTML;
        }"""
    )
    return found
