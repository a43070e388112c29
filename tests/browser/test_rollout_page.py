"""An operator watches a rollout, is overtaken, takes it back: in a real browser."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import people, servers
from tests.browser.conftest import NewContext
from tests.browser.staff import TEXTS, as_hex, sign_in, width_overflow
from tests.browser.test_looks import assert_well_built, contrast

ROLLOUTS = "/admin/flags/rollout/"
NEWEST = f"{ROLLOUTS}newest/"
PLAN = f"{ROLLOUTS}plans/guide/1/"
_BEGIN = """
import json
from dataclasses import replace
from django.utils import timezone
from flags import store, runtime
from flags.models import Rollout, RolloutPlan
from tests.flags import ramping
from tests.flags.rollout_pages import sites

now = timezone.now()
Rollout.objects.filter(ended_at=None).update(
    state="rolled_back", percent=0, ended_at=now
)
store.put("GRADUAL_ROLLOUT_PERCENTAGE", 0)
version = RolloutPlan.objects.filter(name="short").count() + 1
long = replace(ramping.SHORT.phases[0], dwell_s=36000)
plan = replace(
    ramping.SHORT, version=version, phases=(long, *ramping.SHORT.phases[1:])
)
rollout, _ = sites.running(minutes=4, plan=plan)
print(json.dumps(rollout.pk))
"""


@pytest.fixture(scope="module")
def rollout_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site of its own, since the flag that is changed here is everybody's."""
    with servers.site(
        tmp_path_factory.mktemp("rollout"),
        gemini_url=local_gemini,
        workers=1,
        RATE_LIMIT_LOGINS_PER_MINUTE="1000",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def live_site(rollout_site: servers.Site) -> str:
    """Where this module's browsers go."""
    return rollout_site.url


def _begin(site: servers.Site) -> int:
    """Begin a rollout some minutes ago; return its number."""
    return int(people.run(site, _BEGIN))


def _state(page: Page) -> str:
    text = page.get_by_role("heading", name="The rollout is").inner_text()
    return text.replace("\u00a0", " ")


def _ask(page: Page, verb: str) -> None:
    page.goto(NEWEST)
    page.get_by_role("link", name=verb).click()


def _confirm(page: Page, button: str, reason: str) -> None:
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=button).click()


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_an_operator_halves_and_then_takes_it_back(
    rollout_site: servers.Site, new_context: NewContext, has_script: bool
) -> None:
    _begin(rollout_site)
    page = sign_in(rollout_site, new_context(java_script_enabled=has_script), "alice")

    page.get_by_role("link", name="Rollout", exact=True).click()
    assert _state(page) == "The rollout is RAMPING at 20 %, phase 1 of 3"
    page.get_by_role("link", name="Halve…").click()
    expect(page.get_by_role("row", name="Percent")).to_contain_text("→ 10 %")
    page.get_by_role("button", name="Halve it").click()
    expect(page.get_by_text("Say why")).to_be_visible()
    _confirm(page, "Halve it", "Answers look odd")
    assert _state(page) == "The rollout is HELD at 10 %, phase 1 of 3"

    page.get_by_role("link", name="Roll back…").click()
    _confirm(page, "Roll back now", "They still do")
    assert _state(page) == "The rollout is ROLLING BACK to 0 %"
    page.get_by_role("link", name="Decisions", exact=True).click()
    expect(page.get_by_role("row", name="Halved")).to_contain_text("Answers look odd")
    page.get_by_role("link", name="Check that none was altered").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text(
        "decisions are as they were written"
    )


def test_the_second_operator_hears_of_the_first(
    rollout_site: servers.Site, new_context: NewContext
) -> None:
    _begin(rollout_site)
    alice = sign_in(rollout_site, new_context(), "alice")
    bob = sign_in(rollout_site, new_context(), "bob")
    _ask(bob, "Pause…")
    _confirm(bob, "Pause it", "Lunch")
    _ask(alice, "Resume…")
    _ask(bob, "Hold…")
    _confirm(bob, "Hold it", "Support reports odd answers")

    _confirm(alice, "Resume", "Lunch is over")

    expect(alice.get_by_role("heading", level=1)).to_contain_text("nothing was done")
    expect(alice.get_by_role("row", name="Held")).to_contain_text("odd answers")
    assert_well_built(alice)
    alice.get_by_role("link", name="Ask again, as it is now").click()
    _confirm(alice, "Resume", "They are explained")
    assert _state(alice) == "The rollout is RAMPING at 20 %, phase 1 of 3"


def test_who_takes_it_back_is_not_kept_by_news(
    rollout_site: servers.Site, new_context: NewContext
) -> None:
    _begin(rollout_site)
    alice = sign_in(rollout_site, new_context(), "alice")
    bob = sign_in(rollout_site, new_context(), "bob")
    _ask(alice, "Roll back…")
    _ask(bob, "Halve…")
    _confirm(bob, "Halve it", "Support reports odd answers")

    _confirm(alice, "Roll back now", "They are wrong")

    assert _state(alice) == "The rollout is ROLLING BACK to 0 %"
    told = alice.get_by_role("listitem").filter(has_text="back from 10 to 0 %")
    expect(told).to_be_visible()


def test_the_keyboard_is_enough_to_roll_back(
    rollout_site: servers.Site, new_context: NewContext
) -> None:
    _begin(rollout_site)
    page = sign_in(rollout_site, new_context(), "karl")
    page.goto(NEWEST)

    page.get_by_role("link", name="Roll back…").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").focus()
    page.keyboard.type("By hand")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert _state(page) == "The rollout is ROLLING BACK to 0 %"


def _pages(number: int) -> list[str]:
    one = f"{ROLLOUTS}{number}/"
    return [
        *(NEWEST, ROLLOUTS, f"{ROLLOUTS}plans/", f"{PLAN}new/"),
        f"{PLAN}?per_hour=180&failing=0.5",
        *(f"{one}decisions/?show=all", f"{one}decisions/5/", f"{one}check/"),
        *(f"{one}order/{verb}/" for verb in ("advance", "hold", "halve", "roll_back")),
    ]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_long_word_breaks_no_page(
    rollout_site: servers.Site, new_context: NewContext, width: int
) -> None:
    number = _begin(rollout_site)
    rollout_site.manage("rollout", "hold", "--reason", "x" * 300)
    context = new_context(viewport={"width": width, "height": 800})
    page = sign_in(rollout_site, context, "lena")

    for url in (NEWEST, f"{ROLLOUTS}{number}/decisions/"):
        page.goto(url)
        expect(page.get_by_text("x" * 300).first).to_be_visible()
        assert width_overflow(page) == 0, url
        assert page.locator(".control").evaluate("(it) => it.scrollWidth") <= width
    page.goto(NEWEST)
    kill = page.get_by_role("button", name="Kill: off for everybody")
    state = page.get_by_role("heading", name="The rollout is")
    if width == 1280:  # beside the words, in its corner
        beside = "(it) => it.getBoundingClientRect().left"
        assert kill.evaluate(beside) > state.evaluate(
            "(it) => it.getBoundingClientRect().right"
        )


def test_every_page_is_well_built_narrow_and_readable(
    rollout_site: servers.Site, new_context: NewContext
) -> None:
    number = _begin(rollout_site)
    phone = new_context(
        viewport={"width": 360, "height": 740}, is_mobile=True, color_scheme="dark"
    )
    faint = set()
    for context in (new_context(color_scheme="light"), phone):
        page = sign_in(rollout_site, context, "dora")
        for url in _pages(number):
            page.goto(url)
            assert_well_built(page)
            assert width_overflow(page) == 0, url
            for text, colour, paper in page.evaluate(TEXTS):
                if contrast(as_hex(colour), as_hex(paper)) < 4.5:
                    faint.add((url, text, colour, paper))

    assert json.dumps(sorted(faint), indent=1) == "[]"
