"""The channels as operators see them: who hears of which severity."""

from monitoring.channels import kinds
from monitoring.models import Channel, Severity

# From little to much, as they are declared.
_RANK = {value: rank for rank, value in enumerate(Severity.values)}
# The log takes everything: there it disturbs nobody.
_FIRST_SEVERITY = {"log": Severity.INFO}


def rank(severity: str) -> int:
    """Return where a severity stands. Raises: KeyError for one that is none."""
    return _RANK[severity]


def every() -> list[Channel]:
    """Return a row for every kind; it is stored once somebody has changed it."""
    stored = {row.kind: row for row in Channel.objects.all()}
    return [stored.get(kind.name) or _first(kind.name) for kind in kinds.every()]


def listening(severity: str) -> list[str]:
    """Return the kinds of the enabled channels that hear of this severity."""
    return [
        row.kind
        for row in every()
        if row.is_enabled
        and rank(row.min_severity) <= rank(severity)
        and kinds.find(row.kind).is_configured
    ]


def _first(kind: str) -> Channel:
    """Return it as it is before anybody changes it."""
    severity = _FIRST_SEVERITY.get(kind, Severity.WARNING)
    return Channel(kind=kind, min_severity=severity)
