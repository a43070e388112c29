"""Changes: previewed, all or nothing, compared with what was seen, recorded."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from flags import changes, runtime
from flags.changes import Actor
from flags.errors import (
    Conflict,
    FlagsError,
    InvalidValue,
    NothingToChange,
    ReasonMissing,
    UnknownSetting,
)
from flags.models import Change, RuntimeSetting
from tests.flags.operators import ALICE, BOB

pytestmark = pytest.mark.django_db


def _set(**wanted: object) -> list[Change]:
    return changes.apply(wanted, actor=ALICE, reason="Because.")


def _revert(change: Change, *, actor: Actor) -> list[Change]:
    """Undo a change as the command and the page do."""
    undone, wanted, seen = changes.reversal(change.pk)
    return changes.apply(
        wanted, actor=actor, reason="Undone.", seen=seen, reverts=undone
    )


def _facts() -> dict[str, Any]:
    """Return all that a refused change must leave as it is."""
    return {"stored": runtime.stored(), "history": Change.objects.count()}


def test_a_change_is_kept_with_who_how_why_and_what() -> None:
    user = User.objects.create_user("alice")
    actor = Actor("alice", Change.Channel.ADMIN, user_id=user.pk)

    [made] = changes.apply(
        {"CLEANUP_BATCH_SIZE": "60"}, actor=actor, reason=" Slow cleanups. "
    )

    assert (made.name, made.old, made.new) == ("CLEANUP_BATCH_SIZE", "50", "60")
    assert (made.actor, made.user, made.channel) == ("alice", user, "admin")
    assert made.reason == "Slow cleanups."
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 60


def test_only_what_differs_is_changed_in_the_order_of_declaration() -> None:
    made = _set(
        CLEANUP_BATCH_SIZE=60,
        MAX_PERSISTENT_SESSIONS="500",
        GRADUAL_ROLLOUT_PERCENTAGE="10.00",
        LOG_SESSION_OPERATIONS="off",
    )

    assert [str(each) for each in made] == [
        "GRADUAL_ROLLOUT_PERCENTAGE: 0 → 10",
        "LOG_SESSION_OPERATIONS: true → false",
        "CLEANUP_BATCH_SIZE: 50 → 60",
    ]


def test_a_preview_says_what_would_change_and_changes_nothing() -> None:
    before = _facts()

    found = changes.preview(
        {"PERSISTENT_SESSION_TIMEOUT": 600, "CLEANUP_INTERVAL": 300}
    )

    assert [str(each) for each in found] == [
        "PERSISTENT_SESSION_TIMEOUT: 3600 seconds → 600 seconds"
    ]
    assert _facts() == before


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ({"GRADUAL_ROLLOUT_PERCENTAGE": "-1"}, InvalidValue, "between 0 and 100"),
        ({"GRADUAL_ROLLOUT_PERCENTAGE": "100.01"}, InvalidValue, "not '100.01'"),
        ({"GRADUAL_ROLLOUT_PERCENTAGE": "ten"}, InvalidValue, "not 'ten'"),
        ({"GRADUAL_ROLLOUT_PERCENTAGE": "NaN"}, InvalidValue, "not 'NaN'"),
        ({"PERSISTENT_SESSION_TIMEOUT": 59}, InvalidValue, "between 60 and"),
        ({"CLEANUP_BATCH_SIZE": 501}, InvalidValue, "must not be larger than"),
        ({"MAX_PERSISTENT_SESSIONS": 49}, InvalidValue, "must not be larger than"),
        ({"CLEANUP_INTERVAL": 3601}, InvalidValue, "must not be longer than"),
        ({"CLEANUP_BATCH": 10}, UnknownSetting, "Did you mean CLEANUP_BATCH_SIZE"),
        ({"CLEANUP_BATCH_SIZE": 50}, NothingToChange, "nothing changed"),
        ({}, NothingToChange, "nothing changed"),
    ],
)
def test_what_is_refused_changes_nothing(
    wanted: dict[str, object], error: type[FlagsError], words: str
) -> None:
    before = _facts()

    with pytest.raises(error, match=words):
        changes.apply(wanted, actor=ALICE, reason="Because.")

    assert _facts() == before


def test_one_bad_value_keeps_the_good_ones_from_being_changed() -> None:
    before = _facts()

    with pytest.raises(InvalidValue) as refused:
        _set(CLEANUP_INTERVAL=60, CLEANUP_BATCH_SIZE=0, RECOVERY_TIMEOUT_SECONDS="?")

    assert _facts() == before
    assert "CLEANUP_BATCH_SIZE must be" in str(refused.value)
    assert "RECOVERY_TIMEOUT_SECONDS must be" in str(refused.value)


def test_two_values_that_go_together_are_changed_together() -> None:
    made = _set(CLEANUP_BATCH_SIZE=800, MAX_PERSISTENT_SESSIONS=900)

    assert len(made) == 2


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_change_needs_a_reason(reason: str) -> None:
    before = _facts()

    with pytest.raises(ReasonMissing):
        changes.apply({"CLEANUP_BATCH_SIZE": 60}, actor=ALICE, reason=reason)

    assert _facts() == before


def test_the_second_of_two_operators_learns_who_was_first() -> None:
    seen = {"CLEANUP_BATCH_SIZE": 50}
    changes.apply({"CLEANUP_BATCH_SIZE": 60}, actor=ALICE, reason="Bigger.", seen=seen)
    before = _facts()

    with pytest.raises(Conflict) as refused:
        changes.apply({"CLEANUP_BATCH_SIZE": 40}, actor=BOB, reason="No.", seen=seen)

    assert _facts() == before
    assert str(refused.value) == (
        "CLEANUP_BATCH_SIZE was 50 when you looked and was changed to 60 by alice "
        "(Bigger.). Look again, then decide."
    )


def test_what_was_seen_counts_for_settings_that_are_not_changed_too() -> None:
    _set(MAX_PERSISTENT_SESSIONS=100)

    with pytest.raises(Conflict, match="MAX_PERSISTENT_SESSIONS was 500"):
        changes.preview(
            {"CLEANUP_BATCH_SIZE": 60}, seen={"MAX_PERSISTENT_SESSIONS": "500"}
        )


def test_a_change_that_others_did_not_touch_goes_through() -> None:
    _set(MAX_PERSISTENT_SESSIONS=100)

    made = changes.apply(
        {"CLEANUP_BATCH_SIZE": 60},
        actor=BOB,
        reason="Mine.",
        seen={"CLEANUP_BATCH_SIZE": "50"},
    )

    assert len(made) == 1


def test_a_revert_brings_back_the_value_and_says_what_it_reverts() -> None:
    [made] = _set(CLEANUP_BATCH_SIZE=60)

    [reverted] = _revert(made, actor=BOB)

    assert (reverted.old, reverted.new) == ("60", "50")
    assert reverted.reverts == made
    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 50


def test_a_revert_does_not_undo_what_somebody_did_since() -> None:
    [made] = _set(CLEANUP_BATCH_SIZE=60)
    changes.apply({"CLEANUP_BATCH_SIZE": 70}, actor=BOB, reason="Even bigger.")
    before = _facts()

    with pytest.raises(Conflict, match=r"changed to 70 by bob \(Even bigger"):
        _revert(made, actor=ALICE)

    assert _facts() == before


def test_a_revert_can_be_reverted() -> None:
    [made] = _set(CLEANUP_BATCH_SIZE=60)
    [reverted] = _revert(made, actor=BOB)

    _revert(reverted, actor=ALICE)

    assert runtime.find("CLEANUP_BATCH_SIZE").get() == 60


def test_what_can_not_be_reverted() -> None:
    first = Change.objects.get(name="CLEANUP_BATCH_SIZE")

    with pytest.raises(NothingToChange, match="first value"):
        changes.reversal(first.pk)
    with pytest.raises(UnknownSetting, match="no change 0"):
        changes.reversal(0)


def test_a_broken_value_is_mended_even_by_what_holds_meanwhile() -> None:
    RuntimeSetting.objects.filter(name="CLEANUP_BATCH_SIZE").update(value="many")

    [made] = _set(CLEANUP_BATCH_SIZE=50)

    assert (made.old, made.new) == ("many", "50")
    assert runtime.stored()["CLEANUP_BATCH_SIZE"] == "50"


def test_a_broken_value_does_not_stand_in_another_ones_way() -> None:
    RuntimeSetting.objects.filter(name="CLEANUP_BATCH_SIZE").update(value="many")

    assert len(_set(CLEANUP_INTERVAL=60)) == 1


def test_an_export_can_be_read_back() -> None:
    _set(CLEANUP_BATCH_SIZE=60, EMERGENCY_CLEANUP_THRESHOLD="0.5")
    document = changes.export()
    _set(CLEANUP_BATCH_SIZE=70)

    wanted = changes.read_export(document)

    assert set(wanted) == {each.name for each in runtime.declared()}
    assert [str(each) for each in changes.preview(wanted)] == [
        "CLEANUP_BATCH_SIZE: 70 sessions → 60 sessions"
    ]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"format": "something-else/1", "settings": {"CLEANUP_BATCH_SIZE": "1"}},
        {"format": changes.FORMAT},
        {"format": changes.FORMAT, "settings": []},
        {"format": changes.FORMAT, "settings": {}},
    ],
)
def test_what_is_no_export_is_refused(document: object) -> None:
    with pytest.raises(InvalidValue):
        changes.read_export(document)
