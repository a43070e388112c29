"""An operator looks, changes the rollout, thinks again: in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import servers
from tests.browser.conftest import NewContext
from tests.browser.staff import TEXTS, as_hex, sign_in, width_overflow
from tests.browser.test_looks import assert_well_built, contrast

CONTROL = "/admin/flags/flag/control/"
PAGES = [CONTROL, *(f"{CONTROL}{page}/" for page in ("history", "kill", "import"))]
STOCK = ["/admin/", "/admin/flags/flag/", "/admin/flags/change/"]
DOCUMENT = """
{"format": "oracle-chat-settings/1",
 "settings": {"CLEANUP_INTERVAL": "120", "MAX_PERSISTENT_SESSIONS": "700"}}
"""


@pytest.fixture(scope="module")
def control_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site of its own, since the flag that is changed here is everybody's."""
    with servers.site(
        tmp_path_factory.mktemp("control"),
        gemini_url=local_gemini,
        workers=1,
        RATE_LIMIT_LOGINS_PER_MINUTE="1000",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def live_site(control_site: servers.Site) -> str:
    """Where this module's browsers go."""
    return control_site.url


@pytest.fixture
def operator(control_site: servers.Site, new_context: NewContext) -> Page:
    """An operator's page on a desktop."""
    return sign_in(control_site, new_context(), "alice")


def _ask(page: Page, percent: str) -> None:
    page.goto(CONTROL)
    switch = page.get_by_label("Switch persistent sessions on as well")
    if switch.count():
        switch.check()
    page.get_by_label("Percent of conversations").fill(percent)
    with page.expect_navigation():
        page.get_by_label("Percent of conversations").press("Enter")


def _set(page: Page, percent: str, reason: str = "Because") -> None:
    """Bring the rollout to a percent; one that it is at already is not asked about."""
    _ask(page, percent)
    if page.get_by_label("Reason").count():
        page.get_by_label("Reason").fill(reason)
        page.get_by_role("button", name=re.compile("^Make th")).click()
    assert f"ON for {percent} %" in _state(page)


def _state(page: Page) -> str:
    state = page.get_by_role("heading", name="Persistent sessions are").inner_text()
    return state.replace("\u00a0", " ")


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_an_operator_goes_from_looking_to_ten_percent_and_back(
    control_site: servers.Site, new_context: NewContext, has_script: bool
) -> None:
    context = new_context(java_script_enabled=has_script)
    page = sign_in(control_site, context, "alice")
    _set(page, "1")

    page.goto("/admin/")
    page.get_by_role("link", name="Rollout and settings").click()
    page.get_by_role("button", name="10 %", exact=True).click()
    expect(page.get_by_role("row", name="Gradual rollout")).to_contain_text("→ 10 %")
    expect(page.get_by_text("New conversations only: about 10 %")).to_be_visible()
    page.get_by_label("Reason").fill("Canary")
    page.get_by_role("button", name="Make this change").click()
    assert _state(page) == "Persistent sessions are ON for 10 % of conversations"
    expect(page.get_by_text("because: “Canary”")).to_be_visible()

    page.get_by_role("link", name="History", exact=True).click()
    page.get_by_role("link", name=re.compile("Revert change")).first.click()
    expect(page.get_by_label("Reason")).to_have_value(re.compile("Reverts change"))
    page.get_by_role("button", name="Make this change").click()
    assert _state(page) == "Persistent sessions are ON for 1 % of conversations"

    page.get_by_role("button", name="Switch off for everybody").click()
    page.get_by_role("button", name="Switch off now").click()
    assert _state(page) == "Persistent sessions are OFF"


def test_enter_takes_the_typed_percent_and_no_quick_choice(operator: Page) -> None:
    _ask(operator, "12.5")

    expect(operator.get_by_role("row", name="Gradual rollout")).to_contain_text(
        "→ 12.5 %"
    )


def test_a_mistake_is_led_to(operator: Page) -> None:
    operator.goto(CONTROL)
    operator.get_by_label("Cleanup batch size").fill("9999")

    operator.get_by_role("button", name="Save…").click()

    expect(operator.get_by_role("alert")).to_contain_text("Nothing was saved")
    operator.get_by_role("alert").get_by_role("link", name="Cleanup batch").click()
    expect(operator.get_by_label("Cleanup batch size")).to_be_in_viewport()
    expect(operator.get_by_label("Cleanup batch size")).to_have_accessible_description(
        re.compile("must not be larger than")
    )


def test_the_second_operator_keeps_their_wish(
    operator: Page, control_site: servers.Site, new_context: NewContext
) -> None:
    _set(operator, "10")
    second = sign_in(control_site, new_context(), "bob")
    _ask(second, "25")
    _set(operator, "50", "Looks well")

    second.get_by_label("Reason").fill("More")
    second.get_by_role("button", name="Make this change").click()

    expect(second.get_by_role("heading", level=1)).to_contain_text("Somebody else")
    expect(second.get_by_role("row", name="Gradual rollout")).to_contain_text(
        re.compile("10.%.*50.%.*alice.*Looks well.*25.%", re.DOTALL)
    )
    assert_well_built(second)
    second.get_by_role("button", name="Look again with my values").click()
    expect(second.get_by_label("Percent of conversations")).to_have_value("25")
    assert _state(second) == "Persistent sessions are ON for 50 % of conversations"


def test_an_export_can_be_downloaded_and_a_file_imported(
    operator: Page, tmp_path: Path
) -> None:
    operator.goto(CONTROL)
    with operator.expect_download() as download:
        operator.get_by_role("link", name="Export").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    file.write_text(
        re.sub(r'(CLEANUP_INTERVAL": )"\d+"', r'\1"240"', file.read_text("utf-8")),
        "utf-8",
    )

    operator.get_by_role("link", name="Import").click()
    operator.get_by_label("File").set_input_files(file)
    operator.get_by_role("button", name="Preview…").click()

    expect(operator.get_by_role("row", name="Cleanup interval")).to_contain_text(
        "→ 240 seconds (4 minutes)"
    )


# --- Readable for everybody -----------------------------------------------------------


def test_every_page_is_well_built(operator: Page) -> None:
    _set(operator, "10")
    for url in PAGES:
        operator.goto(url)
        assert_well_built(operator)
    operator.get_by_label("Or paste").fill(DOCUMENT)
    operator.get_by_role("button", name="Preview…").click()
    assert_well_built(operator)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_phone_never_scrolls_sideways(
    control_site: servers.Site, new_context: NewContext, scheme: str
) -> None:
    context = new_context(
        viewport={"width": 390, "height": 800}, is_mobile=True, color_scheme=scheme
    )
    page = sign_in(control_site, context, "carol")
    _set(page, "10")

    for url in [*PAGES, "/admin/"]:
        page.goto(url)
        assert width_overflow(page) == 0
    _ask(page, "20")
    assert width_overflow(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(
    control_site: servers.Site, new_context: NewContext, scheme: str
) -> None:
    page = sign_in(control_site, new_context(color_scheme=scheme), "dora")
    _set(page, "10")
    faint = set()

    for url in PAGES:
        page.goto(url)
        for text, colour, paper in page.evaluate(TEXTS):
            if contrast(as_hex(colour), as_hex(paper)) < 4.5:
                faint.add((text, colour, paper))

    assert faint == set()


def test_the_policy_holds_on_the_stock_pages_too(operator: Page) -> None:
    for url in STOCK:
        operator.goto(url)
        expect(
            operator.get_by_role("link", name="Rollout and settings")
        ).to_be_visible()
