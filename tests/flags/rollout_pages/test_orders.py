"""Every button: it previews, asks why, does it, and says who was first."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from flags import gathering
from flags.conf import FLAG
from flags.models import Approval, Hold, Rollout
from flags.plans import Phase, Plan
from flags.rollout_pages.verbs import BY_KEY
from tests.flags import pages, ramping
from tests.flags.conftest import SignIn
from tests.flags.rollout_pages import ordering, sites

VERBS = [
    *("advance", "hold", "pause", "resume", "release", "request_approval"),
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


# --- Rights -------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_sees_no_button_and_gets_nowhere(viewer: Client, verb: str) -> None:
    rollout, _ = sites.running(minutes=2)

    shown = viewer.get(sites.NEWEST)

    assert "order/" not in pages.content(shown)
    assert "Kill" not in pages.words(shown)
    assert ordering.ask(viewer, rollout, verb).status_code == 403
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

    assert ordering.ask(alice, rollout, "approve").status_code == 403


def test_an_unknown_verb_or_rollout_is_not_there(alice: Client) -> None:
    rollout, _ = sites.running(minutes=1)

    assert ordering.ask(alice, rollout, "explode").status_code == 404
    assert alice.get(f"{sites.ROLLOUTS}77/order/halve/").status_code == 404


# --- Each button --------------------------------------------------------------------


def test_halve_shows_the_diff_asks_why_and_halves(alice: Client) -> None:
    rollout, _ = sites.running(minutes=3)

    asked = ordering.ask(alice, rollout, "halve")
    untold = alice.post(sites.order(rollout, "halve"), {"seen": rollout.version})
    done = ordering.do(alice, rollout, "halve")

    words = ordering.words(asked)
    assert "Percent 20 % → 10 %" in words
    assert "fewer of the" in words
    assert "no message is lost" in words
    assert untold.status_code == 422
    assert "Say why" in ordering.words(untold)
    assert gathering.flag_percent() == 10
    assert (ordering.last().action, ordering.last().actor, ordering.last().reason) == (
        "halve",
        "alice",
        "Because.",
    )
    assert ordering.last().channel == "admin"
    assert "halved it from 20" in ordering.messages(done)
    assert ">alice halved it from 20" in done.content.decode()
    assert "HELD at 10 %" in ordering.words(done)
    rollout.refresh_from_db()
    again = ordering.messages(ordering.do(alice, rollout, "halve"))
    assert "halved it just now, to 10 %: that is done at most once in 30 min" in again
    assert "--again" not in again


def test_roll_back_gives_it_to_nobody(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)

    asked = ordering.ask(alice, rollout, "roll_back")
    done = ordering.do(alice, rollout, "roll_back")

    assert "Percent 20 % → 0 %" in ordering.words(asked)
    assert gathering.flag_percent() == 0
    assert "ROLLING BACK to 0 %" in ordering.words(done)


def test_hold_and_release(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)

    done = ordering.do(alice, rollout, "hold", hours="4")
    [hold] = Hold.objects.all()
    rollout.refresh_from_db()
    released = ordering.do(alice, rollout, "release", hold=hold.pk)

    assert "HELD at 20 %" in ordering.words(done)
    assert "Held by alice just now until" in ordering.words(done)
    assert hold.until is not None
    assert timedelta(hours=3.9) < hold.until - timezone.now() <= timedelta(hours=4)
    hold.refresh_from_db()
    assert hold.released_by == "alice"
    assert "What people said" not in ordering.words(released)


def test_resume_after_a_pause(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)

    asked = ordering.ask(alice, rollout, "pause")
    paused = ordering.do(alice, rollout, "pause")
    rollout.refresh_from_db()
    done = ordering.do(alice, rollout, "resume")

    assert "widens no further until a person resumes it" in ordering.words(asked)
    assert "PAUSED at 20 %" in ordering.words(paused)
    assert "Pause…" not in ordering.words(paused)
    assert "Advance…" not in ordering.words(paused)
    assert "RAMPING at 20 %" in ordering.words(done)


def test_a_second_person_approves(alice: Client, petra: Client) -> None:
    rollout, _ = sites.running(minutes=2, plan=QUICK)

    ordering.do(petra, rollout, "request_approval")
    rollout.refresh_from_db()
    own = ordering.do(petra, rollout, "approve", reason="")
    ordering.do(alice, rollout, "request_approval")
    rollout.refresh_from_db()
    asked = ordering.ask(petra, rollout, "approve")
    done = ordering.do(petra, rollout, "approve", reason="")

    assert "a second person" in ordering.messages(own)
    assert "Phase 2 gives it to 50 %." in ordering.words(asked)
    assert "asks for the approval of phase 2: Because." in ordering.words(asked)
    [given] = Approval.objects.exclude(approved_by="")
    assert (given.requested_by, given.approved_by) == ("alice", "petra")
    assert "Phase 2 was approved by petra" in ordering.words(done)


def test_advance_waits_for_an_approval_and_then_goes_on(
    alice: Client, petra: Client
) -> None:
    rollout, _ = sites.running(minutes=2, plan=QUICK)

    blocked = ordering.ask(alice, rollout, "advance")
    ordering.do(alice, rollout, "request_approval")
    rollout.refresh_from_db()
    ordering.do(petra, rollout, "approve")
    rollout.refresh_from_db()
    done = ordering.do(alice, rollout, "advance")

    assert "needs the approval of a second person" in ordering.words(blocked)
    assert "Nobody may override this" in ordering.words(blocked)
    assert sites.order(rollout, "request_approval") in pages.content(blocked)
    assert 'name="reason"' not in pages.content(blocked)
    assert gathering.flag_percent() == 50
    assert "RAMPING at 50 %, phase 2 of 3" in ordering.words(done)


def test_overriding_a_gate_takes_its_tick_and_the_flags_name(alice: Client) -> None:
    plan = replace(
        ramping.SHORT,
        phases=(
            replace(ramping.SHORT.phases[0], unit_count=10_000),
            *ramping.SHORT.phases[1:],
        ),
    )
    rollout, _ = sites.running(minutes=2, plan=plan)

    asked = ordering.ask(alice, rollout, "advance")
    open_ones = [each[0] for each in asked.context["form"].fields["overriding"].choices]
    unticked = ordering.do(alice, rollout, "advance", reason="It is well enough.")
    unnamed = ordering.do(alice, rollout, "advance", overriding=open_ones, name="yes")
    still = gathering.flag_percent()
    done = ordering.do(alice, rollout, "advance", overriding=open_ones, name=FLAG)

    assert "needs 10,000 treatment conversations" in ordering.words(asked)
    assert "information" in open_ones
    assert unticked.status_code == 422
    assert "Tick each of these to go on without it" in ordering.words(unticked)
    assert "It is well enough." in ordering.words(unticked)
    assert "type persistent_sessions" in ordering.words(unnamed)
    assert still == 20
    assert gathering.flag_percent() == 50, ordering.words(done)
    assert ordering.last().inputs["overridden"] == open_ones


def test_a_hold_in_the_way_can_be_released_from_there(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)
    ordering.do(alice, rollout, "hold")
    rollout.refresh_from_db()

    blocked = ordering.ask(alice, rollout, "advance")

    assert "It can't be done now" in ordering.words(blocked)
    assert sites.order(rollout, "release") in pages.content(blocked)


@pytest.mark.parametrize("verb", ["hold", "halve", "roll_back", "request_approval"])
def test_each_page_says_what_its_button_does(alice: Client, verb: str) -> None:
    rollout, _ = sites.running(minutes=2, plan=QUICK)

    asked = ordering.words(ordering.ask(alice, rollout, verb))

    assert BY_KEY[verb].meaning in asked
    assert "20 % → 20 %" not in asked


def test_the_kill_is_one_click_away_and_ends_the_rollout(alice: Client) -> None:
    rollout, _ = sites.running(minutes=2)

    shown = alice.get(sites.NEWEST)
    alice.post(pages.KILL, {"reason": ""})

    assert f'action="{pages.KILL}"' in pages.content(shown)
    assert gathering.flag_percent() == 0
    rollout.refresh_from_db()
    assert rollout.state == Rollout.State.ROLLING_BACK
    assert ordering.last().actor == "alice"
