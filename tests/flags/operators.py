"""Operators, as changes know them."""

from flags.changes import Actor
from flags.models import Change

ALICE = Actor(name="alice", channel=Change.Channel.ADMIN)
BOB = Actor(name="bob", channel=Change.Channel.COMMAND)
