"""The waffle flag of this project: its table is ours from the first migration."""

from waffle.models import AbstractUserFlag


class Flag(AbstractUserFlag):
    """A switchable feature. `WAFFLE_FLAG_MODEL` can't be changed once it is migrated,
    so the project owns its flag table before it needs a field of its own."""
