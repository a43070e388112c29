"""The pages of a rollout whose plan was made by a newer release."""

from django.db.models import QuerySet
from django.test import Client

from flags.models import Rollout, RolloutPlan
from flags.situation import State
from tests.flags import pages
from tests.flags.ordering import ramped
from tests.flags.rollout_pages import sites


def _unread() -> Rollout:
    rollout = ramped()
    body = rollout.plan.body | {"quantum_gates": []}
    QuerySet.update(RolloutPlan.objects.filter(pk=rollout.plan_id), body=body)
    return rollout


def test_the_page_says_so_and_offers_both_ways_out(alice: Client) -> None:
    rollout = _unread()

    words = pages.words(alice.get(sites.NEWEST))

    assert "The rollout is RAMPING at 20" in words
    assert "This release can't read the plan short@1" in words
    assert "Kill: off for everybody" in words
    assert "Roll back…" in words
    given = {"reason": "Enough.", "seen": str(rollout.version)}
    alice.post(sites.order(rollout, "roll_back"), given)
    rollout.refresh_from_db()
    assert rollout.state == State.ROLLING_BACK


def test_who_may_only_look_gets_no_buttons(viewer: Client) -> None:
    rollout = _unread()

    words = pages.words(viewer.get(sites.attempt(rollout)))

    assert "This release can't read the plan" in words
    assert "Roll back…" not in words


def test_no_other_page_breaks(alice: Client) -> None:
    rollout = _unread()
    plan = f"{sites.PLANS}short/1/"

    listed = alice.get(sites.PLANS)
    others = [
        alice.get(url, follow=True)
        for url in (
            plan,
            f"{plan}new/",
            f"{sites.START}?plan={rollout.plan_id}",
            sites.ROLLOUTS,
            sites.order(rollout, "advance"),
        )
    ]

    assert "this release can’t read it" in pages.words(listed)
    assert [each.status_code for each in others] == [200] * 5
    for each in (*others[:3], others[4]):
        assert "read the plan short@1" in pages.words(each)
