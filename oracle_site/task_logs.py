"""How a Celery process logs: as the site does, with the id of the request that asked.

The id travels in the task's headers; a task that no request sent has only its own.
"""

import logging.config
from typing import Any

import structlog
from celery import Task
from celery.signals import (
    beat_embedded_init,
    beat_init,
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_ready,
)
from django.conf import settings

from monitoring import logs
from oracle_site import log_level


@setup_logging.connect  # type: ignore[untyped-decorator]
def _log_as_the_site(**_: Any) -> None:
    """Keep Celery from putting its own handlers, which redact nothing, over ours."""
    logging.config.dictConfig(settings.LOGGING)
    logs.catch_strays()


def _follow_the_level(**_: Any) -> None:
    log_level.follow()


for _begin in (worker_ready, worker_process_init, beat_init, beat_embedded_init):
    _begin.connect(_follow_the_level)


@before_task_publish.connect  # type: ignore[untyped-decorator]
def _send_id(headers: dict[str, Any], **_: Any) -> None:
    known = structlog.contextvars.get_contextvars()
    if "request_id" in known:
        headers["request_id"] = known["request_id"]


@task_prerun.connect  # type: ignore[untyped-decorator]
def _bind(task: Task, task_id: str, **_: Any) -> None:
    known = {"task": task.name, "task_id": task_id}
    if request_id := task.request.get("request_id"):
        known["request_id"] = str(request_id)
    task.request.log_tokens = structlog.contextvars.bind_contextvars(**known)


@task_postrun.connect  # type: ignore[untyped-decorator]
def _unbind(task: Task, **_: Any) -> None:
    structlog.contextvars.reset_contextvars(**task.request.log_tokens)
