"""A person says what an answer was like, with script and without."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.steps import begin, wait_for_words, wait_until_done


def _rates_and_takes_it_back(page: Page) -> None:
    good = page.get_by_role("button", name="Good answer")
    bad = page.get_by_role("button", name="Bad answer")

    for button, other in ((good, bad), (bad, good)):
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(other).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(bad).to_have_attribute("aria-pressed", "false")


def test_an_answer_is_rated_without_leaving_the_page(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    page.evaluate("window.isSamePage = true")

    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("status")).to_have_text("Rated as bad")
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("status")).to_have_text("Rating taken back")

    assert page.evaluate("window.isSamePage")
    _rates_and_takes_it_back(page)


def test_it_works_without_script_on_a_phone(new_context: NewContext) -> None:
    narrow = {"width": 360, "height": 740}
    page = new_context(java_script_enabled=False, viewport=narrow).new_page()
    begin(page, "Hello")

    _rates_and_takes_it_back(page)


def test_a_growing_answer_can_not_be_rated_yet(page: Page) -> None:
    begin(page, "Go on for ever [[drip delay_ms=50]]")

    wait_for_words(page)
    expect(page.get_by_role("button", name="Good answer")).to_have_count(0)
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.get_by_role("button", name="Good answer")).to_have_count(1)
