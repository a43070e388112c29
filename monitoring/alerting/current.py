"""What is wrong now."""

from django.db.models import Case, IntegerField, Value, When

from monitoring.models import Alert


def open_alerts() -> list[Alert]:
    """Return every alert that is not over, with its rule: firing ones first.

    The newest of each come before the others; one query.
    """
    pending = When(state=Alert.State.PENDING, then=Value(1))
    return list(
        Alert.objects.filter(resolved_at=None)
        .select_related("rule")
        .order_by(
            Case(pending, default=Value(0), output_field=IntegerField()),
            "-began_at",
            "-pk",
        )
    )
