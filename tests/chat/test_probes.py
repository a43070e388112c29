"""What chat tells monitoring of persistent sessions: measured, never assumed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from django.conf import LazySettings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat import gemini
from chat.errors import GeminiTimeout
from chat.facts import ChatFacts
from flags import changes
from flags.changes import Actor
from flags.models import Change, Flag
from monitoring import registry, slis
from monitoring.registry import Ratio
from tests import clients, servers
from tests.chat import persistent, stored
from tests.chat.stored import ELSEWHERE

_HOUR = timedelta(hours=1)
_OPERATOR = Actor("olga", Change.Channel.COMMAND)
_RATIOS = (slis.exposure, slis.session_hits, slis.session_recoveries)


def _turns(*outcomes: str, variant: str = "on", age_s: float = 0, **more: str) -> None:
    """Add ended turns of one conversation with these outcomes."""
    of = stored.conversation()
    for outcome in outcomes:
        answer = stored.turn(of)
        answer.generations.update(
            variant=variant,
            session_outcome=outcome,
            strategy="stateless" if outcome in {"", "stateless"} else "history",
            created_at=timezone.now() - timedelta(seconds=age_s),
            **more,
        )


def _word() -> str:
    return registry.services()["persistent_sessions"].word


@pytest.mark.django_db
@pytest.mark.parametrize("read", _RATIOS)
def test_where_nothing_happened_there_is_no_share(
    read: Callable[[timedelta], Ratio],
) -> None:
    found = read(_HOUR)

    assert (found.good, found.valid) == (0, 0)
    assert found.value is None


@pytest.mark.django_db
def test_exposure_is_the_share_of_turns_that_a_session_served() -> None:
    _turns("created", "hit", "topped_up", "recovered", "stateless")
    _turns("", "", "", variant="off")

    assert slis.exposure(_HOUR) == Ratio(4, 8)
    assert slis.exposure(_HOUR).value == 0.5


@pytest.mark.django_db
def test_hits_and_recoveries_are_shares_of_the_treatment_without_first_turns() -> None:
    _turns("created", "hit", "hit", "topped_up", "recovered", "stateless")
    _turns("", "", variant="off")

    assert slis.session_hits(_HOUR) == Ratio(2, 5)
    assert slis.session_recoveries(_HOUR) == Ratio(1, 5)


@pytest.mark.django_db
def test_a_turn_that_died_before_it_looked_is_no_miss_anywhere() -> None:
    _turns("hit", "recovered", "", "")

    told = ChatFacts().session_turns(since=timezone.now() - _HOUR)

    assert slis.session_hits(_HOUR) == Ratio(told.hit, told.valid) == Ratio(1, 2)
    assert slis.session_recoveries(_HOUR) == Ratio(told.recovered, told.valid)


@pytest.mark.django_db
def test_first_turns_alone_say_nothing_about_hits() -> None:
    _turns("created")

    assert slis.session_hits(_HOUR).value is None
    assert slis.exposure(_HOUR).value == 1


@pytest.mark.django_db
@pytest.mark.parametrize("read", _RATIOS)
def test_only_turns_of_the_window_count(read: Callable[[timedelta], Ratio]) -> None:
    _turns("recovered", "hit", age_s=3700)
    _turns("stateless", age_s=3500)

    assert (read(_HOUR).good, read(_HOUR).valid) == (0, 1)
    assert read(2 * _HOUR).valid == 3


@pytest.mark.django_db
@pytest.mark.parametrize("read", _RATIOS)
def test_a_turn_that_still_runs_does_not_count(
    read: Callable[[timedelta], Ratio],
) -> None:
    answer = stored.turn(stored.conversation(), status="pending")
    answer.generations.update(variant="on", strategy="history")

    assert read(_HOUR).valid == 0


@pytest.mark.django_db
@pytest.mark.parametrize("read", _RATIOS)
def test_a_share_is_read_in_one_query(
    read: Callable[[timedelta], Ratio],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        read(_HOUR)


@pytest.mark.django_db
def test_live_sessions_are_counted_over_all_processes() -> None:
    for number in range(3):
        stored.registered(process=ELSEWHERE.format(number))

    gauges = registry.gauges(has_database=True)

    assert gauges["persistent_sessions_active"] == 3


@pytest.mark.django_db
def test_the_word_of_health_follows_the_flag_at_once() -> None:
    words = [_word()]
    for percent in (10, 0, 100):
        wanted = changes.set_percent(percent)
        changes.apply(wanted, actor=_OPERATOR, reason="A test.")
        words.append(_word())
    changes.kill(actor=_OPERATOR)
    words.append(_word())

    assert words == ["disabled", "enabled", "disabled", "enabled", "disabled"]


@pytest.mark.django_db
def test_without_its_row_the_flag_is_called_disabled() -> None:
    stored.roll_out(100)
    Flag.objects.all().delete()

    assert _word() == "disabled"


@pytest.fixture(scope="module")
def rolled_out_site(
    local_gemini: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Site]:
    """A site for everybody, whose database a test may ruin."""
    folder = tmp_path_factory.mktemp("rolled-out")
    with persistent.site(folder, gemini_url=local_gemini, workers=2) as running:
        yield running


def _words(site: servers.Site) -> list[str]:
    """Return the word of each web process."""
    words = []
    for pid in site.worker_pids():
        with clients.on_worker(site.url, pid) as api:
            health = api.http.get("/health").json()
            words.append(health["services"]["persistent_sessions"])
    return words


def test_every_process_says_the_same_and_stays_with_it_without_the_database(
    rolled_out_site: servers.Site,
) -> None:
    site = rolled_out_site
    assert _words(site) == ["enabled"] * 2
    site.manage("rollout", "kill", "--reason", "a test")
    assert _words(site) == ["disabled"] * 2
    site.manage("rollout", "percent", "5", "--enable", "--reason", "a test")
    assert _words(site) == ["enabled"] * 2

    _ruin(site.data_dir)

    health = httpx2.get(f"{site.url}/health").json()
    assert health["services"]["database"] == "disconnected"
    assert health["services"]["persistent_sessions"] == "enabled"
    assert health["session_metrics"]["persistent_sessions_active"] is None


def _ruin(data_dir: Path) -> None:
    for path in data_dir.glob("oracle.sqlite3*"):
        path.write_bytes(b"ruined" * 10_000)


def _model() -> registry.Health:
    return registry.probe("model").check()


@pytest.fixture
def _key(settings: LazySettings) -> Iterator[None]:
    """A model that is set up and never called."""
    settings.GEMINI_API_KEY = "a key"
    gemini.model.cache_clear()
    yield
    gemini.model.cache_clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(
    ("codes", "status"),
    [
        ([], "healthy"),
        (["GEMINI_API_ERROR"] * 4, "healthy"),
        (["GEMINI_API_ERROR"] * 4 + ["GEMINI_TIMEOUT"], "degraded"),
        (["GEMINI_API_ERROR"] * 9 + [""], "healthy"),
        (["RESPONSE_BLOCKED"] * 9, "healthy"),
        ([""] + ["GEMINI_TIMEOUT"] * 5, "degraded"),
    ],
)
def test_a_model_is_judged_by_the_newest_answers_of_every_process(
    codes: list[str], status: str
) -> None:
    for number, code in enumerate(codes):
        _turns("", variant="off", age_s=60 - number, error_code=code)

    assert _model().status == status


@pytest.mark.django_db
@pytest.mark.usefixtures("_key")
def test_failures_of_long_ago_say_nothing_about_the_model_now() -> None:
    _turns(*[""] * 5, variant="off", age_s=700, error_code="GEMINI_TIMEOUT")

    assert _model().status == "healthy"


@pytest.mark.django_db
@pytest.mark.usefixtures("_key")
def test_a_model_that_this_process_lets_rest_is_degraded() -> None:
    for _ in range(5):
        with (
            pytest.raises(GeminiTimeout),
            gemini.model().breaker.passage(),
        ):
            raise GeminiTimeout

    health = _model()

    assert health.status == "degraded"
    assert "lets it rest" in health.sentence


@pytest.mark.django_db
def test_a_model_without_a_key_is_degraded(settings: LazySettings) -> None:
    settings.GEMINI_API_KEY = ""
    gemini.model.cache_clear()

    assert _model().status == "degraded"
    gemini.model.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("count", "status"), [(0, "healthy"), (18, "healthy"), (19, "degraded")]
)
def test_the_pool_is_judged_by_its_share_of_the_maximum(
    count: int, status: str
) -> None:
    stored.put(MAX_PERSISTENT_SESSIONS=20, CLEANUP_BATCH_SIZE=5)
    for number in range(count):
        stored.registered(process=ELSEWHERE.format(number))

    health = registry.probe("session_pool").check()

    assert health.status == status
    assert health.sentence == f"{count} of 20 sessions are live ({5 * count} %)."
