"""What the pages say of how an answer was made, and to whom."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest
from pytest_django import DjangoAssertNumQueries

from chat import bubbles
from chat.models import Generation
from tests import clients, people, servers
from tests.chat import stored

_STAFF_LINE = re.compile(r'<p class="message-staff">(.*?)</p>')
_PROMOTE = """
import json
from django.contrib.auth import get_user_model
get_user_model().objects.filter(username={name!r}).update(is_staff=True)
print(json.dumps(None))
"""


def _told(*, is_for_staff: bool = True, **fields: Any) -> str:
    """Return the staff's line of an answer whose attempt has these fields."""
    of = stored.conversation()
    answer = stored.turn(of)
    if fields:
        answer.generations.update(**fields)
    [_, bubble] = bubbles.of_messages(
        of.messages.order_by("id"), is_for_staff=is_for_staff
    )
    return bubble.staff_details


@pytest.mark.django_db
def test_staff_are_told_how_an_answer_was_made() -> None:
    words = _told(
        strategy="history",
        variant="on",
        variant_reason="SPLIT",
        session_outcome="recovered",
        session_note="closed",
        prompt_tokens=12345,
        cached_tokens=0,
        output_tokens=67,
        time_to_first_token_ms=432.1,
        duration_ms=1234.5,
    )

    assert words.split(" · ") == [
        "on (SPLIT)",
        "history",
        "Recovered (closed)",
        "prompt 12,345 tokens",
        "cached 0 tokens",
        "output 67 tokens",
        "first token 432 ms",
        "total 1,234 ms",
    ]


@pytest.mark.django_db
def test_a_number_that_was_not_reported_is_said_to_be_and_is_no_zero() -> None:
    words = _told(variant="off", variant_reason="STATIC")

    assert words.split(" · ") == [
        "off (STATIC)",
        "stateless",
        *("prompt not reported", "cached not reported", "output not reported"),
        *("first token not reported", "total not reported"),
    ]


@pytest.mark.django_db
def test_an_answer_from_before_there_were_variants_says_so() -> None:
    assert _told().startswith("no variant · stateless · prompt")


@pytest.mark.django_db
def test_a_fallback_is_said_with_its_cause() -> None:
    words = _told(
        variant="on", session_outcome="stateless", session_note="recovery_timeout"
    )

    assert " · stateless · fell back to stateless (recovery_timeout) · " in words


@pytest.mark.django_db
def test_nobody_else_is_told() -> None:
    assert _told(is_for_staff=False) == ""


@pytest.mark.django_db
def test_of_an_answer_that_is_still_made_nothing_is_told_yet() -> None:
    assert _told(status=Generation.Status.RUNNING, ended_at=None) == ""


@pytest.mark.django_db
def test_a_question_has_no_line() -> None:
    of = stored.conversation()
    stored.turn(of)

    [question, _] = bubbles.of_messages(of.messages.order_by("id"), is_for_staff=True)

    assert question.staff_details == ""


@pytest.mark.django_db
def test_the_newest_attempt_is_the_one_that_is_told() -> None:
    of = stored.conversation()
    answer = stored.turn(of)
    stored.attempt(answer, variant="on", strategy="history")

    [bubble] = bubbles.of_messages([answer], is_for_staff=True)

    assert bubble.staff_details.startswith("on · history")


@pytest.mark.django_db
def test_any_number_of_messages_costs_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    of = stored.conversation()
    for _ in range(5):
        stored.turn(of)
    messages = list(of.messages.order_by("id"))

    with django_assert_num_queries(1):
        bubbles.of_messages(messages, is_for_staff=True)


@pytest.fixture(params=["staff", "user"])
def somebody(
    request: pytest.FixtureRequest, site: servers.Site
) -> Iterator[tuple[httpx2.Client, bool]]:
    """Somebody who is signed in, and whether they are of the staff."""
    is_staff = request.param == "staff"
    name = people.name(request.param)
    people.add_users(site, name)
    if is_staff:
        people.run(site, _PROMOTE.format(name=name))
    with closing(people.signed_in(site.url, name)) as client:
        yield client, is_staff


def test_only_staff_see_the_line_when_the_answer_ends_and_on_the_stored_page(
    somebody: tuple[httpx2.Client, bool],
) -> None:
    client, is_staff = somebody
    form = people.with_csrf(client, {"message": "[[drip words=5 delay_ms=200]] Hi"})
    begun = client.post("/c/new", data=form, headers={"Accept": "application/json"})
    page = begun.json()["location"]

    with client.stream("GET", f"{page}events") as response:
        [*_, end] = clients.events(response)
    live = _STAFF_LINE.findall(end.data["html"])
    kept = _STAFF_LINE.findall(client.get(page).text)

    assert end.name == "end"
    assert live == kept
    if is_staff:
        [line] = kept
        assert re.match(r"off \(DISABLED\) · stateless · prompt [\d,]+ tokens · ", line)
    else:
        assert kept == []


@pytest.mark.django_db
def test_the_figures_are_told_once() -> None:
    of = stored.conversation()
    figures = {"prompt_tokens": 7, "output_tokens": 3, "model_version": "gemini-x"}
    stored.turn(of).generations.update(**figures, time_to_first_token_ms=None)

    [_, for_staff] = bubbles.of_messages(of.messages.order_by("id"), is_for_staff=True)
    [_, for_people] = bubbles.of_messages(of.messages.order_by("id"))

    assert for_staff.details == "gemini-x"
    assert for_people.details == "gemini-x · 7 prompt tokens, 3 answer tokens"
