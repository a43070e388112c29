"""Success: the moment of the last look is known, and none tells before the next."""

from dataclasses import replace
from datetime import timedelta
from math import log

import pytest

from flags import plans
from flags.gates import success
from flags.gates.knowledge import Knowledge
from flags.gates.success import Facts
from flags.plans import HOUR_S
from tests.flags.gates.arms import arm, spread
from tests.flags.gates.test_success import BEGIN, SOONER

# A phase of a minute that asks for sooner answers.
_PLAN = replace(
    plans.GUIDE,
    phases=(replace(plans.GUIDE.phases[0], dwell_s=60, success=(SOONER,)),),
)


def _known(elapsed_s: int) -> Knowledge:
    """Take the first look, with 30 of treatment, who need a few more."""
    facts = Facts(
        phase_index=0,
        elapsed_s=elapsed_s,
        treatment=arm(30, log_latency=spread(30, log(1300))),
        control=arm(270, log_latency=spread(270, log(2000))),
        since=BEGIN,
    )
    return success.judge(Knowledge(), _PLAN, facts, look=0)


@pytest.mark.parametrize(
    ("elapsed_s", "left_s"), [(10, 5), (40, 5), (60, HOUR_S), (90, HOUR_S - 30)]
)
def test_what_is_missing_tells_at_the_next_look_and_not_before(
    elapsed_s: int, left_s: int
) -> None:
    [found] = success.readings(_known(elapsed_s), 0, BEGIN)

    assert found.needed_count
    soon_s = found.needed_count * elapsed_s / 30
    assert found.needed_s == max(soon_s, left_s)


def test_when_a_phase_was_judged_last_is_known() -> None:
    known = _known(12)

    judged = Knowledge.from_json(known.as_json()).judged

    assert judged
    assert judged.at == BEGIN + timedelta(seconds=12)
    assert judged == known.judged
