"""Values and changes in words that an operator reads without a manual."""

from decimal import Decimal

import pytest

from flags import runtime, wording
from flags.changes import Difference
from flags.conf import PERCENT, USE
from flags.values import Value

ON, OFF = True, False


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def _effects(before: tuple[bool, int], after: tuple[bool, int]) -> str:
    current: dict[str, Value] = {USE.name: before[0], PERCENT.name: Decimal(before[1])}
    wanted: dict[str, Value] = {USE.name: after[0], PERCENT.name: Decimal(after[1])}
    differences = [
        Difference(name, current[name], wanted[name], "")
        for name in current
        if current[name] != wanted[name]
    ]
    return _plain(" ".join(wording.effects(differences, current)))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PERSISTENT_SESSION_TIMEOUT", 3600, "3,600 seconds (1 hour)"),
        ("PERSISTENT_SESSION_TIMEOUT", 604_800, "604,800 seconds (7 days)"),
        ("CLEANUP_INTERVAL", 300, "300 seconds (5 minutes)"),
        ("CLEANUP_INTERVAL", 90, "90 seconds"),
        ("MAX_PERSISTENT_SESSIONS", 100_000, "100,000 sessions"),
        ("EMERGENCY_CLEANUP_THRESHOLD", Decimal("0.95"), "0.95 of the maximum"),
        ("GRADUAL_ROLLOUT_PERCENTAGE", Decimal("2.50"), "2.5 %"),
        ("GRADUAL_ROLLOUT_PERCENTAGE", Decimal(100), "100 %"),
        ("USE_PERSISTENT_SESSIONS", True, "on"),
        ("LOG_SESSION_OPERATIONS", False, "off"),
        ("PERSISTENT_SESSION_STRATEGY", "history", "history"),
    ],
)
def test_a_value_has_its_unit(name: str, value: Value, words: str) -> None:
    assert _plain(wording.value(runtime.find(name), value)) == words


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("CLEANUP_INTERVAL", "60", "60 seconds (1 minute)"),
        ("CLEANUP_INTERVAL", "", "no value"),
        ("CLEANUP_INTERVAL", "soon", "soon"),
        ("A_SETTING_OF_LAST_YEAR", "7", "7"),
    ],
)
def test_an_old_text_is_told_as_it_can_be(name: str, raw: str, words: str) -> None:
    assert _plain(wording.text(name, raw)) == words


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.0981, "9.8 %"), (0.1, "10 %"), (0.0, "0 %"), (1.0, "100 %")]
)
def test_a_share_has_one_decimal_at_most(ratio: float, words: str) -> None:
    assert _plain(wording.share(ratio)) == words


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ((OFF, 0), (ON, 10), "New conversations only: about 10 % of those"),
        ((ON, 10), (ON, 25), "New conversations only: about 25 % of those"),
        ((ON, 10), (ON, 100), "All conversations get them"),
        ((OFF, 100), (ON, 100), "All conversations get them"),
        ((ON, 50), (ON, 10), "Conversations above 10 % go back to stateless"),
        ((ON, 100), (ON, 99), "Conversations above 99 % go back to stateless"),
        ((ON, 50), (ON, 0), "every conversation is back to stateless"),
        ((OFF, 50), (ON, 0), "Nobody gets them while the percent is 0."),
        ((ON, 50), (OFF, 50), "each one is back to stateless at its next turn"),
        ((ON, 50), (OFF, 10), "each one is back to stateless at its next turn"),
        ((OFF, 0), (OFF, 10), "Nobody yet: it is off"),
    ],
)
def test_it_says_what_a_change_means_for_conversations(
    before: tuple[bool, int], after: tuple[bool, int], says: str
) -> None:
    assert says in _effects(before, after)


def test_other_settings_have_no_effect_on_who_gets_it() -> None:
    difference = Difference("CLEANUP_INTERVAL", 300, 60, "seconds")

    effects = wording.effects([difference], {})

    assert effects == ["Every process works by the new values within two seconds."]
