"""The reports' pages: who may see them, and what they say."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.models import Report
from monitoring.reporting import storing, text
from monitoring.reporting.periods import Window
from tests.monitoring.reporting.conftest import DAY, Put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded")]

LIST = reverse("admin:monitoring_reports")
HOUR = timedelta(hours=1)


@pytest.fixture
def report(put: Put, pulse: Callable[[datetime, int], None]) -> Report:
    """An hour of 40 turns, half of them failed."""
    pulse(DAY, 60)
    put("turns", DAY, [1] * 20, "complete")
    put("turns", DAY, [1] * 20, "error")
    put("errors", DAY, [1] * 20, "<b>|ODD")
    put("turn_ms", DAY, [1500.0] * 40, "on")
    return storing.store(Window("hour", DAY), DAY + 2 * HOUR)


def _one(report: Report) -> str:
    return reverse("admin:monitoring_report", args=[report.pk])


def test_the_list_has_those_of_one_period_the_newest_first(
    viewer: Client, report: Report, recorded: Callable[[datetime], None]
) -> None:
    recorded(DAY + HOUR)
    later = storing.store(Window("hour", DAY + HOUR), DAY + HOUR * 2)

    said = viewer.get(LIST, {"period": "hour"}).content.decode()

    assert said.index(_one(later)) < said.index(_one(report))
    assert "50 %" in said
    assert "1 thing" in said
    assert said.count("preliminary") == 1


def test_one_without_data_says_so_and_not_that_nothing_stands_out(
    viewer: Client,
) -> None:
    storing.store(Window("hour", DAY), DAY + 2 * HOUR)

    said = viewer.get(LIST, {"period": "hour"}).content.decode()

    assert '<td data-label="Stands out"><span class="no-data">no data</span>' in said


def test_without_any_the_list_says_how_to_make_one(viewer: Client) -> None:
    said = viewer.get(LIST).content.decode()

    assert "No report of this kind is kept" in said
    assert "manage.py report --period day --store" in said


@pytest.mark.parametrize("query", ["period=week", "page=x", "page=999", "period="])
def test_an_odd_query_shows_the_list_all_the_same(viewer: Client, query: str) -> None:
    assert viewer.get(f"{LIST}?{query}").status_code == 200


def test_many_are_shown_in_pages_with_few_queries(viewer: Client) -> None:
    Report.objects.bulk_create(
        Report(
            period="hour",
            begin=DAY + n * HOUR,
            end=DAY + (n + 1) * HOUR,
            body={"sections": [], "advice": [], "is_settled": True},
        )
        for n in range(120)
    )

    with CaptureQueriesContext(connection) as queries:
        said = viewer.get(LIST, {"period": "hour", "page": "2"}).content.decode()

    assert "Page 2 of 3" in said
    assert "?period=hour&amp;page=3" in said
    assert len(queries) < 12


def test_one_is_shown_as_tables(viewer: Client, report: Report) -> None:
    said = viewer.get(_one(report)).content.decode()

    assert text.title(report.body) in said
    assert '<th scope="row">Turns</th><td data-label="Now">40</td>' in said
    assert "no data before" in said
    assert "50 % of the turns failed, more than 10 %." in said
    assert "Of them &lt;b&gt;|ODD" in said
    assert "style=" not in said.split("<main")[-1]


def test_it_leads_to_its_neighbours(viewer: Client, report: Report) -> None:
    older = storing.store(Window("hour", DAY - HOUR), DAY + 2 * HOUR)
    newer = storing.store(Window("hour", DAY + HOUR), DAY + 3 * HOUR)
    storing.store(Window("quarter", DAY), DAY + 2 * HOUR)

    said = viewer.get(_one(report)).content.decode()

    assert _one(older) in said
    assert _one(newer) in said


def test_its_files_are_the_stored_body(viewer: Client, report: Report) -> None:
    markdown = viewer.get(reverse("admin:monitoring_report_markdown", args=[report.pk]))
    as_json = viewer.get(reverse("admin:monitoring_report_json", args=[report.pk]))

    assert markdown["Content-Type"] == "text/markdown; charset=utf-8"
    assert f'report-hour-{DAY:%Y-%m-%d}-0000.md"' in markdown["Content-Disposition"]
    assert "| Of them <b>\\|ODD | 20 | no data | no data before |" in (
        markdown.content.decode()
    )
    assert json.loads(as_json.content) == report.body


def test_one_that_is_gone_is_not_found(viewer: Client) -> None:
    for name in ("report", "report_markdown", "report_json"):
        path = reverse(f"admin:monitoring_{name}", args=[10**9])
        assert viewer.get(path).status_code == 404


def test_nobody_else_sees_them(client: Client, report: Report) -> None:
    paths = [
        LIST,
        _one(report),
        f"{_one(report)}report.md",
        f"{_one(report)}report.json",
    ]
    for path in paths:
        assert client.get(path).status_code == 302
    user = get_user_model().objects.create_user("otto", password="x", is_staff=True)
    client.force_login(user)

    for path in paths:
        assert client.get(path).status_code == 403
        assert client.post(path).status_code == 403
