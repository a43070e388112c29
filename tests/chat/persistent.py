"""Sites whose conversations all get persistent sessions, and what they left behind."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import clients, servers
from tests.faults import store

EVERYBODY = {"USE_PERSISTENT_SESSIONS": "true", "GRADUAL_ROLLOUT_PERCENTAGE": "100"}


@contextlib.contextmanager
def site(
    data_dir: Path, *, gemini_url: str, workers: int = 1, **settings: str
) -> Iterator[servers.Site]:
    """Run a site with persistent sessions for everybody."""
    with servers.site(
        data_dir, gemini_url=gemini_url, workers=workers, **EVERYBODY, **settings
    ) as running:
        yield running


def attempt(site: servers.Site, turn: dict[str, Any]) -> dict[str, Any]:
    """Return the row of the newest attempt at a turn's answer."""
    [*_, newest] = store.rows(
        site,
        "SELECT * FROM chat_generation WHERE message_id = ? ORDER BY id",
        turn["assistant_message"]["id"],
    )
    return newest


def outcome(site: servers.Site, turn: dict[str, Any]) -> tuple[str, str, str]:
    """Return strategy, outcome and note of a turn's session."""
    row = attempt(site, turn)
    return row["strategy"], row["session_outcome"], row["session_note"]


def live(site: servers.Site, session_id: int) -> list[dict[str, Any]]:
    """Return the registered sessions of a conversation."""
    statement = "SELECT * FROM chat_livesession WHERE conversation_id = ?"
    return store.rows(site, statement, session_id)


def totals(site: servers.Site) -> dict[str, int]:
    """Return the running totals of session operations."""
    rows = store.rows(
        site, "SELECT name, value FROM monitoring_total WHERE name LIKE 'sessions_%'"
    )
    return {row["name"]: row["value"] for row in rows}


def change(site: servers.Site, **wanted: object) -> None:
    """Change runtime settings, as an operator would."""
    pairs = [text for name, value in wanted.items() for text in (name, str(value))]
    site.manage("settings", "set", *pairs, "--reason", "a test")


def sent(gemini_url: str, marker: str) -> list[dict[str, Any]]:
    """Return the bodies of the requests that hold this text, oldest first."""
    return [entry["body"] for entry in clients.requests(gemini_url, marker)]


def texts(body: dict[str, Any]) -> list[str]:
    """Return the texts of a request's contents, with their roles."""
    return [
        f"{content['role']}: {''.join(p.get('text', '') for p in content['parts'])}"
        for content in body["contents"]
    ]


def wire(body: dict[str, Any]) -> str:
    """Return a request's contents in the bytes that went over the wire."""
    return json.dumps(body["contents"])
