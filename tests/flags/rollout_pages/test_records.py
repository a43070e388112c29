"""The log of decisions: found, explained, taken away as a file, and checked."""

import csv
import io
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.utils import timezone

from flags import decisions, orders
from flags.models import Decision, Rollout
from flags.rollout_pages import records
from flags.rollouts import Order
from tests.flags import pages
from tests.flags.operators import BOB
from tests.flags.rollout_pages import sites


def _history(client: Client, rollout: Rollout, query: str = "") -> Any:
    return client.get(f"{sites.attempt(rollout)}decisions/{query}")


def _numbers(answered: Any) -> list[int]:
    return [each.number for each, _ in answered.context["listed"].rows]


def _altered(number: int) -> None:
    """Change a decision past everything that forbids it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE flags_decision SET sentence = 'All is well.' WHERE number = %s",
            [number],
        )


def test_it_shows_first_what_changed_something(viewer: Client) -> None:
    rollout, made = sites.running(minutes=3)
    moved = [each.number for each in made if each.action != "none"]

    assert _numbers(_history(viewer, rollout)) == moved[::-1]
    every = _numbers(_history(viewer, rollout, "?show=all"))
    assert every == [each.number for each in made][::-1]


def test_it_is_narrowed_to_a_person(viewer: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    orders.pause(rollout, Order(actor=BOB, reason="Lunch."), now=timezone.now())

    shown = _history(viewer, rollout, "?show=all&by=bob")

    assert len(_numbers(shown)) == 1
    assert "Lunch." in pages.words(shown)
    assert shown.context["people"] == ["bob", "rollout"]
    assert _numbers(_history(viewer, rollout, "?show=all&by=nobody%00")) == []


def test_pages_go_by_number(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PER_PAGE", 2)
    rollout, made = sites.running(minutes=3)
    last = len(made)

    first = _history(viewer, rollout, "?show=all")
    second = _history(viewer, rollout, f"?show=all&before={last - 1}")
    nonsense = _history(viewer, rollout, "?show=all&before=" + "9" * 40)

    assert _numbers(first) == [last, last - 1]
    assert first.context["listed"].newer is None
    assert first.context["listed"].older == last - 1
    assert _numbers(second) == [last - 2, last - 3]
    assert second.context["listed"].newer == last + 1
    assert _numbers(nonsense) == [last, last - 1]


def test_a_decision_is_explained_by_what_it_was_made_from(viewer: Client) -> None:
    rollout, made = sites.running(minutes=3)
    last = max((each for each in made if each.readings), key=lambda each: each.number)

    shown = viewer.get(f"{sites.attempt(rollout)}decisions/{last.number}/")

    words = pages.words(shown)
    assert last.sentence in words
    assert last.hash in words
    assert last.previous_hash in words
    for reading in last.readings:
        assert " ".join(reading["sentence"].split()) in words
    missing = viewer.get(f"{sites.attempt(rollout)}decisions/999/")
    assert missing.status_code == 404


def test_one_that_keeps_no_readings_shows_those_before_and_says_so(
    viewer: Client,
) -> None:
    rollout, made = sites.running(minutes=5)
    last = made[-1]
    keeper = decisions.keeper(last)
    assert keeper is not None
    assert keeper.number < last.number

    words = pages.words(viewer.get(f"{sites.attempt(rollout)}decisions/{last.number}/"))

    assert f"Readings of decision {keeper.number}, " in words
    assert f"rollout explain {last.number} --rollout {rollout.pk}" in words
    for reading in keeper.readings:
        assert " ".join(reading["sentence"].split()) in words


def _file(client: Client, url: str) -> tuple[Any, str]:
    """Take a file as a browser of the same person does."""

    async def take() -> tuple[Any, str]:
        browser = AsyncClient()
        browser.cookies = client.cookies
        response: Any = await browser.get(url)
        chunks = [chunk async for chunk in response.streaming_content]
        return response, b"".join(chunks).decode()

    return async_to_sync(take)()


def test_all_decisions_can_be_taken_away(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_CHUNK", 3)
    rollout, made = sites.running(minutes=3)
    url = f"{sites.attempt(rollout)}decisions"

    _, text = _file(viewer, f"{url}.json")
    response, table = _file(viewer, f"{url}.csv")

    found = json.loads(text)
    assert [each["hash"] for each in found] == [each.hash for each in made]
    assert found[-1]["readings"] == made[-1].readings
    assert "attachment" in response["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [int(each["number"]) for each in rows] == [each.number for each in made]
    assert "readings" not in rows[0]


def test_a_cell_is_never_a_formula() -> None:
    for begin in ("=", "+", "-", "@", "\t", "\n", "＝"):
        assert records._cell(f"{begin}HYPERLINK(1)") == f"'{begin}HYPERLINK(1)"
    assert records._cell(None) == ""


@pytest.mark.django_db(transaction=True)
def test_an_altered_decision_is_found(viewer: Client) -> None:
    rollout, made = sites.running(minutes=3)
    url = f"{sites.attempt(rollout)}check/"

    whole = viewer.get(url)
    _altered(2)
    broken = viewer.get(url)

    assert f"All {len(made)} decisions are as they were written" in pages.words(whole)
    words = pages.words(broken)
    assert "Decision 2 was changed after it was written" in words
    assert list(decisions.verify(rollout)) != []
    assert Decision.objects.count() == len(made)


def test_the_pages_lead_to_each_other(viewer: Client) -> None:
    rollout, _ = sites.running(minutes=1)
    home = sites.attempt(rollout)

    shown = pages.content(viewer.get(sites.NEWEST))
    listed = pages.content(_history(viewer, rollout))

    assert f'href="{home}decisions/"' in shown
    assert f'href="{home}decisions/2/"' in shown
    for target in ("decisions.json", "decisions.csv", "check/", "decisions/1/"):
        assert f'href="{home}{target}"' in listed
