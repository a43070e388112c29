"""The first message of a conversation, sent again, begins no second one."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import httpx2
import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import beginnings
from chat.beginnings import Beginning
from chat.conversations import Details
from chat.errors import RateLimited
from chat.models import Conversation, Message, Owner
from chat.openings import Turn
from chat.ownership import Caller
from tests import clients, people, servers
from tests.chat import stored

_AT_ONCE = 8
_JSON = {"Accept": "application/json"}


def _send(client: httpx2.Client, text: str, key: str) -> httpx2.Response:
    form = people.with_csrf(client, {"message": text, "key": key})
    return client.post("/c/new", data=form, headers=_JSON)


def _conversation_count(client: httpx2.Client) -> int:
    return int(client.get("/api/v1/sessions/").json()["total"])


def test_a_first_message_sent_many_times_at_once_is_one(
    site: servers.Site, local_gemini: str, marker: str
) -> None:
    pids = site.worker_pids()
    with closing(people.visitor_by_cookie(site.url)) as browser:

        def send(number: int) -> str:
            with clients.on_worker(site.url, pids[number % len(pids)]) as each:
                each.http.cookies.update(browser.cookies)
                answered = _send(each.http, marker, "once")
            assert answered.status_code == 200, answered.text
            return str(answered.json()["location"])

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            locations = set(pool.map(send, range(_AT_ONCE)))

        assert len(locations) == 1
        assert _conversation_count(browser) == 2
    assert len(clients.requests(local_gemini, marker)) == 1


def test_a_form_sent_again_leads_to_the_conversation_that_it_began(
    live_site: str,
) -> None:
    with closing(people.visitor_by_cookie(live_site)) as browser:
        begun = _send(browser, "Hello", "form").json()["location"]
        form = people.with_csrf(browser, {"message": " Hello\r\n", "key": "form"})

        again = browser.post("/c/new", data=form)

        assert again.status_code == 303
        assert again.headers["location"].startswith(f"{begun}#m")
        assert _conversation_count(browser) == 2


def test_the_key_of_a_first_message_with_another_text_is_refused(
    live_site: str,
) -> None:
    with closing(people.visitor_by_cookie(live_site)) as browser:
        _send(browser, "The first", "taken")

        refused = _send(browser, "The second", "taken")

        assert refused.status_code == 422
        assert refused.json()["error_code"] == "INVALID_REQUEST"
        assert _conversation_count(browser) == 2


def test_a_key_is_its_owners_alone(live_site: str) -> None:
    locations = set()
    for _ in range(2):
        with closing(people.visitor_by_cookie(live_site)) as browser:
            locations.add(_send(browser, "Hello", "everybody's").json()["location"])

    assert len(locations) == 2


# --- Which conversations are looked through -------------------------------------------


@pytest.fixture
def alice(db: None) -> Owner:
    del db
    return Owner.objects.create(kind=Owner.Kind.VISITOR)


def _first(owner: Owner, text: str = "Hello", key: str = "key") -> Turn:
    beginning = Beginning(lambda: Caller(owner.pk), Details())
    return beginnings.first(beginning, text=text, key=key)


@pytest.mark.parametrize(("days", "is_known"), [(6, True), (8, False)])
def test_a_key_holds_for_as_long_as_a_browser_keeps_it(
    alice: Owner, days: int, is_known: bool
) -> None:
    begun = _first(alice)
    age = timezone.now() - timedelta(days=days)
    Conversation.objects.update(created_at=age, updated_at=age)

    again = _first(alice)

    assert (again.conversation_id == begun.conversation_id) is is_known
    assert (again.plan is None) is is_known


def test_the_key_of_a_later_message_begins_a_conversation(alice: Owner) -> None:
    other = stored.conversation(owner=alice)
    stored.turn(other)
    Message.objects.create(
        conversation=other, role="user", content="x", status="complete", client_key="k"
    )

    assert _first(alice, key="k").conversation_id != other.pk


def test_what_is_refused_leaves_no_empty_conversation(
    alice: Owner, settings: LazySettings
) -> None:
    settings.RATE_LIMIT_MESSAGES_PER_MINUTE = 1
    _first(alice, key="one")

    with pytest.raises(RateLimited), transaction.atomic():
        _first(alice, key="two")

    alice.refresh_from_db()
    assert (Conversation.objects.count(), alice.conversation_count) == (1, 1)
    assert _first(alice, key="one").plan is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
def test_a_key_is_found_by_indexes_alone(alice: Owner) -> None:
    with CaptureQueriesContext(connection) as captured:
        _first(alice)

    [query] = [
        each["sql"] for each in captured if "client_key\" = 'key'" in each["sql"]
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        steps = [row[-1] for row in cursor.fetchall()]
    assert len([step for step in steps if step.startswith("SEARCH")]) == 3
    assert not [step for step in steps if "SCAN" in step]
