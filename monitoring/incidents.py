"""The door to incidents: what went wrong so much that people work on it together."""

from monitoring.incident_details import assign, describe
from monitoring.incident_opening import open_by_hand, open_for
from monitoring.incident_records import find
from monitoring.incident_steps import (
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
