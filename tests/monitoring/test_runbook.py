"""What the runbook says stands on the page of the alert that it is about."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from monitoring import registry, runbook
from monitoring.alerting import defaults
from monitoring.models import Alert
from tests.flags.pages import content, words


@pytest.mark.parametrize("rule", defaults.ALL, ids=lambda rule: rule.name)
def test_every_default_alert_has_its_section(rule: defaults.Default) -> None:
    section = runbook.sections(rule.columns["runbook"])[0]

    assert "<strong>Meaning.</strong>" in section.body
    assert "As above" not in section.body  # nothing is above it on an alert's page


def test_every_check_has_its_section() -> None:
    for probe in registry.probes():
        [section] = runbook.sections(probe.runbook)

        assert section.title.startswith("Check: ")


def test_an_alert_about_a_check_gets_the_checks_section_too() -> None:
    reference = "docs/RUNBOOK.md#alert-check-unhealthy"

    found = [each.title for each in runbook.sections(reference, label="database_write")]

    assert found == ["Alert: check unhealthy", "Check: database write"]


@pytest.mark.parametrize(
    ("anchor", "titles"),
    [
        ("alert-error-budget-fast", ["high error rate"]),
        (
            "alert-high-error-rate",
            [
                "Persistent sessions do harm: switch them off",
                "The model does not answer",
            ],
        ),
        ("alert-disk-full", ["Check: disk", "disk low"]),
    ],
)
def test_what_a_section_names_comes_with_it(anchor: str, titles: list[str]) -> None:
    _, *others = runbook.sections(f"docs/RUNBOOK.md#{anchor}")

    assert [each.title.removeprefix("Alert: ") for each in others] == titles


@pytest.mark.parametrize(
    "reference",
    ["", "docs/RUNBOOK.md", "docs/RUNBOOK.md#nothing", "https://example.org/#rollouts"],
)
def test_what_leads_elsewhere_has_none(reference: str) -> None:
    assert runbook.sections(reference) == []


def test_pictures_are_left_out_and_tables_stay() -> None:
    [section] = runbook.sections("docs/RUNBOOK.md#rollouts")

    assert "<table>" in section.body
    assert "<img" not in section.body


def test_a_site_without_the_document_has_none(
    settings: Settings, tmp_path: Path
) -> None:
    runbook._sections.cache_clear()
    settings.BASE_DIR = tmp_path

    assert runbook.sections("docs/RUNBOOK.md#rollouts") == []

    runbook._sections.cache_clear()


def _alert(reference: str) -> Alert:
    return Alert.objects.create(
        name="disk-full", severity="critical", state="firing", runbook=reference
    )


@pytest.mark.django_db
def test_the_alerts_page_says_what_to_do(viewer: Client) -> None:
    alert = _alert("docs/RUNBOOK.md#alert-disk-full")

    shown = viewer.get(f"/admin/monitoring/alert/{alert.pk}/")

    assert "What to do Alert: disk full Meaning. Less than 100 MB" in words(shown)
    assert "RUNBOOK.md#alert-disk-full" not in content(shown)


@pytest.mark.django_db
def test_a_runbook_elsewhere_is_a_link(viewer: Client) -> None:
    alert = _alert("https://runbook.example.org/disk")

    shown = viewer.get(f"/admin/monitoring/alert/{alert.pk}/")

    assert 'href="https://runbook.example.org/disk"' in content(shown)
