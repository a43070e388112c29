"""The figures on the admin's first page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import OperationalError, connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring import facts
from tests.monitoring.dashboard import days

MOST_QUERIES = 12
_STRIP = Template("{% load figures %}{% monitoring_strip %}")


def _strip(user: User) -> str:
    request = RequestFactory().get("/admin/")
    request.user = user
    return _STRIP.render(Context({"request": request})).strip()


def test_the_first_page_shows_it(viewer: User, client: Client) -> None:
    client.force_login(viewer)

    page = client.get("/admin/").content.decode()

    assert 'href="/admin/monitoring/checkresult/dashboard/"' in page
    assert '<a href="/admin/monitoring/alert/">0 open alerts</a>' in page
    assert '<a href="/admin/monitoring/incident/">0 open incidents</a>' in page
    assert "health: no data" in page


def test_an_empty_site_has_no_data(viewer: User) -> None:
    words = _strip(viewer)

    assert words.count("no data") >= 4


def test_whoever_may_not_look_sees_nothing(db: None) -> None:
    nobody = User.objects.create_user("nora", is_staff=True)

    assert _strip(nobody) == ""


def test_the_right_to_look_is_enough(db: None) -> None:
    user = User.objects.create_user("rita", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_alert"))

    assert "Dashboard" in _strip(user)


def test_it_is_cheap(viewer: User) -> None:
    days.fill(timezone.now(), days=1, turns_a_day=200)
    _strip(viewer)

    with CaptureQueriesContext(connection) as queries:
        words = _strip(viewer)

    assert "In the last 60 minutes" in words
    assert len(queries) <= MOST_QUERIES, [each["sql"][:120] for each in queries]


@pytest.mark.parametrize("error", [OperationalError("no such table"), LookupError()])
def test_the_page_is_there_without_its_figures(
    viewer: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> Callable[..., Any]:
        raise error

    monkeypatch.setattr(facts, "source", fail)

    assert "The figures could not be read now." in _strip(viewer)
