"""Changing something at the control page: preview, reason, and who was first."""

import pytest
from django.test import Client

from flags.models import Change, RuntimeSetting
from tests.flags import pages

USE, PERCENT = "USE_PERSISTENT_SESSIONS", "GRADUAL_ROLLOUT_PERCENTAGE"


# --- The percent ----------------------------------------------------------------------


def test_a_percent_is_previewed_confirmed_and_recorded(alice: Client) -> None:
    proposed = pages.ask_percent(alice, "10")
    before = pages.held(PERCENT)
    done = pages.words(pages.confirm(alice, proposed, reason="Canary"))

    words = pages.words(proposed)
    assert "Use persistent sessions USE_PERSISTENT_SESSIONS off → on" in words
    assert "GRADUAL_ROLLOUT_PERCENTAGE 0 % → 10 %" in words
    assert "New conversations only: about 10 %" in words
    assert before == 0
    assert "Persistent sessions are ON for 10 % of conversations" in done
    assert "Changed Use persistent sessions: off → on" in done
    for change in pages.by_people():
        assert (change.actor, change.channel) == ("alice", Change.Channel.ADMIN)
        assert change.user is not None
        assert change.user.username == "alice"
        assert change.reason == "Canary"


def test_a_change_without_a_reason_is_asked_for_one(alice: Client) -> None:
    proposed = pages.ask_percent(alice, "10")

    again = pages.confirm(alice, proposed, reason="  ")

    assert "Say why: the reason is kept with the change." in pages.words(again)
    assert pages.by_people() == []
    pages.confirm(alice, again)
    assert pages.held(PERCENT) == 10


@pytest.mark.parametrize(
    "percent", ["-1", "100.01", "ten", "NaN", "inf", "1e2", "", "10 %", "0.001", "1,5"]
)
def test_a_bad_percent_is_refused_beside_its_field(alice: Client, percent: str) -> None:
    answered = pages.ask_percent(alice, percent)

    assert f"{PERCENT} must be a number between 0 and 100" in pages.words(answered)
    assert pages.inputs(answered)["percent"] == percent
    assert 'aria-invalid="true"' in pages.content(answered)
    assert pages.by_people() == []


def test_a_quick_choice_stands_for_what_is_typed(alice: Client) -> None:
    proposed = pages.ask_percent(alice, "ten", quick="25")

    pages.confirm(alice, proposed)

    assert pages.held(PERCENT) == 25


def test_a_percent_that_holds_already_needs_no_confirmation(alice: Client) -> None:
    pages.turn_on(10)

    answered = pages.ask_percent(alice, "10.00")

    assert "Every value is already as asked" in pages.words(answered)


def test_a_percent_does_not_undo_a_switching_off(alice: Client, bob: Client) -> None:
    pages.turn_on(10)
    bob.post(pages.KILL, {"reason": "Errors"})

    refused = pages.ask_percent(alice, "25")
    proposed = pages.ask_percent(alice, "25", is_enabling="on")
    pages.confirm(alice, proposed)

    assert "was switched off by bob" in pages.words(refused)
    assert pages.held(USE) is True
    assert pages.held(PERCENT) == 25


def test_switching_on_again_keeps_the_percent(alice: Client) -> None:
    pages.turn_on(10)
    alice.post(pages.KILL)

    proposed = pages.ask_percent(alice, "10", is_enabling="on")

    assert "off → on" in pages.words(proposed)
    pages.confirm(alice, proposed)
    assert pages.held(USE) is True


# --- Two operators --------------------------------------------------------------------


def test_who_comes_second_sees_who_was_first(alice: Client, bob: Client) -> None:
    pages.turn_on(10)
    proposed = pages.ask_percent(bob, "25")
    pages.confirm(alice, pages.ask_percent(alice, "50"), reason="Looks well")

    conflict = pages.confirm(bob, proposed, reason="More")

    assert conflict.status_code == 409
    words = pages.words(conflict)
    assert "Somebody else was first: nothing was changed" in words
    assert "10 % 50 % alice, just now: “Looks well” 25 %" in words
    assert pages.held(PERCENT) == 50


def test_a_wish_survives_a_conflict(alice: Client, bob: Client) -> None:
    pages.turn_on(10)
    proposed = pages.ask_percent(bob, "25")
    pages.confirm(alice, pages.ask_percent(alice, "50"))
    conflict = pages.confirm(bob, proposed)

    afresh = pages.confirm(bob, conflict, back="1")

    assert "ON for 50 % of conversations" in pages.words(afresh)
    assert pages.inputs(afresh)["percent"] == "25"
    again = pages.ask_percent(bob, "25", shown=afresh)
    assert "50 % → 25 %" in pages.words(again)
    pages.confirm(bob, again)
    assert pages.held(PERCENT) == 25


def test_a_page_that_is_out_of_date_does_not_get_to_a_confirmation(
    alice: Client, bob: Client
) -> None:
    shown = bob.get(pages.CONTROL)
    pages.change("alice", MAX_PERSISTENT_SESSIONS=600)

    answered = pages.ask_settings(bob, shown=shown, MAX_PERSISTENT_SESSIONS="700")

    assert answered.status_code == 409
    assert "500 sessions 600 sessions alice" in pages.words(answered)
    assert pages.held("MAX_PERSISTENT_SESSIONS") == 600


def test_a_percent_does_not_overrule_a_kill_in_the_meantime(
    alice: Client, bob: Client
) -> None:
    pages.turn_on(10)
    shown = bob.get(pages.CONTROL)
    alice.post(pages.KILL, {"reason": "Errors"})

    answered = pages.ask_percent(bob, "25", shown=shown)

    assert answered.status_code == 409
    assert "on off alice, just now: “Errors”" in pages.words(answered)
    assert pages.held(USE) is False


def test_different_settings_do_not_collide(alice: Client, bob: Client) -> None:
    shown = bob.get(pages.CONTROL)
    pages.confirm(alice, pages.ask_settings(alice, MAX_PERSISTENT_SESSIONS="600"))

    pages.confirm(bob, pages.ask_settings(bob, shown=shown, CLEANUP_INTERVAL="60"))

    assert pages.held("MAX_PERSISTENT_SESSIONS") == 600
    assert pages.held("CLEANUP_INTERVAL") == 60


# --- The settings ---------------------------------------------------------------------


def test_only_what_was_edited_is_changed(alice: Client) -> None:
    proposed = pages.ask_settings(
        alice, CLEANUP_INTERVAL="60", LOG_SESSION_OPERATIONS="false"
    )

    pages.confirm(alice, proposed)

    words = pages.words(proposed)
    assert "CLEANUP_INTERVAL 300 seconds (5 minutes) → 60 seconds (1 minute)" in words
    assert "LOG_SESSION_OPERATIONS on → off" in words
    changed = {change.name for change in pages.by_people()}
    assert changed == {"CLEANUP_INTERVAL", "LOG_SESSION_OPERATIONS"}


def test_saving_what_was_shown_changes_nothing(alice: Client) -> None:
    answered = pages.ask_settings(alice)

    assert "Every value is already as asked" in pages.words(answered)


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("PERSISTENT_SESSION_TIMEOUT", "59", "between 60 and 604,800 seconds"),
        ("MAX_PERSISTENT_SESSIONS", "0", "between 1 and 100,000 sessions"),
        ("MAX_PERSISTENT_SESSIONS", "many", "must be a whole number"),
        ("MAX_PERSISTENT_SESSIONS", "", "must be a whole number"),
        ("EMERGENCY_CLEANUP_THRESHOLD", "1.5", "must be a number between 0 and 1"),
        ("EMERGENCY_CLEANUP_THRESHOLD", "NaN", "must be a number between 0 and 1"),
        ("LOG_SESSION_OPERATIONS", "perhaps", "must be true or false"),
        ("PERSISTENT_SESSION_STRATEGY", "magic", "one of history, interactions"),
        ("CLEANUP_BATCH_SIZE", "501", "must not be larger than"),
        ("CLEANUP_INTERVAL", "3601", "must not be longer than"),
    ],
)
def test_a_bad_value_is_refused_beside_its_field(
    alice: Client, name: str, raw: str, says: str
) -> None:
    answered = pages.ask_settings(alice, RECOVERY_TIMEOUT_SECONDS="45", **{name: raw})

    assert says in pages.words(answered)
    assert f'<ul class="errorlist" id="id_{name}_error">' in pages.content(answered)
    assert f'<a href="#id_{name}">' in pages.content(answered)
    assert pages.inputs(answered)["RECOVERY_TIMEOUT_SECONDS"] == "45"
    assert pages.by_people() == []


def test_back_keeps_what_was_put_in(alice: Client) -> None:
    proposed = pages.ask_settings(
        alice, CLEANUP_INTERVAL="60", PERSISTENT_SESSION_STRATEGY="interactions"
    )

    back = pages.confirm(alice, proposed, back="1")

    given = pages.inputs(back)
    assert given["CLEANUP_INTERVAL"] == "60"
    assert given["PERSISTENT_SESSION_STRATEGY"] == "interactions"
    assert pages.words(back).count("not saved") == 2
    assert pages.by_people() == []


def test_a_rule_that_breaks_before_the_confirmation_keeps_the_wish(
    alice: Client,
) -> None:
    proposed = pages.ask_settings(alice, CLEANUP_BATCH_SIZE="400")
    pages.change("bob", MAX_PERSISTENT_SESSIONS=300)

    answered = pages.confirm(alice, proposed)

    assert "CLEANUP_BATCH_SIZE (400) must not be larger than" in pages.words(answered)
    assert pages.inputs(answered)["CLEANUP_BATCH_SIZE"] == "400"
    assert pages.held("CLEANUP_BATCH_SIZE") == 50


# --- The kill switch ------------------------------------------------------------------


def test_two_clicks_switch_it_off_without_a_reason(alice: Client) -> None:
    pages.turn_on(100)
    assert f'method="get" action="{pages.KILL}"' in pages.content(
        alice.get(pages.CONTROL)
    )

    asked = alice.get(pages.KILL)
    still_on = pages.held(USE)
    done = alice.post(pages.KILL, {"reason": ""}, follow=True)

    assert "Switch off now" in pages.words(asked)
    assert "rollout that is under way is rolled back with it" in pages.words(asked)
    assert still_on is True
    assert pages.held(USE) is False
    assert "Switched off by alice just now" in pages.words(done)


def test_switching_off_needs_not_even_a_form(alice: Client) -> None:
    pages.turn_on(100)

    alice.post(pages.KILL)

    assert pages.held(USE) is False


def test_switching_off_twice_says_so(alice: Client) -> None:
    pages.turn_on(100)
    alice.post(pages.KILL)

    again = alice.post(pages.KILL, follow=True)

    assert "They were off already: nothing changed." in pages.words(again)


def test_switching_off_works_while_another_value_is_broken(alice: Client) -> None:
    pages.turn_on(100)
    RuntimeSetting.objects.filter(name="CLEANUP_INTERVAL").update(value="soon")

    alice.get(pages.KILL)
    done = alice.post(pages.KILL, follow=True)

    assert "Persistent sessions are OFF" in pages.words(done)
