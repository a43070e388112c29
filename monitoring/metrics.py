"""Totals that no row stands for: the write side and their reading."""

from django.db import connection, transaction

from monitoring.models import Total


def count(**deltas: int) -> None:
    """Add to totals, all in one statement, in whatever transaction is open.

    The names are sorted, so that two writers lock the rows in the same order.
    """
    if not deltas:
        return
    rows = sorted(deltas.items())
    marks = ", ".join(["(%s, %s)"] * len(rows))
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO monitoring_total (name, value) VALUES {marks}"  # noqa: S608
            " ON CONFLICT (name) DO UPDATE"
            " SET value = monitoring_total.value + excluded.value",
            [value for row in rows for value in row],
        )


def totals(*names: str) -> dict[str, int | None]:
    """Return the totals of these names; None where nothing was ever counted."""
    known = dict(Total.objects.filter(name__in=names).values_list("name", "value"))
    return {name: known.get(name) for name in names}
