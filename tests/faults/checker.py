"""Compares what the chatters were told with what the site has kept."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests import servers
from tests.faults import store
from tests.faults.api import Api
from tests.faults.chatters import Sent

MAX_UNSTORED_S = 1.0

Faults = dict[str, list[str]]


async def check(site: servers.Site, client: Api, sent: Iterable[Sent]) -> Faults:
    """Return every broken promise by its kind; empty is what is wanted.

    Kinds: lost, doubled, false_complete, altered, unstored, order, unanswered, stuck.
    """
    faults: Faults = {}
    by_conversation: dict[int, list[Sent]] = {}
    for one in sent:
        by_conversation.setdefault(one.conversation_id, []).append(one)
    for conversation_id, said in by_conversation.items():
        listed = await client.messages(conversation_id)
        kept = _kept(site, conversation_id)
        for one in said:
            _add(faults, _check_question(one, listed, kept))
            _add(faults, _check_answers(one, kept))
        _add(faults, _check_order(said, listed))
    _add(faults, [("stuck", str(one)) for one in store.running(site)])
    _add(faults, [("stuck", str(row)) for row in _unfinished(site)])
    return faults


def _check_question(
    one: Sent, listed: list[dict[str, Any]], kept: list[dict[str, Any]]
) -> Iterable[tuple[str, str]]:
    stored = {row["id"]: row for row in kept if row["client_key"] == one.key}
    shown = [row for row in listed if row["content"] == one.text]
    for message_id in one.acknowledged:
        if stored.get(message_id, {}).get("content") != one.text:
            yield "lost", f"message {message_id} of {one}"
    if len(stored) > 1 or len(shown) > 1:
        yield "doubled", f"stored {stored}, listed {shown}"
    if not shown:
        yield "lost", f"not listed: {one}"
    if one.completed_at is None:
        yield "unanswered", str(one)


def _check_answers(one: Sent, kept: list[dict[str, Any]]) -> Iterable[tuple[str, str]]:
    answers = [row for row in kept if row["parent_key"] == one.key]
    standing = [row for row in answers if not row["is_superseded"]]
    if len(standing) != 1 or standing[0]["status"] != "complete":
        yield "unanswered", f"answers {standing} to {one}"
    for answer in answers:
        content, shown = answer["content"], one.shown.get(answer["id"])
        if answer["status"] == "complete" and content != one.expected:
            yield "false_complete", f"{answer} of {one.expected!r}"
        if not one.expected.startswith(content):
            yield "altered", f"{answer} of {one.expected!r}"
        if shown is None:
            continue
        if not one.expected.startswith(shown.text):
            yield "altered", f"shown {shown.text!r} of {one.expected!r}"
        if (unstored_s := shown.seconds_beyond(len(content))) > MAX_UNSTORED_S:
            yield "unstored", f"{unstored_s:.2f} s of {answer}"


def _check_order(
    said: list[Sent], listed: list[dict[str, Any]]
) -> Iterable[tuple[str, str]]:
    questions = [row["content"] for row in listed if row["role"] == "user"]
    if questions != [one.text for one in said]:
        yield "order", f"{questions}"
    roles = Counter((index % 2, row["role"]) for index, row in enumerate(listed))
    if roles.keys() - {(0, "user"), (1, "assistant")}:
        yield "order", f"{[row['role'] for row in listed]}"


def longest_unstored_s(site: servers.Site, sent: Iterable[Sent]) -> float:
    """Return how many seconds of stream were shown and not kept, at most."""
    lengths = {
        row["id"]: row["length"]
        for row in store.rows(
            site,
            "SELECT id, length(content) AS length"
            " FROM chat_message WHERE role = 'assistant'",
        )
    }
    return max(
        (
            shown.seconds_beyond(lengths.get(message_id, 0))
            for one in sent
            for message_id, shown in one.shown.items()
        ),
        default=0.0,
    )


def _kept(site: servers.Site, conversation_id: int) -> list[dict[str, Any]]:
    return store.rows(
        site,
        "SELECT m.id, m.content, m.status, m.client_key, m.is_superseded,"
        " p.client_key AS parent_key FROM chat_message m"
        " LEFT JOIN chat_message p ON p.id = m.parent_id"
        " WHERE m.conversation_id = ? ORDER BY m.id",
        conversation_id,
    )


def _unfinished(site: servers.Site) -> list[dict[str, Any]]:
    return store.rows(
        site,
        "SELECT id, status FROM chat_message WHERE status IN ('pending', 'streaming')",
    )


def _add(faults: Faults, found: Iterable[tuple[str, str]]) -> None:
    for kind, what in found:
        faults.setdefault(kind, []).append(what)
