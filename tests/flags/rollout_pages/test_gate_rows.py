"""What the rollout's page says of its gates."""

from flags.readings import Kind, Reading, Verdict
from flags.rollout_pages import gate_rows


def _reading(key: str, verdict: Verdict, *, is_required: bool = True) -> Reading:
    return Reading(
        key=key,
        kind=Kind.SUCCESS,
        verdict=verdict,
        sentence="So it is.",
        is_required=is_required,
    )


def test_a_gate_that_is_only_shown_is_no_failure() -> None:
    found = gate_rows.firing(
        [
            _reading("few_errors", Verdict.FAIL),
            _reading("satisfied", Verdict.FAIL, is_required=False),
            _reading("sooner", Verdict.NO_DATA),
        ]
    )

    assert [row.label for row in found] == ["Few errors"]
