"""Celery's doors to flags."""

from celery import Task, shared_task
from django.utils import timezone

from flags import rollouts
from flags.plans import TICK_S
from monitoring import jobs


def tick() -> int:
    """Look at the rollout once; 1 where something was recorded."""
    return 0 if rollouts.tick(timezone.now()) is None else 1


_tick = jobs.register("flags.tick_rollouts", tick, every_s=TICK_S)


@shared_task(**_tick.task_options)
def tick_rollouts(self: Task) -> None:
    """Move, hold or take back the rollout by what there is to see."""
    jobs.run(_tick.name, slot=jobs.slot_of(self.request))
