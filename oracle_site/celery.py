"""The Celery app: `celery -A oracle_site.celery worker -B -c 2`."""

import os
import threading
from typing import Any

import structlog
from celery import Celery
from celery.beat import EmbeddedService
from celery.signals import worker_ready, worker_shutting_down

from oracle_site import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oracle_site.settings")

log = structlog.get_logger(__name__)

broker.register()
app = Celery("oracle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_BEAT_PAUSE_S = 2.0
_is_ending = threading.Event()
_keeper: threading.Thread | None = None


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    _is_ending.set()


@worker_ready.connect
def _keep_beat(sender: Any, **_: Any) -> None:
    """Watch the scheduler inside the worker; Celery itself does not miss it."""
    global _keeper  # noqa: PLW0603 - a worker is ready again after each reconnection
    worker = sender.controller
    if worker.beat is not None and _keeper is None:
        _keeper = threading.Thread(target=_restart_beat, args=[worker], daemon=True)
        _keeper.start()


def _restart_beat(worker: Any) -> None:
    while True:
        worker.beat.join()
        if _is_ending.wait(_BEAT_PAUSE_S):
            return
        log.error("beat.restarting", exitcode=worker.beat.exitcode)
        worker.beat = EmbeddedService(worker.app, scheduler_cls=worker.scheduler)
        worker.beat.daemon = True
        worker.beat.start()
