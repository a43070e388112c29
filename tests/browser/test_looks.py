"""Readable for everybody: contrast, names, narrow screens, dark rooms."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.steps import begin, body, wait_until_done

STATIC = Path(__file__).resolve().parents[2] / "static"
TOKENS = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
LIGHT, _, DARK = TOKENS.partition("@media (prefers-color-scheme: dark)")
TEXT_ON = [
    *(("ink", paper) for paper in ("paper", "surface", "sunken", "accent-soft")),
    *(("ink", paper) for paper in ("info-soft", "line")),
    *(("muted", paper) for paper in ("paper", "surface", "sunken", "code-paper")),
    *(("accent", paper) for paper in ("paper", "surface", "sunken", "accent-soft")),
    *(("danger", paper) for paper in ("danger-soft", "paper", "surface")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    *((text, "notice-soft") for text in ("notice", "accent")),
    *(("notice", paper) for paper in ("paper", "surface")),
    *(("good", paper) for paper in ("paper", "surface")),
    *((name, "code-paper") for name in re.findall(r"--(code-(?!paper)\w+):", LIGHT)),
]
EDGES_ON = [("line-strong", "paper"), ("line-strong", "surface"), ("accent", "surface")]


def _tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


PALETTES = {"light": _tokens(LIGHT), "dark": _tokens(LIGHT) | _tokens(DARK)}


def _luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1 (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize(("text", "paper"), TEXT_ON)
def test_text_can_be_read_on_its_paper(palette: str, text: str, paper: str) -> None:
    colours = PALETTES[palette]

    assert contrast(colours[text], colours[paper]) >= 4.5


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize(("edge", "paper"), EDGES_ON)
def test_edges_of_fields_can_be_seen(palette: str, edge: str, paper: str) -> None:
    colours = PALETTES[palette]

    assert contrast(colours[edge], colours[paper]) >= 3


def test_colours_are_named_in_the_two_sheets_of_tokens_only() -> None:
    sheets = list((STATIC / "css").glob("*.css"))

    assert sheets
    for sheet in sheets:
        if sheet.name not in {"tokens.css", "control-tokens.css"}:
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b", sheet.read_text("utf-8"))


def test_the_page_for_surprises_needs_nothing_but_files_that_exist() -> None:
    page = (STATIC.parent / "templates" / "500.html").read_text(encoding="utf-8")

    sheets = re.findall(r'href="/static/([^"]+)"', page)

    assert sheets
    assert all((STATIC / sheet).is_file() for sheet in sheets)
    assert "{" not in page


# --- Names and places -----------------------------------------------------------------

NAMELESS = """
() => [...document.querySelectorAll("button, a, input, select, textarea, summary")]
  .filter((element) => element.type !== "hidden" && element.checkVisibility())
  .filter((element) => {
    const labels = [...(element.labels ?? [])].map((label) => label.textContent);
    const words = [element.getAttribute("aria-label"), element.textContent, ...labels];
    return !words.some((word) => word && word.trim());
  })
  .map((element) => element.outerHTML)
"""
HEADINGS = """
() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .map((heading) => Number(heading.tagName[1]))
"""


def assert_well_built(page: Page) -> None:
    assert page.evaluate(NAMELESS) == []
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("document.documentElement.lang").startswith("en")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_every_page_is_well_built(page: Page) -> None:
    begin(page, "Everything [[markdown]]")
    wait_until_done(page)
    assert_well_built(page)
    page.get_by_text("Settings").click()
    assert_well_built(page)
    page.get_by_role("link", name="Delete…").click()
    assert_well_built(page)
    for address in ("/", "/login", "/nothing/here", "/c/999999/"):
        page.goto(address)
        assert_well_built(page)


def test_the_keyboard_skips_to_the_main_part(page: Page) -> None:
    page.goto("/nothing/here")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the main part")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="To your conversations")).to_be_focused()


def test_the_keyboard_reaches_the_composer_in_order(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_label("Your message")).to_be_focused()

    for name in ("Personality", "Model"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(name)).to_be_focused()
    page.keyboard.press("Tab")

    expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()


def test_only_the_state_is_announced_not_each_word(page: Page) -> None:
    begin(page, "Everything [[markdown]]")
    wait_until_done(page)

    live = page.evaluate(
        "[...document.querySelectorAll('[aria-live], [role=log], [role=status]')]"
        ".map(e => e.id)"
    )

    assert live == ["announcer"]


# --- Screens --------------------------------------------------------------------------


def overflow_px(page: Page) -> int:
    """Return by how much the page is wider than the screen."""
    found: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found


def test_a_narrow_phone_shows_all_without_scrolling_sideways(phone: Page) -> None:
    phone.goto("/")
    assert overflow_px(phone) == 0
    begin(phone, f"{'long' * 60} [[markdown]]")
    wait_until_done(phone)

    assert overflow_px(phone) == 0
    expect(phone.get_by_label("Your message")).to_be_in_viewport()
    copy = phone.locator(".message-meta [data-copy]").last.bounding_box()
    assert copy is not None
    assert min(copy["width"], copy["height"]) >= 24
    phone.get_by_text("Settings").click()
    assert overflow_px(phone) == 0


def test_the_phone_s_menu_lists_the_conversations(phone: Page) -> None:
    begin(phone, "Find me again")
    wait_until_done(phone)
    phone.goto("/")
    menu = phone.get_by_role("navigation")
    expect(menu).to_be_hidden()

    phone.get_by_role("button", name="Conversations").tap()
    expect(menu).to_be_visible()
    menu.get_by_role("link", name="Find me again").tap()

    expect(phone.get_by_role("heading", level=1)).to_have_text("Find me again")


def test_return_makes_a_line_on_a_phone(phone: Page) -> None:
    phone.goto("/")
    box = phone.get_by_label("Your message")
    box.press_sequentially("one")

    box.press("Enter")

    expect(box).to_have_value("one\n")


@pytest.mark.parametrize("scheme", PALETTES)
def test_the_page_follows_the_room(new_context: NewContext, scheme: str) -> None:
    paper = PALETTES[scheme]["paper"]
    page = new_context(color_scheme=scheme).new_page()
    page.goto("/")

    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert colour == "rgb({}, {}, {})".format(*bytes.fromhex(paper[1:]))


def test_nothing_moves_for_who_does_not_want_it(new_context: NewContext) -> None:
    page = new_context(reduced_motion="reduce").new_page()
    begin(page, "Go on [[drip delay_ms=100]]")

    running = page.evaluate("document.getAnimations().length")

    assert running == 0
    page.get_by_role("button", name="Stop the answer").click()
    wait_until_done(page)


# --- Reading along --------------------------------------------------------------------


def test_the_page_stays_at_the_newest_words(page: Page) -> None:
    begin(page, "Long [[say words=900 delay_ms=2]]")
    wait_until_done(page)

    left = page.evaluate(
        "document.documentElement.scrollHeight - innerHeight - scrollY"
    )

    assert left < 120


def test_a_reader_who_went_up_is_left_alone(page: Page) -> None:
    begin(page, "Long [[say words=900 delay_ms=2]]")
    wait_until_done(page)
    page.get_by_label("Your message").fill("More [[say words=200 delay_ms=10]]")
    page.get_by_label("Your message").press("Enter")
    expect(page.locator("[aria-busy] p")).not_to_have_count(0)

    page.evaluate("scrollTo(0, 0)")
    jump = page.get_by_role("button", name="Newest")
    expect(jump).to_be_visible()
    wait_until_done(page, count=2)

    assert page.evaluate("scrollY") == 0
    jump.click()
    expect(jump).to_be_hidden()
    expect(body(page)).to_be_in_viewport()


def test_code_and_answers_can_be_copied(new_context: NewContext) -> None:
    page = new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    begin(page, "Everything [[markdown]]")
    wait_until_done(page)

    page.get_by_role("button", name="Copy the code").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    code = page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.wait_for_function(
        "navigator.clipboard.readText().then(text => text.includes('The end.'))"
    )
    answer = page.evaluate("navigator.clipboard.readText()")

    assert code.startswith("def greet(name: str) -> str:\n    return")
    assert answer.startswith("A rich answer")
    assert code.strip() in answer
    assert "Copy" not in answer
