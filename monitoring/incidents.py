"""The door to incidents: what went wrong so much that people work on it together."""

from monitoring.responding.details import assign, describe
from monitoring.responding.opening import open_by_hand, open_for
from monitoring.responding.records import find
from monitoring.responding.steps import (
    acknowledge,
    add_note,
    promise_update,
    publish,
    resolve,
    set_status,
    withdraw,
)

__all__ = [
    "acknowledge",
    "add_note",
    "assign",
    "describe",
    "find",
    "open_by_hand",
    "open_for",
    "promise_update",
    "publish",
    "resolve",
    "set_status",
    "withdraw",
]
