"""What chat tells monitoring."""

from datetime import timedelta

from django.utils import timezone

from chat import gemini
from chat.models import Conversation
from monitoring import metrics, registry
from monitoring.registry import Service

_ACTIVE_FOR = timedelta(hours=1)


def _gemini() -> Service:
    """A model that is away degrades us: no restart of ours would bring it back."""
    state = gemini.model().describe()
    if not state.is_configured:
        return Service("not_configured", "degraded")
    is_resting = state.breaker != "closed"
    return Service("configured", "degraded" if is_resting else "healthy")


def _active_sessions() -> int:
    """Conversations in which somebody said something within the last hour."""
    since = timezone.now() - _ACTIVE_FOR
    return Conversation.objects.filter(updated_at__gte=since).count()


def _total(name: str) -> int:
    """Return a total that is counted from the first row on, so 0 where none is."""
    return metrics.totals(name)[name] or 0


registry.register_service("gemini_api", _gemini)
registry.register_service("persistent_sessions", lambda: Service("disabled"))
registry.register_gauge("total_sessions", lambda: _total("sessions"))
registry.register_gauge("active_sessions", _active_sessions)
registry.register_gauge("total_messages", lambda: _total("messages"))
registry.register_gauge("persistent_sessions_active", lambda: 0)
