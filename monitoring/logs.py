"""How log lines look and which are written: JSON in production, else words."""

import logging
import os
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

from monitoring.redaction import Redactor

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Whatever the level: these say too much below theirs. Django logs the values of queries
# and the whole context of a template, the HTTP libraries each address, in which there
# may be a token, Celery each task.
_AT_LEAST = {
    "django.db.backends": "INFO",
    "django.template": "INFO",
    "httpx2": "WARNING",
    "httpcore2": "WARNING",
    "google_genai": "WARNING",
    "apprise": "WARNING",
    "urllib3": "WARNING",
    "markdown_it": "WARNING",
    "celery": "WARNING",
    "kombu": "WARNING",
}

log = structlog.get_logger(__name__)


class Handler(logging.StreamHandler[Any]):
    """Write to standard error; of a line that can't be, tell only where it is from.

    Python's own would print the line's raw arguments, past the redaction.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - overrides
        """Write a line that says so in its place, once."""
        kind = sys.exc_info()[0]
        if getattr(record, "is_substitute", False) or kind is None:
            return
        substitute = logging.LogRecord(
            record.name,
            logging.ERROR,
            record.pathname,
            record.lineno,
            "a line of %s:%s can't be written: %s",
            (record.module, record.lineno, kind.__name__),
            None,
        )
        substitute.is_substitute = True
        self.emit(substitute)


def config(*, level: str, is_json: bool, secrets: list[str]) -> dict[str, Any]:
    """Return Django's LOGGING, and make structlog write into the same handler.

    Everything, libraries' lines too, goes to standard error through one formatter,
    whose last step but one takes the secrets out.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_process,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if is_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*shared, structlog.stdlib.PositionalArgumentsFormatter()],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Redactor(secrets),
            renderer,
        ],
    }
    ours: dict[str, Any] = {"handlers": [], "propagate": True}
    limited = {name: {"level": limit} for name, limit in _limits(level).items()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {
            "stderr": {"class": "monitoring.logs.Handler", "formatter": "line"},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": ours | {"level": "NOTSET"},
            "django.server": ours,
            "gunicorn.error": ours,
            "gunicorn.access": ours,
            **limited,
        },
    }


def level() -> str:
    """Return the level that holds in this process."""
    return logging.getLevelName(logging.getLogger().level)


def set_level(wanted: str) -> None:
    """Write the lines of this level and above, from now on, in this process."""
    logging.getLogger().setLevel(wanted)
    for name, limit in _limits(wanted).items():
        logging.getLogger(name).setLevel(limit)


def catch_strays() -> None:
    """Let what nobody caught, and Python's warnings, be lines like all others."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    logging.captureWarnings(capture=True)


def _limits(level: str) -> dict[str, str]:
    return {
        name: max(level, limit, key=LEVELS.index) for name, limit in _AT_LEAST.items()
    }


def _add_process(
    logger: object, name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    del logger, name
    event["pid"] = os.getpid()
    return event


def _uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.critical("process.failed", exc_info=(kind, error, trace))


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is None or issubclass(given.exc_type, SystemExit):
        return
    error = (given.exc_type, given.exc_value, given.exc_traceback)
    log.error(
        "thread.failed", thread=given.thread and given.thread.name, exc_info=error
    )
