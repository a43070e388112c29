"""Staff look at the dashboard and follow a figure to its turns: in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.browser.conftest import NewContext
from tests.browser.staff import TEXTS, as_hex, sign_in, width_overflow
from tests.browser.test_looks import assert_well_built, contrast

DASHBOARD = "/admin/monitoring/checkresult/dashboard/"
RANGES = [f"{DASHBOARD}?range={key}" for key in ("1h", "24h", "7d", "30d")]
TURNS = "/admin/chat/generation/turns/"
_FILL = """
from django.utils import timezone
from monitoring.models import CheckResult
from tests.monitoring.dashboard import days

days.fill(timezone.now(), days=2, turns_a_day=600)
days.trouble(timezone.now())
for number in range(9):
    CheckResult.objects.create(
        name=f"part_{number}", status="healthy", sentence="It is well.", took_ms=1
    )
"""


@pytest.fixture(scope="module")
def busy_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site with two days of traffic, an open alert and an incident."""
    with servers.site(
        tmp_path_factory.mktemp("dashboard"),
        gemini_url=local_gemini,
        workers=1,
        RATE_LIMIT_LOGINS_PER_MINUTE="1000",
    ) as running:
        running.manage("shell", "--no-imports", "-v", "0", "-c", _FILL)
        yield running


@pytest.fixture(scope="module")
def live_site(busy_site: servers.Site) -> str:
    """Where this module's browsers go."""
    return busy_site.url


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_figure_leads_to_exactly_its_turns(
    busy_site: servers.Site, new_context: NewContext, has_script: bool
) -> None:
    page = sign_in(busy_site, new_context(java_script_enabled=has_script), "alice")

    page.get_by_role("link", name="Dashboard").first.click()
    page.get_by_role("link", name="24 hours").click()
    expect(page.get_by_role("heading", name=re.compile("^Since"))).to_be_visible()
    errors = page.get_by_role("article", name="Errors by code")
    row = errors.get_by_role("row").nth(1)
    code = row.get_by_role("rowheader").inner_text()
    count = int(row.get_by_role("cell").inner_text().replace(",", ""))
    row.get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Turns")
    expect(page.get_by_label("Error code")).to_have_value(code)
    expect(page.get_by_role("main").get_by_role("row")).to_have_count(count + 1)
    expect(page.get_by_role("cell", name=code)).to_have_count(count)


def test_a_screen_reader_hears_each_chart_and_its_figures(
    busy_site: servers.Site, new_context: NewContext
) -> None:
    page = sign_in(busy_site, new_context(), "bob")
    page.goto(RANGES[1])

    chart = page.get_by_role("img", name=re.compile(r"^Turns [\d,]+ turns ended: "))
    expect(chart).to_be_visible()
    panel = page.get_by_role("article", name="Turns", exact=True)
    panel.get_by_text("The figures").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("table")).to_be_visible()
    assert panel.get_by_role("row").count() > 20


def test_no_table_that_stands_open_is_cut(
    busy_site: servers.Site, new_context: NewContext
) -> None:
    page = sign_in(busy_site, new_context(), "carol")

    page.goto(DASHBOARD)

    open_ones = page.locator(".chart-panel > .figure-table")
    checks = page.get_by_role("article", name="Health checks").get_by_role("row")
    assert checks.count() > 12
    hidden = "boxes => boxes.map(box => box.scrollHeight - box.clientHeight)"
    assert max(open_ones.evaluate_all(hidden)) <= 0


def test_every_page_is_well_built(
    busy_site: servers.Site, new_context: NewContext
) -> None:
    page = sign_in(busy_site, new_context(), "carol")

    for address in (*RANGES, TURNS, "/admin/"):
        page.goto(address)
        assert_well_built(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_phone_never_scrolls_sideways(
    busy_site: servers.Site, new_context: NewContext, scheme: str
) -> None:
    context = new_context(
        viewport={"width": 360, "height": 740}, is_mobile=True, color_scheme=scheme
    )
    page = sign_in(busy_site, context, "dora")

    for address in (*RANGES, TURNS, "/admin/"):
        page.goto(address)
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        assert width_overflow(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(
    busy_site: servers.Site, new_context: NewContext, scheme: str
) -> None:
    page = sign_in(busy_site, new_context(color_scheme=scheme), "erin")
    faint = set()

    for address in (*RANGES, TURNS, "/admin/"):
        page.goto(address)
        for text, colour, paper in page.evaluate(TEXTS):
            if contrast(as_hex(colour), as_hex(paper)) < 4.5:
                faint.add((text, colour, paper))

    assert faint == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_line_and_bar_can_be_seen(
    busy_site: servers.Site, new_context: NewContext, scheme: str
) -> None:
    page = sign_in(busy_site, new_context(color_scheme=scheme), "finn")
    page.goto(RANGES[1])

    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for name, kind in (
        *((f"chart-line-{number}", "stroke") for number in (1, 2, 3)),
        *((f"chart-bar-{number}", "fill") for number in (1, 2, 3)),
        *((f"chart-{state}", "fill") for state in ("healthy", "degraded", "unhealthy")),
        ("chart-limit", "stroke"),
    ):
        shape = page.locator(f".{name}").first
        colour = shape.evaluate(f"shape => getComputedStyle(shape).{kind}")
        assert contrast(as_hex(colour), as_hex(paper)) >= 3, (name, colour)
