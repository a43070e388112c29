"""`manage.py rollout tick`: what it foresees is what it does."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from flags.models import Rollout, RolloutPlan
from flags.situation import State
from tests.flags.commands import refusal, run, run_json
from tests.flags.ordering import placed, ramped

pytestmark = pytest.mark.django_db


def test_one_that_is_watched_no_longer_is_not_looked_at() -> None:
    placed(State.COMPLETED)
    Rollout.objects.update(ended_at=timezone.now() - timedelta(days=8))

    assert run_json("rollout", "tick", "--dry-run")["decision"] is None
    assert run_json("rollout", "tick")["decision"] is None


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--json",)])
def test_where_no_gate_can_be_asked_it_does_not_say_that_all_is_well(
    options: tuple[str, ...],
) -> None:
    ramped()
    body = RolloutPlan.objects.get(name="short").body | {"quantum_gates": []}
    QuerySet.update(RolloutPlan.objects.all(), body=body)

    why = refusal("rollout", "tick", *options)

    assert "This release can't read the plan short@1" in why


def test_a_plan_that_can_not_be_read_can_not_be_played_again() -> None:
    ramped()
    run("rollout", "tick")
    body = RolloutPlan.objects.get(name="short").body | {"quantum_gates": []}
    QuerySet.update(RolloutPlan.objects.all(), body=body)

    assert "This release can't read the plan" in refusal("rollout", "replay")
