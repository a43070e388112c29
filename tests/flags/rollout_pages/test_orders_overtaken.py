"""Orders of who was not the first, or asks for what is so already."""

import pytest
from django.test import Client
from django.utils import timezone

from flags import gathering, orders, rollouts
from flags.models import Decision
from tests.flags.rollout_pages import ordering, sites


@pytest.mark.parametrize("verb", ["advance", "release"])
def test_who_comes_second_hears_what_was_changed(alice: Client, verb: str) -> None:
    rollout, _ = sites.running(minutes=2)
    seen = rollout.version
    orders.hold(rollout, ordering.by("bob"), now=timezone.now())

    asked = alice.get(sites.order(rollout, verb), {"seen": seen})
    answered = alice.post(
        sites.order(rollout, verb), {"seen": seen, "reason": "Mine first."}
    )

    for page in (asked, answered):
        assert page.status_code == 409
        assert "Held" in ordering.words(page)
        assert "bob" in ordering.words(page)
        assert "I was first." in ordering.words(page)
    assert "Mine first." in ordering.words(answered)
    assert ordering.last().actor == "bob"
    assert gathering.flag_percent() == 20
    again = alice.get(answered.context["again"])
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("verb", "told", "percent"),
    [
        ("pause", "alice paused it: Enough.", 20),
        ("halve", "alice halved it from 20 to 10 %: Enough.", 10),
        ("roll_back", "alice rolled it back from 20 to 0 %: Enough.", 0),
    ],
)
def test_no_news_stands_in_the_way_down(
    alice: Client, verb: str, told: str, percent: int
) -> None:
    rollout, _ = sites.running(minutes=2)
    seen = rollout.version
    orders.hold(rollout, ordering.by("bob"), now=timezone.now())
    address = sites.order(rollout, verb)

    asked = alice.get(address, {"seen": seen})
    answered = alice.post(address, {"seen": seen, "reason": "Enough."}, follow=True)

    assert asked.status_code == 200
    assert told in ordering.messages(answered)
    assert gathering.flag_percent() == percent


def test_ticks_that_changed_nothing_are_no_conflict(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    seen = rollout.version
    rollouts.tick(timezone.now())

    assert alice.get(sites.order(rollout, "advance"), {"seen": seen}).status_code == 200


def test_what_is_so_already_is_said_and_changes_nothing(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    ordering.do(alice, rollout, "halve")
    count = Decision.objects.count()
    rollout.refresh_from_db()

    again = alice.get(
        sites.order(rollout, "halve"), {"seen": rollout.version}, follow=True
    )

    assert "halved it just now" in ordering.messages(again)
    assert Decision.objects.count() == count


def test_what_is_not_possible_says_what_is(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    ordering.do(alice, rollout, "roll_back")
    rollout.refresh_from_db()

    answered = alice.get(
        sites.order(rollout, "advance"), {"seen": rollout.version}, follow=True
    )

    assert "not possible" in ordering.messages(answered)


@pytest.mark.parametrize("seen", ["", "-1", "x", "9" * 40])
def test_a_version_that_is_none_is_that_of_now(alice: Client, seen: str) -> None:
    rollout, _ = sites.running(minutes=2)

    answered = alice.get(sites.order(rollout, "halve"), {"seen": seen})

    assert answered.status_code == 200
