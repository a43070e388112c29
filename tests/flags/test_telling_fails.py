"""Trouble with the telling, made by the database itself, stops no decision."""

from collections.abc import Iterator

import pytest
from django.db import connection

from flags import changes, decisions, gathering, orders, rollouts
from flags.models import Rollout
from flags.situation import State
from monitoring.models import Alert
from tests.flags.ordering import LATER, WHY, last, placed
from tests.flags.ramping import ALICE

pytestmark = pytest.mark.django_db(transaction=True)

_SQLITE = """
CREATE TRIGGER in_trouble BEFORE INSERT ON monitoring_alert
BEGIN SELECT RAISE({how}, 'no alert today'); END
"""
_POSTGRESQL = """
CREATE FUNCTION in_trouble() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN {how}; RETURN NEW; END $$;
CREATE TRIGGER in_trouble BEFORE INSERT ON monitoring_alert
FOR EACH ROW EXECUTE FUNCTION in_trouble();
"""
_OVER = {
    "sqlite": "DROP TRIGGER in_trouble",
    "postgresql": "DROP FUNCTION in_trouble CASCADE",
}
_REFUSED = {"sqlite": "ABORT", "postgresql": "RAISE 'no alert today'"}
# All that the transaction did is lost with it.
_UNDONE = {
    "sqlite": "ROLLBACK",
    "postgresql": "PERFORM pg_terminate_backend(pg_backend_pid())",
}


@pytest.fixture(params=[_REFUSED, _UNDONE], ids=["refused", "undone"])
def trouble(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[None]:
    """Let no alert be opened."""
    del transactional_db
    made = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(made.format(how=request.param[connection.vendor]))
    yield
    with connection.cursor() as cursor:
        cursor.execute(_OVER[connection.vendor])


def _is_rolled_back(rollout: Rollout) -> bool:
    rollout.refresh_from_db()
    assert list(decisions.verify(rollout)) == []
    assert last(rollout).action == "roll_back"
    return rollout.state == State.ROLLING_BACK and gathering.flag_percent() == 0


@pytest.mark.usefixtures("trouble")
def test_a_person_s_rollback_is_carried_out() -> None:
    rollout = placed(State.RAMPING)

    answer = orders.roll_back(rollout, WHY, now=LATER)

    assert answer.is_new
    assert _is_rolled_back(rollout)
    assert not Alert.objects.exists()


@pytest.mark.usefixtures("trouble")
def test_a_tick_s_rollback_is_carried_out() -> None:
    rollout = placed(State.RAMPING)
    changes.kill(actor=ALICE)

    decision = rollouts.tick(LATER)

    assert decision is not None
    assert decision == last(rollout)
    assert _is_rolled_back(rollout)
