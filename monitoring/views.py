"""What monitoring answers to anybody."""

import asyncio
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from monitoring import asides
from monitoring import health as health_checks
from monitoring.registry import UNHEALTHY


@require_safe
async def health(request: HttpRequest) -> JsonResponse:
    """Say whether the service works: 200 while it does, 503 while it does not."""
    del request
    try:
        report = await asides.read_health(health_checks.report)
    except TimeoutError:
        report = health_checks.report_of_silence()
    return _answer(report, is_good=report["status"] != UNHEALTHY)


@require_safe
async def livez(request: HttpRequest) -> JsonResponse:
    """Say that this process runs; it asks nobody."""
    del request
    return _answer(health_checks.alive(), is_good=True)


@require_safe
async def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether this process should get traffic: 503, with the reasons, if not."""
    del request
    report = await asyncio.to_thread(health_checks.ready)
    return _answer(report, is_good=not report["reasons"])


def _answer(report: dict[str, Any], *, is_good: bool) -> JsonResponse:
    status = 200 if is_good else 503
    return JsonResponse(report, status=status, headers={"Cache-Control": "no-store"})
