"""A person asks, reads, stops, tries again: in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.steps import (
    answers,
    begin,
    body,
    html,
    say,
    wait_for_words,
    wait_until_done,
)

LONG = "[[say words=90 delay_ms=20]]"


def test_an_answer_streams_and_stays(page: Page) -> None:
    begin(page, f"Tell me a story {LONG}")

    first = wait_for_words(page)
    expect(page.get_by_role("status")).to_have_text("Generating…")
    last = wait_until_done(page)

    assert last.startswith(first)
    assert len(first) < len(last)
    expect(page.get_by_role("status")).to_have_text("Answer complete")
    expect(page.get_by_label("Your message")).to_have_value("")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.reload()
    assert body(page).inner_text() == last


def test_the_streamed_html_is_that_of_the_stored_page(page: Page) -> None:
    begin(page, "Show everything [[markdown delay_ms=10]]")
    wait_until_done(page)
    streamed = html(page)

    page.reload()

    assert html(page) == streamed
    assert '<span class="k">def</span>' in streamed


def test_blocks_that_are_closed_are_not_painted_again(page: Page) -> None:
    begin(page, "Show everything [[markdown delay_ms=40]]")
    heading = body(page).locator("h3").first
    expect(body(page).locator("ol")).to_have_count(1)
    heading.evaluate("node => { node.dataset.same = 'yes'; }")

    expect(body(page).locator("table")).to_have_count(1)

    expect(heading).to_have_attribute("data-same", "yes")


def test_stop_keeps_the_text_and_offers_the_next_step(page: Page) -> None:
    begin(page, "Go on for ever [[drip delay_ms=50]]")
    seen = wait_for_words(page)

    page.get_by_role("button", name="Stop the answer").click()

    assert wait_until_done(page).startswith(seen)
    expect(answers(page)).to_contain_text("You stopped this answer.")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_escape_stops_too(page: Page) -> None:
    begin(page, "Go on for ever [[drip delay_ms=50]]")
    wait_for_words(page)

    page.get_by_label("Your message").press("Escape")

    wait_until_done(page)
    expect(answers(page)).to_contain_text("You stopped this answer.")


def test_retry_puts_a_good_answer_in_the_place_of_a_failed_one(page: Page) -> None:
    begin(page, "Fail once [[status code=400 times=1 key=browser-retry]]")
    wait_until_done(page)
    expect(answers(page).locator(".message-note-error")).to_be_visible()

    page.get_by_role("button", name="Retry").click()

    expect(body(page).locator("p")).to_have_count(1)
    assert wait_until_done(page).startswith("Answer")
    expect(page.locator(".message-note")).to_have_count(0)
    page.reload()
    expect(answers(page)).to_have_count(1)
    expect(page.locator(".message-user")).to_have_count(1)


def test_continue_goes_on_where_the_answer_broke_off(page: Page) -> None:
    begin(page, "Break off [[early_end after=8 times=1 key=browser-continue]]")
    broken = wait_until_done(page)
    assert len(broken.split()) >= 8

    page.get_by_role("button", name="Continue").click()

    expect(page.locator(".message-note")).to_have_count(0)
    whole = wait_until_done(page)
    assert whole.startswith(broken)
    assert len(whole) > len(broken)
    page.reload()
    expect(answers(page)).to_have_count(1)
    assert body(page).inner_text() == whole


def test_only_the_last_answer_can_be_tried_again(page: Page) -> None:
    begin(page, "Break off [[early_end after=8]]")
    wait_until_done(page)
    expect(page.locator(".message-note")).to_contain_text("retry or continue it")

    say(page, "Go on with something else")
    wait_until_done(page, count=2)

    for _ in ("as it was streamed", "as it is stored"):
        expect(page.locator(".message-note")).to_contain_text("is kept.")
        expect(page.locator(".message-note")).not_to_contain_text("retry or continue")
        expect(page.locator("form[data-again]")).to_have_count(0)
        page.reload()


def test_a_reload_in_the_middle_loses_nothing(page: Page) -> None:
    begin(page, f"Tell me a story {LONG}")
    seen = wait_for_words(page)

    page.reload()

    assert wait_until_done(page).startswith(seen)
    streamed = html(page)
    page.reload()
    assert html(page) == streamed


def test_leaving_and_coming_back_loses_nothing(page: Page) -> None:
    begin(page, f"Tell me a story {LONG}")
    seen = wait_for_words(page)
    address = page.url

    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="Tell me a story").click()

    assert page.url == address
    assert wait_until_done(page).startswith(seen)


def test_a_lost_connection_is_picked_up_without_a_gap(page: Page) -> None:
    begin(page, "Long [[say words=250 delay_ms=20]]")
    wait_for_words(page)

    page.context.set_offline(True)
    page.wait_for_timeout(700)
    page.context.set_offline(False)

    wait_until_done(page)
    streamed = html(page)
    page.reload()
    assert html(page) == streamed


def test_two_tabs_show_the_same_answer(page: Page) -> None:
    begin(page, f"Tell me a story {LONG}")
    wait_for_words(page)

    other = page.context.new_page()
    other.goto(page.url)

    wait_until_done(other)
    wait_until_done(page)
    assert html(other) == html(page)


def test_a_second_send_while_one_runs_keeps_the_text(page: Page) -> None:
    begin(page, "First [[say words=2]]")
    wait_until_done(page)
    other = page.context.new_page()
    other.goto(page.url)
    say(page, "Long [[drip delay_ms=50]]")
    wait_for_words(page)

    say(other, "Me too")

    expect(other.get_by_role("alert")).to_contain_text("still being written")
    expect(other.get_by_label("Your message")).to_have_value("Me too")
    other.get_by_role("link", name="Show it").click()
    expect(answers(other)).to_have_count(2)
    expect(other.get_by_label("Your message")).to_have_value("Me too")
    other.get_by_role("button", name="Stop the answer").click()
    wait_until_done(other, count=2)
    wait_until_done(page, count=2)


def test_writing_goes_on_while_an_answer_runs_but_sending_waits(page: Page) -> None:
    begin(page, "Go on [[drip delay_ms=50]]")
    wait_for_words(page)

    page.get_by_label("Your message").fill("My next question")
    page.get_by_label("Your message").press("Enter")

    expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    expect(page.locator(".message-user")).to_have_count(1)
    page.get_by_label("Your message").press("Escape")
    wait_until_done(page)
    expect(page.get_by_label("Your message")).to_have_value("My next question")


def test_enter_sends_and_shift_enter_starts_a_line(page: Page) -> None:
    page.goto("/")
    box = page.get_by_label("Your message")
    box.press_sequentially("one")
    box.press("Shift+Enter")
    box.press_sequentially("two")

    box.press("Enter")

    page.wait_for_url("**/c/*/")
    assert page.locator(".message-user .message-body").inner_text() == "one\ntwo"


def test_a_blank_message_is_not_sent(page: Page) -> None:
    page.goto("/")

    say(page, "  \n ")

    assert page.url.endswith("/")
    expect(page.get_by_label("Your message")).to_have_value("  \n ")


def test_a_message_that_is_too_long_is_kept(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    text = "x" * 32_001

    say(page, text)

    expect(page.get_by_role("alert")).to_contain_text("32,000")
    expect(page.get_by_label("Your message")).to_have_value(text)
    expect(page.locator(".composer-count")).to_have_text("32,001 of 32,000 characters")


def test_a_conversation_is_renamed(page: Page) -> None:
    begin(page, "Hello there")
    wait_until_done(page)

    page.get_by_text("Settings").click()
    page.get_by_label("Title").fill("My <b>title</b>")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("My <b>title</b>")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("My <b>title</b>")


def test_a_conversation_is_deleted_only_after_asking(page: Page) -> None:
    begin(page, "Delete me soon")
    wait_until_done(page)
    address = page.url

    page.get_by_text("Settings").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete").click()

    expect(page.get_by_role("link", name="Delete me soon")).to_have_count(0)
    assert page.goto(address).status == 404  # type: ignore[union-attr]


def test_a_stranger_finds_nothing(page: Page, new_context: NewContext) -> None:
    begin(page, "Only mine")
    wait_until_done(page)

    stranger = new_context().new_page()
    response = stranger.goto(page.url)

    assert response is not None
    assert response.status == 404
    expect(stranger.get_by_role("heading")).to_have_text("There is nothing here")
