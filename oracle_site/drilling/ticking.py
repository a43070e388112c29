"""`python -m oracle_site.drilling.ticking PLAN.json SECONDS`: ticks of a copy.

They come from a process of their own, more often than the schedule's.
"""

import json
import os
import sys
import time
from pathlib import Path

import django


def main() -> None:
    """Start the rollout if there is none, then tick for good."""
    path, every_s = Path(sys.argv[1]), float(sys.argv[2])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oracle_site.settings")
    django.setup()
    _begin(path)
    while True:
        began = time.monotonic()
        _tick()
        time.sleep(max(0.0, every_s - (time.monotonic() - began)))


def _begin(path: Path) -> None:
    from django.utils import timezone

    from flags import rollouts
    from flags.changes import Actor
    from flags.models import Change, Rollout, RolloutPlan
    from flags.rollouts import Order

    if Rollout.objects.exists():
        return
    body = json.loads(path.read_text(encoding="utf-8"))
    plan = RolloutPlan.objects.create(
        name=body["name"], version=body["version"], body=body, created_by="drill"
    )
    rollouts.start(
        plan,
        Order(actor=Actor("drill", Change.Channel.COMMAND), reason="A drill."),
        now=timezone.now(),
        without_drill=True,
    )


def _tick() -> None:
    import structlog
    from django.db import Error, close_old_connections
    from django.utils import timezone

    from flags import rollouts

    close_old_connections()
    try:
        rollouts.tick(timezone.now())
    except Error:
        structlog.get_logger(__name__).exception("drill.tick_failed")


if __name__ == "__main__":
    main()
