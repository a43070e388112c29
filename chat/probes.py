"""What chat tells monitoring."""

from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import Error
from django.utils import timezone

from chat import conf, gauges, gemini, registrations, turns_list
from chat.facts import ChatFacts
from chat.models import Conversation, Generation
from chat.observations import ChatObservations
from chat.observations_past import ChatPast
from flags import evaluation, observations, past
from monitoring import drilldown, facts, metrics, registry
from monitoring.drilldown import TurnsPage
from monitoring.registry import DEGRADED, HEALTHY, Health, Service

_ACTIVE_FOR = timedelta(hours=1)
_RECENT = timedelta(minutes=10)
_OUTAGES = {"GEMINI_API_ERROR", "GEMINI_TIMEOUT"}
_were_enabled = False


def _gemini() -> Service:
    """A model that is away degrades us: no restart of ours would bring it back."""
    state = gemini.model().describe()
    if not state.is_configured:
        return Service("not_configured", "degraded")
    is_resting = state.breaker != "closed"
    return Service("configured", "degraded" if is_resting else "healthy")


def _persistent_sessions() -> Service:
    """Tell whether anybody may get one, by the flag as it is now."""
    global _were_enabled  # noqa: PLW0603 - what to say while the database is away
    with suppress(Error):
        _were_enabled = evaluation.reaches_anybody(conf.FLAG)
    return Service("enabled" if _were_enabled else "disabled")


def _model() -> Health:
    """Judge the model by the breaker here and by everybody's last answers; no call."""
    state = gemini.model().describe()
    if not state.is_configured:
        return Health(DEGRADED, "GEMINI_API_KEY is not set, so nothing is answered.")
    if state.breaker != "closed":
        return Health(DEGRADED, "It failed so often that this process lets it rest.")
    newest = Generation.objects.filter(
        created_at__gte=timezone.now() - _RECENT, ended_at__isnull=False
    ).order_by("-created_at")
    codes = list(
        newest.values_list("error_code", flat=True)[: settings.GEMINI_BREAKER_FAILURES]
    )
    is_full = len(codes) == settings.GEMINI_BREAKER_FAILURES
    if is_full and set(codes) <= _OUTAGES:
        return Health(DEGRADED, f"The last {len(codes)} answers failed upstream.")
    return Health(HEALTHY, "It is not known to be in trouble.")


def _pool() -> Health:
    """Judge by how near the live sessions are to the share that closes some."""
    count, maximum = registrations.count(), conf.MAX_SESSIONS.get()
    is_near = count >= maximum * conf.EMERGENCY_THRESHOLD.get()
    share = f"{100 * count / maximum:.0f} %"
    sentence = f"{count} of {maximum} sessions are live ({share})."
    return Health(DEGRADED if is_near else HEALTHY, sentence)


def _active_sessions() -> int:
    """Conversations in which somebody said something within the last hour."""
    since = timezone.now() - _ACTIVE_FOR
    return Conversation.objects.filter(updated_at__gte=since).count()


def _total(name: str) -> int:
    """Return a total that is counted from the first row on, so 0 where none is."""
    return metrics.totals(name)[name] or 0


facts.register(ChatFacts())
observations.register(ChatObservations())
past.register(ChatPast())
drilldown.register(TurnsPage("chat.view_generation", turns_list.address))
gauges.register()
registry.register_service("gemini_api", _gemini)
registry.register_service("persistent_sessions", _persistent_sessions)
registry.register_probe("model", _model)
registry.register_probe("session_pool", _pool)
registry.register_gauge("total_sessions", lambda: _total("sessions"))
registry.register_gauge("active_sessions", _active_sessions)
registry.register_gauge("total_messages", lambda: _total("messages"))
registry.register_gauge("persistent_sessions_active", registrations.count)
for _switch in (conf.ALERT_ON_RECOVERIES, conf.ALERT_ON_MISSES):
    registry.register_switch(_switch.name, _switch.get)
