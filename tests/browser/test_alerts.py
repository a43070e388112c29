"""An operator is told of an alert, acknowledges and silences it, without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import people, servers
from tests.browser.conftest import NewContext
from tests.browser.test_looks import assert_well_built

ALERTS = "/admin/monitoring/alert/"
PHONE = {"width": 360, "height": 780}
_ADD = """
from django.utils import timezone
from monitoring.models import Alert, AlertRule

Alert.objects.filter(resolved_at=None).update(
    state="resolved", resolved_at=timezone.now()
)
rule = AlertRule.objects.get(name="check-unhealthy")
alert = Alert.objects.create(
    rule=rule, name=rule.name, label="disk", severity="critical", state="firing",
    summary="A health check is unhealthy: disk.", runbook=rule.runbook, value=2,
    fired_at=timezone.now(), notified_at=timezone.now(),
)
print(alert.pk)
"""


@pytest.fixture(scope="module")
def alert_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site of its own, with alerts that nobody else looks at."""
    with servers.site(
        tmp_path_factory.mktemp("alerts"),
        gemini_url=local_gemini,
        workers=1,
        RATE_LIMIT_LOGINS_PER_MINUTE="1000",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def live_site(alert_site: servers.Site) -> str:
    """Where this module's browsers go."""
    return alert_site.url


@pytest.fixture(params=["light", "dark"])
def phone(
    alert_site: servers.Site, new_context: NewContext, request: pytest.FixtureRequest
) -> Page:
    """An operator's small phone, without JavaScript."""
    username = people.name("olga")
    people.add_superuser(alert_site, username)
    context = new_context(
        viewport=PHONE, color_scheme=request.param, java_script_enabled=False
    )
    page = context.new_page()
    page.goto("/admin/login/")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def _assert_fits(page: Page) -> None:
    """Hold a page against what every page must be, and to the width of the phone."""
    assert_well_built(page)
    width: int = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def test_an_alert_is_found_acknowledged_and_silenced_on_a_phone(
    alert_site: servers.Site, phone: Page
) -> None:
    people.run(alert_site, _ADD)

    phone.goto(ALERTS)
    _assert_fits(phone)
    phone.get_by_role("link", name="check-unhealthy disk").first.click()
    expect(phone.get_by_role("heading", name="Check: disk")).to_be_visible()
    expect(phone.get_by_text("Make room: old logs and backups first")).to_be_visible()
    _assert_fits(phone)
    phone.get_by_role("button", name="Acknowledge").press("Enter")
    expect(phone.get_by_text("nobody is told of it again").first).to_be_visible()

    phone.get_by_role("link", name="Silence…").click()
    _assert_fits(phone)
    phone.get_by_label("How long").select_option("for 4 hours")
    phone.get_by_label("Reason").fill("A disk is on its way.")
    phone.get_by_role("button", name="Silence", exact=True).click()
    expect(phone.get_by_text("A disk is on its way.").first).to_be_visible()

    phone.goto(f"{ALERTS}silences/")
    _assert_fits(phone)
    phone.get_by_role("button", name="End now").first.click()
    expect(phone.get_by_text("Nothing is silenced.")).to_be_visible()
