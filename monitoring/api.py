"""The endpoints of monitoring; whoever mounts them says who may ask."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from monitoring import health, sections

router = Router(tags=["monitoring"])


@router.get("/health/detailed")
def detailed(request: HttpRequest) -> dict[str, Any]:
    """Return the state of the service, its host, its store and its errors."""
    del request
    report = health.report()
    return {
        "status": report["status"],
        "timestamp": report["timestamp"],
        "version": report["version"],
        "system": sections.system(),
        "database": sections.database(),
        "environment": sections.environment(),
        "sessions": sections.conversations(),
        "errors": sections.errors(),
    }


@router.get("/health/sessions")
def sessions(request: HttpRequest) -> dict[str, Any]:
    """Return the live Gemini sessions of all processes and how they are found."""
    del request
    management = sections.session_management()
    return {
        "status": sections.worst(management),
        **sections.heading(),
        "session_management": management,
        "performance_metrics": sections.session_performance(),
    }


@router.get("/health/sessions/performance")
def performance(request: HttpRequest) -> dict[str, Any]:
    """Return what persistent sessions take and save, measured against control."""
    del request
    return {
        **sections.heading(),
        "performance_summary": sections.performance_summary(),
        "optimization_insights": sections.insights(),
        "estimated_improvements": {
            "token_usage_reduction_percent": sections.reduction_percent(),
            "response_time_improvement_percent": sections.improvement_percent(),
        },
    }


@router.get("/sessions/analytics")
def analytics(request: HttpRequest) -> dict[str, Any]:
    """Return how much is said here and how long that takes."""
    del request
    operations = sections.operations()
    return {
        **sections.heading(),
        "session_metrics": {
            **sections.conversations(),
            "session_operations_count": operations["create_session"]["count"],
            "message_operations_count": operations["send_message"]["count"],
        },
        "operation_performance": operations,
    }
