"""A column of our own."""

from decimal import Decimal
from typing import Any

from django.db import models

from flags import values


class PercentField(models.DecimalField):
    """0 to 100 with two decimals; read without idle zeros, for 10 is no 10.00.

    To migrations it is a DecimalField like any other.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"max_digits": 5, "decimal_places": 2})

    def deconstruct(self) -> Any:
        """Return what makes the column."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.DecimalField", arguments, options

    def from_db_value(self, value: Decimal | None, *_: object) -> Decimal | None:
        """Return what a person would write."""
        return None if value is None else values.plain(value)
