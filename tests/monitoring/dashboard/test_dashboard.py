"""What the dashboard says, held against the raw rows."""

import re
import statistics
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Generation
from monitoring.dashboard import headline, ranges
from monitoring.dashboard.points import Points
from monitoring.history import state
from monitoring.history.names import PULSE
from monitoring.models import Alert, CheckResult, Incident, Point
from tests.monitoring.dashboard import days

RANGES = ["1h", "24h", "7d", "30d"]
MOST_QUERIES = 25


def _words(response: Any) -> str:
    """Return what a person reads on the page, in one line."""
    page = response.content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    text = unescape(re.sub(r"<[^>]+>", " ", main)).replace("\u00a0", " ")
    return re.sub(r"\s+", " ", text)


def _panel(response: Any, key: str) -> str:
    """Return the sentence of a panel."""
    page = response.content.decode()
    found = re.search(rf'id="panel-{key}".*?</h3>\s*<p>(.*?)</p>', page, re.DOTALL)
    assert found, key
    return unescape(found[1]).replace("\u00a0", " ")


def _turns(begin: datetime, end: datetime) -> list[Generation]:
    return list(Generation.objects.filter(created_at__gte=begin, created_at__lt=end))


# --- An empty site --------------------------------------------------------------------


@pytest.mark.parametrize("key", RANGES)
def test_an_empty_site_has_no_data_and_no_zeros(
    show: Callable[..., Any], key: str
) -> None:
    page = show(range=key)

    words = _words(page)
    assert page.status_code == 200
    assert words.count("no data") > 25
    assert not re.search(r"\b0 %", words)
    assert "NaN" not in words
    assert "Nothing has been recorded yet" in words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("back", "told"), [(timedelta(days=2), "0"), (timedelta(0), "no data")]
)
def test_no_turn_is_none_only_while_tracking_was_on(back: timedelta, told: str) -> None:
    now = timezone.now()
    window = ranges.window(ranges.DAY, now)
    Point.objects.create(
        step_s=3600, begin=window.begin, name=PULSE, count=60, total=60.0
    )
    state.put(turns_from=now - back)

    turns, *_ = headline.of(Points(window))

    assert (turns.label, turns.value) == ("Turns", told)


def test_what_became_of_sessions_is_counted(
    now: datetime, show: Callable[..., Any]
) -> None:
    begin = ranges.window(ranges.DAY, now).begin
    for label, count in (("expired", 1200), ("evicted", 3), ("hit", 9)):
        Point.objects.create(
            step_s=3600,
            begin=begin,
            name="session_operations",
            label=label,
            count=count,
            total=count,
        )

    words = _words(show(range="24h"))

    assert "expired, unused for too long 1,200 evicted to make room 3" in words


def test_an_unknown_range_is_told(show: Callable[..., Any]) -> None:
    page = show(range="<5 years>")

    assert page.status_code == 400
    assert "There is no range “<5 years>”" in _words(page)
    assert "<5 years>" not in page.content.decode()


# --- The same figures as the rows -----------------------------------------------------


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The moment at which the page is looked at, however long a test takes."""
    moment = timezone.now()
    clock = SimpleNamespace(now=lambda: moment)
    monkeypatch.setattr("monitoring.dashboard.pages.timezone", clock)
    return moment


@pytest.fixture
def busy(db: None, now: datetime) -> datetime:
    """Two days of traffic until now."""
    days.fill(now, days=2, turns_a_day=1_200)
    return now


def test_a_day_is_told_as_the_rows_have_it(
    busy: datetime, show: Callable[..., Any]
) -> None:
    page = show(range="24h")

    window = ranges.window(ranges.DAY, busy)
    turns = _turns(window.begin, window.end)
    statuses = Counter(turn.status for turn in turns)
    assert f"{len(turns):,} turns ended" in _panel(page, "turns")
    assert f"{statuses['complete']:,} complete" in _panel(page, "turns")
    failed = [turn for turn in turns if turn.error_code]
    assert f"{len(failed):,} of {len(turns):,} turns failed" in _panel(
        page, "error-share"
    )
    codes = Counter(turn.error_code for turn in failed)
    told = re.search(r" is (\w+): ([\d,]+) turns", _panel(page, "error-codes"))
    assert told
    # Several may be as frequent.
    assert codes[told[1]] == int(told[2].replace(",", "")) == max(codes.values())
    looked = [t for t in turns if t.session_outcome not in {"", "created"}]
    hits = sum(turn.session_outcome == "hit" for turn in looked)
    assert f"{hits:,} of {len(looked):,} persistent turns" in _panel(page, "hits")


def test_percentiles_of_a_day_are_those_of_the_rows(
    busy: datetime, show: Callable[..., Any]
) -> None:
    page = show(range="24h")

    window = ranges.window(ranges.DAY, busy)
    times = [turn.duration_ms for turn in _turns(window.begin, window.end)]
    cuts = statistics.quantiles([t for t in times if t], n=100, method="inclusive")
    told = re.findall(r"([\d,.]+) (ms|s)", _panel(page, "answers"))
    values = [float(n.replace(",", "")) * {"ms": 1, "s": 1000}[u] for n, u in told]
    assert values == pytest.approx([cuts[49], cuts[94], cuts[98]], rel=0.015)


def test_the_hour_at_the_top_is_exact(busy: datetime, show: Callable[..., Any]) -> None:
    page = show(range="1h")

    turns = _turns(busy - timedelta(hours=1), busy)
    times = [turn.duration_ms for turn in turns if turn.duration_ms is not None]
    p95 = statistics.quantiles(times, n=100, method="inclusive")[94]
    figures = re.search(r'<dl class="figures">(.*?)</dl>', page.content.decode(), re.S)
    assert figures
    words = re.sub(r"<[^>]+>|\s+", " ", unescape(figures[1])).replace("\u00a0", " ")
    assert f"{len(turns):,}" in words
    shown = f"{p95:,.0f} ms" if p95 < 10_000 else f"{p95 / 1000:,.1f} s"
    assert shown in words


def test_variants_stand_side_by_side(busy: datetime, show: Callable[..., Any]) -> None:
    page = show(range="24h")

    window = ranges.window(ranges.DAY, busy)
    for variant in ("on", "off"):
        billed = [
            turn.prompt_tokens - 0.9 * (turn.cached_tokens or 0)
            for turn in _turns(window.begin, window.end)
            if turn.variant == variant and turn.prompt_tokens is not None
        ]
        assert f"{statistics.fmean(billed):,.0f}" in _panel(page, "tokens")


def test_a_variant_that_nobody_has_is_no_data(
    db: None, show: Callable[..., Any]
) -> None:
    now = timezone.now()
    Point.objects.create(
        step_s=60,
        begin=now.replace(second=0, microsecond=0) - timedelta(minutes=3),
        name="billed_tokens",
        label="on",
        count=4,
        total=2000,
    )

    page = show()

    assert "A turn took: 500 in treatment, no data in control." in _panel(
        page, "tokens"
    )


# --- Now ------------------------------------------------------------------------------


def test_what_is_wrong_now_stands_at_the_top(
    db: None, show: Callable[..., Any]
) -> None:
    days.trouble(timezone.now())
    CheckResult.objects.create(
        name="disk", status="unhealthy", sentence="It is full.", took_ms=1
    )

    words = _words(show())

    assert "disk is unhealthy: It is full." in words
    assert words.index("high-error-rate") < words.index("slow-answers")
    assert "Many answers fail with GEMINI_TIMEOUT" in words


def test_an_old_check_says_nothing_of_now(db: None, show: Callable[..., Any]) -> None:
    CheckResult.objects.create(
        name="disk",
        status="healthy",
        sentence="Fine.",
        took_ms=1,
        at=timezone.now() - timedelta(minutes=16),
    )

    assert "no data: no check has run in the last 15 minutes" in _words(show())


def test_a_recorder_that_stands_still_is_told(
    db: None, show: Callable[..., Any]
) -> None:
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    Point.objects.create(
        step_s=60, begin=at, name="memory_percent", count=1, total=50, low=50, high=50
    )

    assert "Nothing has been recorded since 2 Jan, 03:04 UTC" in _words(show())


def test_hostile_names_stay_names(db: None, show: Callable[..., Any]) -> None:
    hostile = "<script>alert(1)</script>"
    at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    for name in ("errors", "turns", "cost_usd", "session_found"):
        Point.objects.create(
            step_s=60, begin=at, name=name, label=hostile, count=1, total=1
        )
    Alert.objects.create(name=hostile, severity="info", state="firing", summary=hostile)
    Incident.objects.create(title=hostile, opened_by="x", started_at=at)
    CheckResult.objects.create(
        name=hostile, status="degraded", sentence=hostile, took_ms=1
    )

    page = show()

    assert page.status_code == 200
    assert hostile not in page.content.decode()


# --- Bounded --------------------------------------------------------------------------


@pytest.mark.parametrize("key", RANGES)
def test_a_page_takes_few_queries_and_reads_no_messages(
    busy: datetime, show: Callable[..., Any], key: str
) -> None:
    days.trouble(busy)

    with CaptureQueriesContext(connection) as queries:
        page = show(range=key)

    assert page.status_code == 200
    assert len(queries) <= MOST_QUERIES, [each["sql"][:150] for each in queries]
    assert not [each for each in queries if "chat_message" in each["sql"]]


def test_every_step_leads_to_its_turns(
    busy: datetime, show: Callable[..., Any]
) -> None:
    page = show(range="24h").content.decode()

    links = re.findall(r'href="(/admin/chat/generation/turns/\?[^"]+)"', page)
    assert len(links) > 24
    assert any("slower_than_ms=" in link for link in links)
    assert any("error=GEMINI" in link for link in links)
