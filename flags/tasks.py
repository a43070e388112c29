"""The rollout's job: what it does, and how often."""

from django.utils import timezone

from flags import rollouts
from flags.plans import TICK_S
from monitoring import jobs


def tick() -> int:
    """Look at the rollout once; 1 where something was recorded."""
    return 0 if rollouts.tick(timezone.now()) is None else 1


tick_rollouts = jobs.task("flags.tick_rollouts", tick, every_s=TICK_S)
