"""The endpoints of monitoring; whoever mounts them says who may ask.

Each answers within seconds and in the same shape while the database is away.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from monitoring import asides, insights, probing, sections, shapes
from monitoring.figures import Figures
from monitoring.probing import Finding
from monitoring.registry import UNHEALTHY

log = structlog.get_logger(__name__)
router = Router(tags=["monitoring"])


@router.get("/health/detailed", response=shapes.Detailed)
async def detailed(request: HttpRequest) -> dict[str, Any]:
    """Return the state of the service, its host, its store, its errors and checks."""
    del request
    found, told, system = await asyncio.gather(
        asyncio.to_thread(probing.findings),
        _told(_what_is_stored),
        _system(),
    )
    status = probing.worst(finding.status for finding in found)
    return {
        "status": status if told else UNHEALTHY,
        "timestamp": sections.moment(timezone.now()),
        "version": settings.VERSION,
        "system": system,
        **told,
        "environment": {**sections.environment(), **told.get("environment", {})},
        "checks": _checks(found),
    }


@router.get("/health/sessions", response=shapes.Sessions)
async def sessions(request: HttpRequest) -> dict[str, Any]:
    """Return the live Gemini sessions of all processes and how they are found."""
    del request
    told = await _told(_sessions)
    return {"status": UNHEALTHY, **_heading(told), **told}


@router.get("/health/sessions/performance", response=shapes.Performance)
async def performance(request: HttpRequest) -> dict[str, Any]:
    """Return what persistent sessions take and save, measured against control."""
    del request
    told = await _told(_performance)
    return {**_heading(told), **told}


@router.get("/sessions/analytics", response=shapes.Analytics)
async def analytics(request: HttpRequest) -> dict[str, Any]:
    """Return how much is said here and how long that takes."""
    del request
    told = await _told(_analytics)
    return {**_heading(told), **told}


async def _told(tell: Callable[[Figures], dict[str, Any]]) -> dict[str, Any]:
    """Return what the database has to tell; nothing when it does not answer."""
    try:
        return await asides.read(partial(_tell, tell))
    except (Error, TimeoutError) as error:
        log.warning("monitoring.no_database", error=type(error).__name__)
        return {}


async def _system() -> dict[str, Any]:
    """Return the machine's numbers; nothing while its disk hangs."""
    try:
        return await asides.look(sections.system)
    except TimeoutError:
        return {}


def _tell(tell: Callable[[Figures], dict[str, Any]]) -> dict[str, Any]:
    return tell(Figures(timezone.now()))


def _heading(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "timestamp": sections.moment(timezone.now()),
        "database_status": "connected" if told else "disconnected",
    }


def _checks(found: Iterable[Finding]) -> dict[str, Any]:
    return {finding.name: asdict(finding) for finding in found}


def _what_is_stored(figures: Figures) -> dict[str, Any]:
    return {
        "database": {"status": "connected", "connection_test": "passed"},
        "environment": {"persistent_sessions_enabled": figures.is_persistent_enabled},
        "sessions": sections.conversations(figures),
        "errors": sections.errors(figures),
    }


def _sessions(figures: Figures) -> dict[str, Any]:
    management = sections.session_management(figures)
    return {
        "status": sections.worst(management),
        "session_management": management,
        "performance_metrics": sections.session_performance(figures),
    }


def _performance(figures: Figures) -> dict[str, Any]:
    return {
        "performance_summary": sections.performance_summary(figures),
        "optimization_insights": insights.sentences(figures),
        "estimated_improvements": {
            "token_usage_reduction_percent": figures.reduction_percent,
            "response_time_improvement_percent": figures.improvement_percent,
        },
    }


def _analytics(figures: Figures) -> dict[str, Any]:
    operations = sections.operations(figures)
    return {
        "session_metrics": {
            **sections.conversations(figures),
            "session_operations_count": operations["create_session"]["count"],
            "message_operations_count": figures.day.count,
            "last_activity": sections.moment(figures.newcomers.last_activity),
        },
        "operation_performance": operations,
    }
