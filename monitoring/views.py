"""What monitoring answers."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from monitoring import health as health_checks


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Say whether the service works: 200 while it does, 503 while it does not."""
    del request
    report = health_checks.report()
    status = 503 if report["status"] == "unhealthy" else 200
    return JsonResponse(report, status=status, headers={"Cache-Control": "no-store"})
