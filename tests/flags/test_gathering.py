"""What a tick sees, and what becomes of what it can't see."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn

import pytest

from flags import (
    changes,
    gathering,
    observations,
    orders,
    replaying,
    rollouts,
    windows,
)
from flags.conf import PERCENT, USE
from flags.gates.knowledge import Sighting
from flags.judging import Arms
from flags.models import Rollout
from flags.plans import Success
from flags.situation import Move, State
from monitoring import health, slis
from tests.chat import stored
from tests.chat.observed import NOON, ended
from tests.flags import ordering, ramping
from tests.flags.ordering import LATER

pytestmark = pytest.mark.django_db

_TICK = timedelta(seconds=30)


def _broken(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("It is broken.")


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (health, "report"),
        (slis, "read"),
        (windows, "ingest"),
        (windows, "correct"),
        (observations, "source"),
    ],
)
def test_what_breaks_while_it_looks_does_not_stop_the_other_gates(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    rollout = ordering.placed(State.RAMPING)
    monkeypatch.setattr(where, name, _broken)
    stored.put(**{USE.name: False, PERCENT.name: 20})

    decision = rollouts.tick(LATER)

    assert decision is not None
    assert decision.action == Move.ROLL_BACK
    rollout.refresh_from_db()
    assert rollout.state == State.ROLLING_BACK


def test_who_can_not_count_the_windows_has_not_looked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = ordering.placed(State.RAMPING, ticked_at=NOON)
    monkeypatch.setattr(windows, "ingest", _broken)

    decision = rollouts.tick(LATER)

    assert decision is not None
    rollout.refresh_from_db()
    assert rollout.ticked_at == NOON


def test_a_setting_that_breaks_the_percent_does_not_stop_a_rollback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ordering.placed(State.RAMPING)
    monkeypatch.setattr(changes, "apply", _broken)

    orders.roll_back(Rollout.objects.get(), ordering.WHY, now=LATER)

    assert gathering.flag_percent() == 0


def test_limits_that_the_settings_refuse_hold_it_and_stop_no_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = ordering.placed(State.RAMPING)
    stored.put(MAX_PERSISTENT_SESSIONS=500, CLEANUP_BATCH_SIZE=400)
    monkeypatch.setattr(
        gathering, "sight", lambda now: Sighting(at=now, memory_percent=97.0)
    )

    made = [rollouts.tick(LATER + each * _TICK) for each in range(5)]

    said = [each for each in made if each and "could not be limited" in each.sentence]
    assert [each.action for each in said] == [Move.NONE] * 3  # it is held already
    assert "CLEANUP_BATCH_SIZE (400)" in said[0].sentence
    rollout.refresh_from_db()
    assert rollout.state == State.HELD


def test_it_is_behind_when_its_windows_are_of_a_clock_that_was_ahead() -> None:
    rollout = ordering.placed(State.RAMPING, counted_until=LATER + timedelta(days=1))

    assert not gathering.gather(rollout, LATER).situation.is_caught_up


def test_a_straggler_after_a_rollback_does_not_keep_it_open_for_ever() -> None:
    since = LATER - timedelta(minutes=1)
    rollout = ordering.placed(State.ROLLING_BACK, state_since=since)
    ended(
        stored.conversation(),
        since + timedelta(seconds=10),
        variant="on",
        variant_reason="SPLIT",
        strategy="history",
    )

    made = [_action(LATER + each * _TICK) for each in range(4)]

    assert made == ["escalate", "none", "confirm", ""]
    rollout.refresh_from_db()
    assert rollout.state == Rollout.State.ROLLED_BACK


def _action(now: datetime) -> str:
    decision = rollouts.tick(now)
    return decision.action if decision else ""


def test_few_sessions_that_somebody_set_are_no_answer_to_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rollout = ordering.placed(State.RAMPING)
    stored.put(MAX_PERSISTENT_SESSIONS=100, PERSISTENT_SESSION_TIMEOUT=900)
    used = [85.0]
    monkeypatch.setattr(
        gathering, "sight", lambda now: Sighting(at=now, memory_percent=used[0])
    )

    def read(now: datetime) -> str:
        found = gathering.gather(rollout, now).readings
        return next(str(each["verdict"]) for each in found if each["key"] == "memory")

    assert read(LATER) == "pass"  # above 80 %, but never above 90 %
    used[0] = 95.0
    made = [_action(LATER + each * _TICK) for each in range(4)]
    assert made.count("limit_sessions") == 1
    used[0] = 85.0
    assert read(LATER + 4 * _TICK) == "fail"


def test_a_look_that_can_not_be_taken_widens_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    success = Success(key="few", metric="error_ratio", threshold=0.9, is_above=False)
    phases = tuple(
        replace(each, success=(success,), looks=(0.5, 1.0))
        for each in ramping.SHORT.phases
    )
    ramping.started(replace(ramping.SHORT, phases=phases))
    people = ramping.People()
    ramping.pass_time(people, minutes=4)
    arms = gathering._arms

    def only_recent(rollout: Rollout, begin: datetime, end: datetime) -> Arms:
        if end - begin != timedelta(minutes=10):
            _broken()
        return arms(rollout, begin, end)

    four = NOON + timedelta(minutes=4)
    with monkeypatch.context() as blind:
        blind.setattr(gathering, "_arms", only_recent)
        made = ramping.pass_time(people, minutes=4, since=four)
    assert ramping.moves(made) == [("hold", Decimal(20))]
    assert "could not be read" in made[-1].sentence

    made = ramping.pass_time(people, minutes=1, since=four + timedelta(minutes=4))
    assert ramping.moves(made)[0] == ("advance", Decimal(50))
    assert list(replaying.replay(Rollout.objects.get())) == []
