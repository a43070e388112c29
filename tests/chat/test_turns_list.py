"""The list of the turns behind a figure: what it finds, and what it refuses."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from chat import turns_list, turns_page
from chat.models import Conversation, Generation, Message, Owner
from chat.turns_list import BadWish
from monitoring.drilldown import TurnsWanted

NOW = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAST_HOUR = TurnsWanted(begin=NOW - HOUR, end=NOW)
ADDRESS = "/admin/chat/generation/turns/"


def _turn(*, minutes_ago: float = 5, **known: Any) -> Generation:
    owner, _ = Owner.objects.get_or_create(kind="local")
    talk = Conversation.objects.create(owner=owner, title="Secret title", model="m")
    message = Message.objects.create(
        conversation=talk, role="assistant", status="complete", content="Secret words"
    )
    at = NOW - timedelta(minutes=minutes_ago)
    given = {"status": "complete", "created_at": at, "ended_at": at} | known
    return Generation.objects.create(conversation=talk, message=message, **given)


def _found(wanted: TurnsWanted) -> list[Generation]:
    """Follow an address, as the page does."""
    given = dict(parse_qsl(urlsplit(turns_list.address(wanted)).query))
    return turns_list.listed(turns_list.wanted(given, NOW), given).turns


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wanted",
    [
        {"variant": "off"},
        {"status": "failed"},
        {"error_code": "GEMINI_TIMEOUT"},
        {"session_outcome": "recovered"},
        {"slower_than_ms": 999.5},
    ],
)
def test_an_address_leads_to_the_turns_that_it_was_made_for(
    wanted: dict[str, Any],
) -> None:
    other = _turn(variant="on", duration_ms=999.5)
    one = _turn(
        variant="off",
        status="failed",
        error_code="GEMINI_TIMEOUT",
        session_outcome="recovered",
        duration_ms=1000,
    )

    found = _found(TurnsWanted(begin=NOW - HOUR, end=NOW, **wanted))

    assert found == [one]
    assert _found(LAST_HOUR) == [one, other]


@pytest.mark.django_db
def test_only_turns_of_the_window_that_have_ended_are_listed() -> None:
    first = _turn(minutes_ago=60)
    _turn(minutes_ago=60.01)
    _turn(minutes_ago=0)
    _turn(status="running", ended_at=None)

    assert _found(LAST_HOUR) == [first]


@pytest.mark.django_db
def test_pages_go_on_behind_each_other_and_count_nothing() -> None:
    # All begin at the same moment, so that only their number tells them apart.
    turns = [_turn() for _ in range(120)]

    seen: list[Generation] = []
    given: dict[str, str] = dict(
        parse_qsl(urlsplit(turns_list.address(LAST_HOUR)).query)
    )
    while True:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = turns_list.listed(turns_list.wanted(given, NOW), given)
        assert len(queries) == 1
        assert "COUNT" not in queries[0]["sql"]
        seen += page.turns
        if not page.next_address:
            break
        given = dict(parse_qsl(urlsplit(page.next_address).query))

    assert seen == turns[::-1]


@pytest.mark.django_db
def test_the_list_is_found_by_the_index_on_time() -> None:
    what = TurnsWanted(begin=NOW - HOUR, end=NOW, variant="on", slower_than_ms=100)
    with CaptureQueriesContext(connection) as queries:
        turns_list.listed(what, {})

    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL plans by the size of the table.")
        cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"])
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())

    assert "generation_time" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"from": "yesterday"}, "“yesterday” is no time; write it like"),
        ({"from": "2026-02-31T10:00"}, "“2026-02-31T10:00” is no time"),
        ({"from": "2026-11-26T15:00", "to": "2026-11-26T14:00"}, "must be before"),
        ({"from": "2026-01-01T00:00", "to": "2026-03-01T00:00"}, "31 days at most"),
        ({"to": "0001-01-01T00:00"}, "is no time"),
        ({"variant": "blue"}, "“blue” is no variant; there are on, off"),
        ({"status": "lost"}, "“lost” is no status; there are running, complete"),
        ({"slower_than_ms": "fast"}, "write a number from 0 on, like 3000"),
        ({"slower_than_ms": "nan"}, "write a number from 0 on"),
        ({"slower_than_ms": "-1"}, "write a number from 0 on"),
        ({"from": "9999-12-31T23:59:59-14:00"}, "is no time"),
        ({"error": "a\x00b"}, "An error code has 40 letters at most"),
        ({"slower_than_ms": "1e999"}, "write a number from 0 on"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told(given: dict[str, str], words: str) -> None:
    with pytest.raises(BadWish, match=words):
        turns_list.wanted(given, NOW)


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "2026-11-26T14:00:00Z",
        "x,1",
        ",",
        "2026-11-26T14:00:00Z,99999999999999999999",
    ],
)
def test_half_an_address_of_a_page_is_told(after: str) -> None:
    with pytest.raises(BadWish, match=r"is no time|not whole"):
        turns_list.listed(LAST_HOUR, {"after": after})


# --- The page ------------------------------------------------------------------------


@pytest.fixture
def shown(settings: Settings, groups: None) -> Callable[[str], HttpResponse]:
    """Return the page of an address, as a viewer sees it."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    user = User.objects.create_user("vera", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))

    def show(address: str) -> HttpResponse:
        request = RequestFactory().get(address)
        request.user = user
        return turns_page.show(request)

    return show


def test_the_page_shows_figures_and_no_words(shown: Callable[[str], Any]) -> None:
    turn = _turn(duration_ms=1234, error_code="<b>")

    answered = shown(turns_list.address(LAST_HOUR))

    page = answered.content.decode()
    assert answered.status_code == 200
    assert f"/admin/chat/generation/{turn.pk}/change/" in page
    assert "1,234 ms" in page
    assert "&lt;b&gt;" in page
    assert "Secret" not in page


def test_a_wrong_parameter_is_answered_with_words(shown: Callable[[str], Any]) -> None:
    answered = shown(f"{ADDRESS}?variant=%3Cblue%3E")

    assert answered.status_code == 400
    assert "“&lt;blue&gt;” is no variant" in answered.content.decode()
