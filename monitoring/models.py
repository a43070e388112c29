"""What monitoring keeps."""

from django.db import models


class Total(models.Model):
    """A running total over all processes."""

    name = models.CharField(max_length=64, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"
