"""Every button: it previews, asks why, does it, and says who was first."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from flags import gathering, orders, rollouts
from flags.conf import FLAG
from flags.models import Approval, Decision, Hold, Rollout
from flags.plans import Phase, Plan
from flags.rollouts import Order
from tests.flags import pages, ramping
from tests.flags.conftest import SignIn
from tests.flags.operators import BOB
from tests.flags.rollout_pages import sites

VERBS = [
    *("advance", "hold", "resume", "release", "request_approval"),
    *("approve", "halve", "roll_back"),
]
QUICK: Plan = replace(
    ramping.SHORT,
    phases=(
        Phase(percent=Decimal(20), dwell_s=3600, unit_count=0),
        Phase(percent=Decimal(50), dwell_s=3600, unit_count=0, needs_approval=True),
        Phase(percent=Decimal(100), dwell_s=3600, unit_count=0),
    ),
)


def _ask(client: Client, rollout: Rollout, verb: str, **more: Any) -> Any:
    given = {"seen": rollout.version} | more
    return client.get(sites.order(rollout, verb), given)


def _do(client: Client, rollout: Rollout, verb: str, **more: Any) -> Any:
    """Confirm what the verb's page proposes; follow to the page that comes then."""
    asked = _ask(client, rollout, verb, **more)
    if asked.status_code == 302:
        return client.get(asked.headers["Location"])
    shown = pages.inputs(asked)
    given = {"seen": shown["seen"], "reason": "Because."} | more
    given |= {k: shown[k] for k in ("phase", "hold") if k in shown and k not in more}
    return client.post(sites.order(rollout, verb), given, follow=True)


def _words(answered: Any) -> str:
    return pages.words(answered).replace("\u00a0", " ")


def _messages(answered: Any) -> str:
    return " ".join(str(each) for each in answered.context["messages"])


def _last() -> Decision:
    return Decision.objects.latest("id")


def _by(name: str) -> Order:
    return Order(actor=replace(BOB, name=name), reason="I was first.")


# --- Rights -------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_sees_no_button_and_gets_nowhere(viewer: Client, verb: str) -> None:
    rollout, _ = sites.running(minutes=2)

    shown = viewer.get(sites.NEWEST)

    assert "order/" not in pages.content(shown)
    assert "Kill" not in pages.words(shown)
    assert _ask(viewer, rollout, verb).status_code == 403
    answered = viewer.post(sites.order(rollout, verb), {"reason": "Because."})
    assert answered.status_code == 403


def test_strangers_and_staff_without_rights_get_nowhere(
    client: Client, sign_in: SignIn
) -> None:
    rollout, _ = sites.running(minutes=1)
    mallory = sign_in("mallory")
    addresses = [
        *(sites.ROLLOUTS, sites.NEWEST, sites.START, sites.PLANS),
        sites.attempt(rollout),
        sites.order(rollout, "halve"),
        f"{sites.attempt(rollout)}decisions/",
        f"{sites.attempt(rollout)}decisions/1/",
        f"{sites.attempt(rollout)}decisions.json",
        f"{sites.attempt(rollout)}decisions.csv",
        f"{sites.attempt(rollout)}check/",
        f"{sites.PLANS}short/1/",
        f"{sites.PLANS}short/1/new/",
        f"{sites.PLANS}short/1/measure/",
    ]

    for url in addresses:
        assert client.get(url).status_code == 302, url
        assert mallory.get(url).status_code == 403, url


def test_who_only_operates_can_not_approve(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2, plan=QUICK)

    assert _ask(alice, rollout, "approve").status_code == 403


def test_an_unknown_verb_or_rollout_is_not_there(alice: Client) -> None:
    rollout, _ = sites.running(minutes=1)

    assert _ask(alice, rollout, "explode").status_code == 404
    assert alice.get(f"{sites.ROLLOUTS}77/order/halve/").status_code == 404


# --- Each button --------------------------------------------------------------------


def test_halve_shows_the_diff_asks_why_and_halves(alice: Client) -> None:
    rollout, _ = sites.running(minutes=3)

    asked = _ask(alice, rollout, "halve")
    untold = alice.post(sites.order(rollout, "halve"), {"seen": rollout.version})
    done = _do(alice, rollout, "halve")

    words = _words(asked)
    assert "Percent 20 % → 10 %" in words
    assert "fewer of the" in words
    assert "no message is lost" in words
    assert untold.status_code == 422
    assert "Say why" in _words(untold)
    assert gathering.flag_percent() == 10
    assert (_last().action, _last().actor, _last().reason) == (
        "halve",
        "alice",
        "Because.",
    )
    assert _last().channel == "admin"
    assert "halved it from 20" in _messages(done)
    assert "HELD at 10 %" in _words(done)


def test_roll_back_gives_it_to_nobody(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)

    asked = _ask(alice, rollout, "roll_back")
    done = _do(alice, rollout, "roll_back")

    assert "Percent 20 % → 0 %" in _words(asked)
    assert gathering.flag_percent() == 0
    assert "ROLLING BACK to 0 %" in _words(done)


def test_hold_and_release(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)

    done = _do(alice, rollout, "hold", hours="4")
    [hold] = Hold.objects.all()
    rollout.refresh_from_db()
    released = _do(alice, rollout, "release", hold=hold.pk)

    assert "HELD at 20 %" in _words(done)
    assert "Held by alice just now until" in _words(done)
    assert hold.until is not None
    assert timedelta(hours=3.9) < hold.until - timezone.now() <= timedelta(hours=4)
    hold.refresh_from_db()
    assert hold.released_by == "alice"
    assert "What people said" not in _words(released)


def test_resume_after_a_pause(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    orders.pause(rollout, _by("bob"), now=timezone.now())
    rollout.refresh_from_db()

    paused = alice.get(sites.NEWEST)
    done = _do(alice, rollout, "resume")

    assert "PAUSED at 20 %" in _words(paused)
    assert "Advance…" not in _words(paused)
    assert "RAMPING at 20 %" in _words(done)


def test_a_second_person_approves(alice: Client, petra: Client) -> None:
    rollout, _ = sites.running(minutes=2, plan=QUICK)

    _do(petra, rollout, "request_approval")
    rollout.refresh_from_db()
    own = _do(petra, rollout, "approve", reason="")
    _do(alice, rollout, "request_approval")
    rollout.refresh_from_db()
    done = _do(petra, rollout, "approve", reason="")

    assert "a second person" in _messages(own)
    [given] = Approval.objects.exclude(approved_by="")
    assert (given.requested_by, given.approved_by) == ("alice", "petra")
    assert "Phase 2 was approved by petra" in _words(done)


def test_advance_waits_for_an_approval_and_then_goes_on(
    alice: Client, petra: Client
) -> None:
    rollout, _ = sites.running(minutes=2, plan=QUICK)

    blocked = _ask(alice, rollout, "advance")
    _do(alice, rollout, "request_approval")
    rollout.refresh_from_db()
    _do(petra, rollout, "approve")
    rollout.refresh_from_db()
    done = _do(alice, rollout, "advance")

    assert "needs the approval of a second person" in _words(blocked)
    assert "Nobody may override this" in _words(blocked)
    assert 'name="reason"' not in pages.content(blocked)
    assert gathering.flag_percent() == 50
    assert "RAMPING at 50 %, phase 2 of 3" in _words(done)


def test_overriding_a_gate_takes_its_tick_and_the_flags_name(alice: Client) -> None:
    plan = replace(
        ramping.SHORT,
        phases=(
            replace(ramping.SHORT.phases[0], unit_count=10_000),
            *ramping.SHORT.phases[1:],
        ),
    )
    rollout, _ = sites.running(minutes=2, plan=plan)

    asked = _ask(alice, rollout, "advance")
    open_ones = [each[0] for each in asked.context["form"].fields["overriding"].choices]
    unticked = _do(alice, rollout, "advance")
    unnamed = _do(alice, rollout, "advance", overriding=open_ones, name="yes")
    still = gathering.flag_percent()
    done = _do(alice, rollout, "advance", overriding=open_ones, name=FLAG)

    assert "needs 10,000 treatment conversations" in _words(asked)
    assert "information" in open_ones
    assert "override" in _messages(unticked)
    assert "type persistent_sessions" in _words(unnamed)
    assert still == 20
    assert gathering.flag_percent() == 50, _words(done)
    assert _last().inputs["overridden"] == open_ones


def test_the_kill_is_one_click_away_and_ends_the_rollout(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)

    shown = alice.get(sites.NEWEST)
    alice.post(pages.KILL, {"reason": ""})

    assert f'action="{pages.KILL}"' in pages.content(shown)
    assert gathering.flag_percent() == 0
    rollout.refresh_from_db()
    assert rollout.state == Rollout.State.ROLLING_BACK
    assert _last().actor == "alice"


# --- Others at the same time --------------------------------------------------------


@pytest.mark.parametrize("verb", ["advance", "hold", "halve", "roll_back"])
def test_who_comes_second_hears_what_was_changed(alice: Client, verb: str) -> None:
    rollout, _ = sites.running(minutes=2)
    seen = rollout.version
    orders.hold(rollout, _by("bob"), now=timezone.now())

    asked = alice.get(sites.order(rollout, verb), {"seen": seen})
    answered = alice.post(
        sites.order(rollout, verb), {"seen": seen, "reason": "Mine first."}
    )

    for page in (asked, answered):
        assert page.status_code == 409
        assert "Held" in _words(page)
        assert "bob" in _words(page)
        assert "I was first." in _words(page)
    assert "Mine first." in _words(answered)
    assert _last().actor == "bob"
    assert gathering.flag_percent() == 20
    again = alice.get(answered.context["again"])
    assert again.status_code == 200


def test_ticks_that_changed_nothing_are_no_conflict(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    seen = rollout.version
    rollouts.tick(timezone.now())

    assert alice.get(sites.order(rollout, "halve"), {"seen": seen}).status_code == 200


def test_what_is_so_already_is_said_and_changes_nothing(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    _do(alice, rollout, "halve")
    count = Decision.objects.count()
    rollout.refresh_from_db()

    again = alice.get(
        sites.order(rollout, "halve"), {"seen": rollout.version}, follow=True
    )

    assert "halved it 0 min ago" in _messages(again)
    assert Decision.objects.count() == count


def test_what_is_not_possible_says_what_is(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    _do(alice, rollout, "roll_back")
    rollout.refresh_from_db()

    answered = alice.get(
        sites.order(rollout, "advance"), {"seen": rollout.version}, follow=True
    )

    assert "not possible" in _messages(answered)


@pytest.mark.parametrize("seen", ["", "-1", "x", "9" * 40])
def test_a_version_that_is_none_is_that_of_now(alice: Client, seen: str) -> None:
    rollout, _ = sites.running(minutes=2)

    answered = alice.get(sites.order(rollout, "halve"), {"seen": seen})

    assert answered.status_code == 200
