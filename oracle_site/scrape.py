"""`/metrics`, for whoever may read the monitoring endpoints."""

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from chat import problems
from chat.errors import ChatError, DatabaseBusy
from monitoring import asides
from oracle_site import monitors


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus's text format; 503 while the database is away."""
    from monitoring import exposition

    try:
        await monitors.require(request)
        text = await asides.read(exposition.text)
    except ChatError as error:
        return problems.response(request, error)
    except (Error, TimeoutError):
        return problems.response(request, DatabaseBusy())
    return HttpResponse(
        text,
        content_type=exposition.CONTENT_TYPE,
        headers={"Cache-Control": "no-store"},
    )
