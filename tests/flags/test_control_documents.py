"""History, revert, export and import at the control page."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from flags import changes
from flags.models import Change
from tests.flags import pages

PERCENT = "GRADUAL_ROLLOUT_PERCENTAGE"


def _document(**settings: object) -> str:
    return json.dumps({"format": changes.FORMAT, "settings": settings})


def _import(client: Client, text: str) -> Any:
    return client.post(pages.IMPORT, {"document": text})


def _revert(client: Client, change: Change) -> Any:
    return client.get(f"{pages.HISTORY}{change.pk}/revert/", follow=True)


# --- History and revert ---------------------------------------------------------------


def test_the_history_tells_who_changed_what_and_why(viewer: Client) -> None:
    pages.change("bob", "More room", MAX_PERSISTENT_SESSIONS=600)

    words = pages.words(viewer.get(pages.HISTORY))

    assert (
        "Max persistent sessions 500 sessions → to 600 sessions bob (Command) More room"
    ) in words
    assert "environment (first start)" in words


def test_the_history_of_one_setting_tells_of_no_other(viewer: Client) -> None:
    pages.change(MAX_PERSISTENT_SESSIONS=600)
    pages.change(CLEANUP_INTERVAL=60)

    shown = viewer.get(pages.HISTORY, {"name": "CLEANUP_INTERVAL"})

    assert "2 changes, the newest first" in pages.words(shown)
    assert "600 sessions" not in pages.words(shown)


def test_the_history_of_what_no_database_can_look_for_is_empty(viewer: Client) -> None:
    answer = viewer.get(pages.HISTORY, {"name": "\x00"})

    assert answer.status_code == 200


def test_a_long_history_has_pages(viewer: Client) -> None:
    for count in range(20, 50):
        pages.change(MAX_RECOVERY_HISTORY_MESSAGES=count)
    name = "MAX_RECOVERY_HISTORY_MESSAGES"

    first = viewer.get(pages.HISTORY, {"name": name})
    second = viewer.get(pages.HISTORY, {"name": name, "page": "2"})

    assert f'href="?name={name}&amp;page=2">Older</a>' in pages.content(first)
    assert "Page 1 of 2" in pages.words(first)
    assert "50 messages → to 20 messages" in pages.words(second)
    assert f'href="?name={name}&amp;page=1">Newer</a>' in pages.content(second)


@pytest.mark.parametrize("page", ["0", "99", "x", "-1"])
def test_a_page_that_is_not_there_is_the_nearest(viewer: Client, page: str) -> None:
    assert viewer.get(pages.HISTORY, {"page": page}).status_code == 200


def test_a_change_is_reverted_with_its_reason_filled_in(alice: Client) -> None:
    pages.change("bob", "More room", MAX_PERSISTENT_SESSIONS=600)
    (change,) = pages.by_people()

    proposed = _revert(alice, change)
    reason = f"Reverts change {change.pk} by bob (More room)"
    pages.confirm(alice, proposed, reason=reason)

    assert "600 sessions → 500 sessions" in pages.words(proposed)
    assert reason in pages.words(proposed)
    assert pages.held("MAX_PERSISTENT_SESSIONS") == 500
    assert pages.by_people()[-1].reverts == change


def test_a_change_that_was_overtaken_is_a_conflict(alice: Client) -> None:
    pages.change("bob", "More room", MAX_PERSISTENT_SESSIONS=600)
    pages.change("carol", "Still more", MAX_PERSISTENT_SESSIONS=700)

    conflict = _revert(alice, pages.by_people()[0])
    afresh = pages.confirm(alice, conflict, back="1")

    assert conflict.status_code == 409
    assert "600 sessions 700 sessions carol, just now" in pages.words(conflict)
    assert pages.held("MAX_PERSISTENT_SESSIONS") == 700
    assert pages.inputs(afresh)["MAX_PERSISTENT_SESSIONS"] == "500"


def test_a_change_that_is_overtaken_before_the_confirmation_stays(
    alice: Client,
) -> None:
    pages.change("bob", MAX_PERSISTENT_SESSIONS=600)
    proposed = _revert(alice, pages.by_people()[0])
    pages.change("carol", MAX_PERSISTENT_SESSIONS=700)

    conflict = pages.confirm(alice, proposed)

    assert conflict.status_code == 409
    assert pages.held("MAX_PERSISTENT_SESSIONS") == 700


def test_the_first_value_has_nothing_before_it(alice: Client) -> None:
    first = Change.objects.order_by("id").first()
    assert first is not None

    answered = _revert(alice, first)

    assert "there is none before it" in pages.words(answered)
    assert "Revert" not in pages.words(alice.get(pages.HISTORY))


def test_a_change_that_does_not_exist_is_said_to(alice: Client) -> None:
    answered = alice.get(f"{pages.HISTORY}999999/revert/", follow=True)

    assert "There is no change 999999" in pages.words(answered)


# --- Export and import ----------------------------------------------------------------


def test_an_export_is_a_file_with_every_value(viewer: Client) -> None:
    pages.turn_on("2.5")

    answered = viewer.get(pages.EXPORT)

    assert "attachment" in answered.headers["Content-Disposition"]
    settings = json.loads(answered.content)["settings"]
    assert settings[PERCENT] == "2.5"
    assert settings["USE_PERSISTENT_SESSIONS"] == "true"
    assert settings["MAX_PERSISTENT_SESSIONS"] == "500"


@pytest.mark.parametrize("way", ["pasted", "uploaded"])
def test_an_export_comes_back_by_preview_and_confirmation(
    alice: Client, way: str
) -> None:
    exported = alice.get(pages.EXPORT).content
    pages.turn_on(50)
    pages.change(MAX_PERSISTENT_SESSIONS=600)
    given = (
        {"document": exported.decode()}
        if way == "pasted"
        else {"file": SimpleUploadedFile("settings.json", exported)}
    )

    proposed = alice.post(pages.IMPORT, given)
    untouched = pages.held("MAX_PERSISTENT_SESSIONS")
    pages.confirm(alice, proposed, reason="As it was")

    words = pages.words(proposed)
    assert "MAX_PERSISTENT_SESSIONS 600 sessions → 500 sessions" in words
    assert "GRADUAL_ROLLOUT_PERCENTAGE 50 % → 0 %" in words
    assert "more values are already as asked." in words
    assert untouched == 600
    assert pages.held("MAX_PERSISTENT_SESSIONS") == 500
    assert pages.held("USE_PERSISTENT_SESSIONS") is False


def test_each_bad_setting_of_a_document_is_named(alice: Client) -> None:
    text = _document(
        MAX_PERSISTENT_SESSION=3, CLEANUP_INTERVAL="soon", CLEANUP_BATCH_SIZE=10
    )

    answered = _import(alice, text)

    words = pages.words(answered)
    assert "There is no setting 'MAX_PERSISTENT_SESSION'." in words
    assert "CLEANUP_INTERVAL must be a whole number" in words
    assert "MAX_PERSISTENT_SESSION&quot;: 3" in pages.content(answered)
    assert pages.by_people() == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Choose a file or paste its text"),
        ("{", "This is not JSON"),
        ("[" * 60_000, "This is not JSON"),
        ("[]", "This is no export of ours"),
        ('{"settings": {}}', "This is no export of ours"),
        (f'{{"format": "{changes.FORMAT}"}}', '"settings" must be an object'),
        (_document(), '"settings" must be an object'),
        (_document(GRADUAL_ROLLOUT_PERCENTAGE=-1), "between 0 and 100"),
        (_document(GRADUAL_ROLLOUT_PERCENTAGE=float("nan")), "between 0 and 100"),
        (_document(GRADUAL_ROLLOUT_PERCENTAGE=[1]), "between 0 and 100"),
        (_document(CLEANUP_BATCH_SIZE=501), "must not be larger than"),
    ],
)
def test_a_bad_document_is_refused(alice: Client, text: str, says: str) -> None:
    answered = _import(alice, text)

    assert says in pages.words(answered)
    assert pages.by_people() == []


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"\xff\xfe\x00", "This is not JSON"), (b" " * 70_000, "never this large")],
)
def test_a_bad_file_is_refused(alice: Client, content: bytes, says: str) -> None:
    file = SimpleUploadedFile("settings.json", content)

    answered = alice.post(pages.IMPORT, {"file": file})

    assert says in pages.words(answered)


def test_a_file_and_a_text_at_once_are_one_too_many(alice: Client) -> None:
    text = _document(CLEANUP_INTERVAL=60)
    file = SimpleUploadedFile("settings.json", text.encode())

    answered = alice.post(pages.IMPORT, {"file": file, "document": text})

    assert "one of the two" in pages.words(answered)


def test_a_document_of_values_that_hold_changes_nothing(alice: Client) -> None:
    answered = _import(alice, _document(CLEANUP_INTERVAL=300))

    assert "Every value is already as asked" in pages.words(answered)


def test_back_from_a_preview_keeps_the_document(alice: Client) -> None:
    proposed = _import(alice, _document(CLEANUP_INTERVAL=60))

    back = pages.confirm(alice, proposed, back="1")

    assert "&quot;CLEANUP_INTERVAL&quot;: &quot;60&quot;" in pages.content(back)


def test_an_import_does_not_overwrite_what_changed_since_its_preview(
    alice: Client, bob: Client
) -> None:
    proposed = _import(alice, _document(CLEANUP_INTERVAL=60))
    pages.confirm(bob, pages.ask_settings(bob, CLEANUP_INTERVAL="120"))

    conflict = pages.confirm(alice, proposed)

    assert conflict.status_code == 409
    assert pages.held("CLEANUP_INTERVAL") == 120
