"""The control page tells the state in words and numbers before it asks anything."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from chat.models import Conversation, Generation, Message, Owner
from flags import changes
from flags.changes import Actor
from flags.models import Change, Flag, RuntimeSetting
from flags.templatetags import moments
from tests.flags import pages

HIT, RECOVERED = Generation.SessionOutcome.HIT, Generation.SessionOutcome.RECOVERED


def _turns(count: int, *, outcome: str = "", hours_ago: float = 0.5) -> None:
    """Store turns that ended; without an outcome they were stateless."""
    owner = Owner.objects.create(kind=Owner.Kind.VISITOR)
    conversation = Conversation.objects.create(owner=owner, model="m")
    message = Message.objects.create(
        conversation=conversation, role="assistant", status="complete"
    )
    at = timezone.now() - timedelta(hours=hours_ago)
    for _ in range(count):
        Generation.objects.create(
            conversation=conversation,
            message=message,
            status=Generation.Status.COMPLETE,
            process="test",
            strategy="history" if outcome else "stateless",
            variant="on" if outcome else "off",
            session_outcome=outcome,
            model="m",
            created_at=at,
            ended_at=at,
        )


def _words(client: Client) -> str:
    return pages.words(client.get(pages.CONTROL))


def test_nobody_has_switched_it_on_yet(viewer: Client) -> None:
    words = _words(viewer)

    assert "Persistent sessions are OFF" in words
    assert "Nobody has changed this yet" in words


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        ("10", "Persistent sessions are ON for 10 % of conversations"),
        ("0.25", "Persistent sessions are ON for 0.25 % of conversations"),
        ("100", "Persistent sessions are ON for all conversations"),
        ("0", "Persistent sessions are ON at 0 %: nobody has one"),
    ],
)
def test_it_says_for_how_many_it_is_on(
    viewer: Client, percent: str, words: str
) -> None:
    pages.turn_on(percent)

    assert words in _words(viewer)


def test_it_says_who_set_the_percent_and_why(viewer: Client) -> None:
    pages.turn_on(10)
    pages.change("bob", "No errors in an hour", GRADUAL_ROLLOUT_PERCENTAGE=25)

    words = _words(viewer)

    assert "Set to 25 % by bob just now, because: “No errors in an hour”" in words


def test_it_says_who_switched_it_off_and_why(viewer: Client) -> None:
    pages.turn_on(10)
    changes.kill(actor=Actor("bob", Change.Channel.COMMAND), reason="Errors at Google")

    words = _words(viewer)

    assert "Persistent sessions are OFF" in words
    assert "Switched off by bob just now, because: “Errors at Google”" in words
    assert "The percent is 10 % and counts once they are on." in words


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=3, seconds=20), "3 minutes ago"),
        (timedelta(hours=1, minutes=50), "1 hour ago"),
        (timedelta(days=40), "1 month ago"),
    ],
)
def test_a_moment_is_told_by_its_age(age: timedelta, words: str) -> None:
    assert moments.ago(timezone.now() - age).replace("\u00a0", " ") == words


def test_it_says_that_the_flag_is_lost(viewer: Client) -> None:
    Flag.objects.all().delete()

    words = _words(viewer)

    assert "OFF because the flag has no row in the database" in words


# --- What was measured ----------------------------------------------------------------


def test_no_data_is_said_as_no_data(viewer: Client) -> None:
    words = _words(viewer)

    assert "Last hour no data: no turns" in words
    assert "Last 24 hours no data: no turns" in words
    assert "Found live no data: no persistent turns" in words
    assert "Recovered no data: no persistent turns" in words


def test_what_is_measured_stands_beside_what_is_set(viewer: Client) -> None:
    pages.turn_on(10)
    _turns(9)
    _turns(1, outcome=HIT)
    _turns(10, outcome=HIT, hours_ago=5)

    shown = viewer.get(pages.CONTROL)

    words = pages.words(shown)
    assert "Set 10 %" in words
    assert "Last hour measured 10 % of 10 turns" in words
    assert "Last 24 hours measured 55 % of 20 turns" in words
    assert '<rect class="bar-value" width="55.00"' in pages.content(shown)
    assert '<path class="bar-mark" d="M10.00 0V10"' in pages.content(shown)


def test_nobody_measured_is_zero_and_not_no_data(viewer: Client) -> None:
    _turns(3)

    words = _words(viewer)

    assert "Last hour measured 0 % of 3 turns" in words
    assert "Set off (0 % once they are on)" in words


@pytest.mark.parametrize(
    ("recovered", "is_told"), [(1, False), (2, True)], ids=["a tenth", "a fifth"]
)
def test_it_warns_of_many_recoveries(
    viewer: Client, recovered: int, is_told: bool
) -> None:
    _turns(recovered, outcome=RECOVERED)
    _turns(10 - recovered, outcome=HIT)

    words = _words(viewer)

    assert f"Recovered measured {recovered}0 % of 10 persistent turns" in words
    assert ("Many sessions had to be recovered" in words) is is_told


@pytest.mark.parametrize(
    ("hits", "is_told"), [(5, False), (4, True)], ids=["a half", "less"]
)
def test_it_warns_of_few_hits(viewer: Client, hits: int, is_told: bool) -> None:
    _turns(hits, outcome=HIT)
    _turns(10 - hits, outcome=Generation.SessionOutcome.TOPPED_UP)

    words = _words(viewer)

    assert ("Few sessions were found live" in words) is is_told


@pytest.mark.parametrize(
    ("alert", "warning"),
    [
        ("ALERT_ON_HIGH_RECOVERY_RATE", "Many sessions had to be recovered"),
        ("ALERT_ON_LOW_CACHE_HIT_RATIO", "Few sessions were found live"),
    ],
)
def test_a_warning_can_be_switched_off(
    viewer: Client, alert: str, warning: str
) -> None:
    _turns(10, outcome=RECOVERED)
    assert warning in _words(viewer)

    pages.change_all({alert: False})

    assert warning not in _words(viewer)


# --- What is set ----------------------------------------------------------------------


def test_a_setting_says_all_about_itself(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSISTENT_SESSION_TIMEOUT", "900")
    pages.change("bob", PERSISTENT_SESSION_TIMEOUT=7200)

    words = _words(viewer)

    assert "Persistent session timeout PERSISTENT_SESSION_TIMEOUT" in words
    assert "7,200 seconds (2 hours) changed from default" in words
    assert "A session that nobody used for so long is closed." in words
    assert "A whole number between 60 and 604,800 seconds." in words
    assert "Default: 3,600 seconds (1 hour)." in words
    assert "The environment says 900 seconds (15 minutes)" in words
    assert "Changed by bob just now." in words


def test_an_environment_that_agrees_is_not_mentioned(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSISTENT_SESSION_TIMEOUT", "3600")

    assert "The environment says" not in _words(viewer)


def test_an_environment_that_says_another_percent_is_named(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADUAL_ROLLOUT_PERCENTAGE", "25")

    words = _words(viewer)

    assert "The environment says GRADUAL_ROLLOUT_PERCENTAGE is 25 %; 0 %" in words


def test_a_stored_value_that_cant_be_used_is_named(viewer: Client) -> None:
    RuntimeSetting.objects.filter(name="CLEANUP_INTERVAL").update(value="soon")

    words = _words(viewer)

    assert "A stored value can't be used. CLEANUP_INTERVAL must be a whole" in words


def test_what_operators_write_is_text(alice: Client) -> None:
    mark = f"<b>{uuid4()}</b>"
    pages.turn_on(10)
    pages.change("<i>eve</i>", mark, GRADUAL_ROLLOUT_PERCENTAGE=20)

    for url in (pages.CONTROL, pages.HISTORY):
        page = alice.get(url).content.decode()
        assert mark not in page
        assert "<i>eve" not in page
