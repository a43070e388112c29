"""Everything works as plain forms."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.steps import (
    answers,
    begin,
    body,
    say,
    wait_for_words,
    wait_until_done,
)


def test_a_question_is_answered_by_the_next_page(plain_page: Page) -> None:
    begin(plain_page, "Hello")

    assert "#m" in plain_page.url
    assert body(plain_page).inner_text().startswith("Answer")
    say(plain_page, "And more")
    plain_page.wait_for_url("**#m*")
    expect(answers(plain_page)).to_have_count(2)


def test_a_failed_answer_is_retried(plain_page: Page) -> None:
    begin(plain_page, "Fail once [[status code=400 times=1 key=plain-retry]]")
    expect(plain_page.locator(".message-note-error")).to_be_visible()

    plain_page.get_by_role("button", name="Retry").click()

    expect(plain_page.locator(".message-note")).to_have_count(0)
    assert body(plain_page).inner_text().startswith("Answer")


def test_a_running_answer_reloads_by_itself_and_can_be_stopped(
    page: Page, new_context: NewContext
) -> None:
    begin(page, "Go on [[drip delay_ms=100]]")
    wait_for_words(page)
    plain = new_context(
        java_script_enabled=False, storage_state=page.context.storage_state()
    ).new_page()

    plain.goto(page.url)
    early = body(plain).inner_text()
    expect(plain.get_by_text("reloads every 3 seconds")).to_be_visible()
    expect(plain.get_by_label("Your message")).to_be_hidden()
    with plain.expect_navigation():
        pass
    assert len(body(plain).inner_text()) > len(early)
    plain.get_by_role("button", name="Stop the answer").click()

    expect(plain.get_by_text("You stopped this answer.")).to_be_visible()
    expect(plain.get_by_label("Your message")).to_be_visible()
    wait_until_done(page)


def test_an_error_page_keeps_the_text(plain_page: Page) -> None:
    begin(plain_page, "Hello")
    text = "y" * 32_001

    say(plain_page, text)

    expect(plain_page.get_by_label("Your message was not sent")).to_have_value(text)
    plain_page.get_by_role("link", name="Back to the conversation").click()
    expect(answers(plain_page)).to_have_count(1)


def test_rename_and_delete(plain_page: Page) -> None:
    begin(plain_page, "Hello")

    plain_page.get_by_text("Settings").click()
    plain_page.get_by_label("Title").fill("Plain")
    plain_page.get_by_role("button", name="Save").click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Plain")
    plain_page.get_by_text("Settings").click()
    plain_page.get_by_role("link", name="Delete…").click()
    plain_page.get_by_role("button", name="Delete").click()

    expect(plain_page.get_by_role("link", name="Plain")).to_have_count(0)


def test_the_menu_opens_on_a_phone(new_context: NewContext) -> None:
    page = new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    ).new_page()
    begin(page, "Find me again")
    page.goto("/")

    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("navigation").get_by_role("link", name="Find me again").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Find me again")


def test_what_needs_a_script_is_not_shown(plain_page: Page) -> None:
    begin(plain_page, "Code [[markdown]]")

    expect(plain_page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(plain_page.get_by_text("Enter sends")).to_be_hidden()
