"""An operator works on an incident, and visitors hear of it: in a real browser."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import people, servers
from tests.browser.conftest import NewContext
from tests.browser.staff import TEXTS, as_hex, sign_in, width_overflow
from tests.browser.test_looks import assert_well_built, contrast

LIST = "/admin/monitoring/incident/"
OF_THE_PAGE = TEXTS.replace(".control *", "main *")
_PATIENCE_S = 20.0
_ALERTS = """
import json
from django.utils import timezone
from monitoring import incidents
from monitoring.models import Alert

alert = Alert.objects.create(
    name={name!r}, severity="critical", summary="18 % of the turns fail.",
    state="firing", fired_at=timezone.now(),
)
print(json.dumps(incidents.open_for(alert).pk))
"""


@pytest.fixture(scope="module")
def incident_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site of its own, whose incidents are everybody's."""
    with servers.site(
        tmp_path_factory.mktemp("incidents"),
        gemini_url=local_gemini,
        workers=1,
        PUBLIC_STATUS_PAGE="true",
        RATE_LIMIT_LOGINS_PER_MINUTE="1000",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def live_site(incident_site: servers.Site) -> str:
    """Where this module's browsers go."""
    return incident_site.url


@pytest.fixture
def incident(incident_site: servers.Site) -> str:
    """The address of an incident that an alert has opened or joined."""
    pk = people.run(incident_site, _ALERTS.format(name=people.name("alert")))
    return f"{LIST}{pk}/"


def _faint(page: Page, script: str = TEXTS) -> set[tuple[str, str, str]]:
    return {
        (text, colour, paper)
        for text, colour, paper in page.evaluate(script)
        if contrast(as_hex(colour), as_hex(paper)) < 4.5
    }


def _open_until_told(page: Page, url: str, words: str) -> None:
    """Open a page again until it tells something; it follows within seconds."""
    deadline = time.monotonic() + _PATIENCE_S
    page.goto(url)
    while words not in page.content() and time.monotonic() < deadline:
        time.sleep(0.2)
        page.goto(url)
    expect(page.locator("body")).to_contain_text(words)


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_an_operator_goes_from_the_alert_to_the_end(
    incident_site: servers.Site,
    new_context: NewContext,
    incident: str,
    has_script: bool,
) -> None:
    page = sign_in(incident_site, new_context(java_script_enabled=has_script), "alice")
    page.goto(LIST)
    page.locator(f'a[href="{incident}"]').first.click()

    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("What was done or found").fill("Restarted the worker.")
    page.get_by_label("Status").select_option("identified")
    page.get_by_role("button", name="Save the update").click()
    expect(page.get_by_role("row", name="Identified. Restarted")).to_be_visible()
    page.get_by_text("Show it on the public status page").click()
    page.get_by_label("Title for the public").fill("Answers fail")
    page.get_by_label("First public update").fill("We look into it.")
    page.get_by_role("button", name="Show it", exact=True).click()
    visitor = new_context().new_page()
    _open_until_told(visitor, "/", "Answers fail")
    visitor.get_by_role("link", name="Status page").first.click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("We are working")

    page.get_by_role("link", name="Resolve…").click()
    expect(page.get_by_role("note")).to_contain_text("of its alerts still fire")
    box, label = (
        page.locator(f".field-check {part}").bounding_box()
        for part in ("input", "label")
    )
    assert box is not None
    assert label is not None
    middles = [each["y"] + each["height"] / 2 for each in (box, label)]
    assert abs(middles[0] - middles[1]) < 1.5
    page.get_by_role("button", name="Resolve it").click()
    expect(page.locator(".incident-state")).to_contain_text("Resolved")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_is_well_built_fits_and_can_be_read(
    incident_site: servers.Site,
    new_context: NewContext,
    incident: str,
    width: int,
    scheme: str,
) -> None:
    context = new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page = sign_in(incident_site, context, "alice")
    steps = ("", "resolve/", "letter/issue/", "letter/rollback/")

    for url in (LIST, f"{LIST}open/", *(f"{incident}{step}" for step in steps)):
        page.goto(url)
        assert_well_built(page)
        assert width_overflow(page) == 0, url
        assert _faint(page) == set(), url
    page.goto("/status")
    assert_well_built(page)
    assert width_overflow(page) == 0
    assert _faint(page, OF_THE_PAGE) == set()
