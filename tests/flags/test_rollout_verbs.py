"""`manage.py rollout` with a rollout under way: every verb as a person types it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flags import gathering, orders
from flags.models import Decision, Drill, Rollout
from flags.situation import State
from flags.verbs.table import VERBS
from tests.flags.commands import refusal, run, run_json
from tests.flags.ordering import BOBS, NEEDY, placed, ramped

pytestmark = pytest.mark.django_db
_WHY = ("--reason", "Because.")


def test_each_verb_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in VERBS:
        with pytest.raises(SystemExit):
            run("rollout", name, "--help")
        helped = capsys.readouterr().out
        assert "Exit codes: 0" in helped.replace("\n", " ") or name == "plan", name
        assert "--json" in helped or name == "plan", name


def test_a_rollout_is_started_by_its_plan_and_starting_again_changes_nothing() -> None:
    start = ("rollout", "start", "--plan", "guide", *_WHY)

    assert "rollout drill" in refusal(*start)
    foreseen = run(*start, "--without-drill", "--dry-run")
    assert not Rollout.objects.exists()
    told = run(*start, "--without-drill")
    again = run_json(*start)

    assert foreseen.endswith("Dry run: nothing was changed.\n")
    assert "by plan guide@1: armed at 0 %" in told
    assert (again["is_new"], again["rollout"]["state"]) == (False, "armed")
    assert Rollout.objects.count() == 1
    assert "There is no plan 'gide'; there are: guide@1" in refusal(
        "rollout", "start", "--plan", "gide", *_WHY
    )


def test_one_that_begins_later_says_when() -> None:
    Drill.objects.create(fault="errors=0.5", ended_at=timezone.now(), is_green=True)

    day = f"{timezone.now() + timedelta(days=30):%Y-%m-%d}"
    start = ("rollout", "start", "--plan", "guide@1", *_WHY, "--at")

    foreseen = run(*start, f"{day}T08:00", "--dry-run")
    told = run(*start, f"{day}T08:00")

    assert f"It would begin at the first look after {day} 08:00:00 UTC." in foreseen
    assert f"It begins at {day} 08:00:00 UTC." in told
    why = refusal(*start, "9999-12-31T23:59")
    assert "9999-12-31 is more than 365 days ahead" in why


def test_the_status_tells_of_the_rollout() -> None:
    rollout = ramped()
    orders.hold(rollout, BOBS, now=timezone.now())

    told = run("rollout", "status")
    found = run_json("rollout", "status")["rollout"]

    assert f"Rollout {rollout.pk} by plan short@1: held at 20 %, phase 1 of 3" in told
    assert "0 of 3 treatment conversations." in told
    assert "bob holds it: As we said." in told
    assert "by bob: As we said." in told
    assert (found["state"], found["phase"], found["is_stale"]) == ("held", 1, False)
    assert found["holds"][0]["by"] == "bob"


def test_the_time_of_one_that_is_over_stands_still() -> None:
    ramped()
    ended = timezone.now() - timedelta(days=3)
    begun = ended - timedelta(minutes=4)
    Rollout.objects.update(state="rolled_back", phase_since=begun, ended_at=ended)

    assert run_json("rollout", "status")["rollout"]["elapsed_s"] == 240


def test_a_status_says_that_nobody_looks_at_it() -> None:
    ramped()
    Rollout.objects.update(ticked_at=timezone.now() - timedelta(minutes=7))

    assert "Nobody has looked at it for 7 min" in run("rollout", "status")


@pytest.mark.parametrize(
    ("verb", "state", "percent", "would"),
    [
        ("pause", "paused", 20, "pause it"),
        ("hold", "held", 20, "hold it"),
        ("halve", "held", 10, "halve it: 20 → 10 %"),
        ("rollback", "rolling_back", 0, "roll it back: 20 → 0 %"),
    ],
)
def test_verbs_are_previewed_done_and_repeated(
    verb: str, state: str, percent: int, would: str
) -> None:
    ramped()
    shown = run_json("rollout", verb, "--dry-run")
    assert (shown["dry_run"], shown["state"]) == (True, state)
    assert shown["percent"] == percent
    assert not Decision.objects.exists()
    assert refusal("rollout", verb).endswith("(--reason)")
    foreseen = run("rollout", verb, "--dry-run")
    assert foreseen.splitlines()[0] == f"Would {would}."
    assert shown["sentence"] == f"Would {would}."

    told = run("rollout", verb, *_WHY)
    again = run("rollout", verb, *_WHY)

    assert "Because." in told
    assert "It is so already: nothing was changed.\n" in again
    assert ("--again halves it all the same." in again) == (verb == "halve")
    assert gathering.flag_percent() == percent
    assert Decision.objects.count() == 1
    assert run_json("rollout", verb, *_WHY)["decision"] is None


def test_an_advance_names_what_is_in_the_way_and_takes_it_by_name() -> None:
    ramped()
    shown = run("rollout", "advance", "--dry-run")
    why = refusal("rollout", "advance", *_WHY)

    assert shown.startswith("Would begin phase 2: 20 → 50 %.\n")
    assert "(--override-gate information)" in shown
    assert "needs 3 treatment conversations and has 0" in why
    keys = [
        each["key"]
        for each in run_json("rollout", "advance", "--dry-run")["obstacles"]
        if each["is_overridable"]
    ]
    overriding = [word for key in keys for word in ("--override-gate", key)]
    document = run_json("rollout", "advance", *overriding, "--to-phase", "2", *_WHY)

    assert document["decision"]["phase"] == 2
    assert gathering.flag_percent() == 50
    again = run("rollout", "advance", "--to-phase", "2", *_WHY)
    assert "Phase 2 has begun already." in again
    assert "--to-phase" not in again
    assert "--to-phase N says which phase" in run("rollout", "advance", *_WHY)


def test_a_hold_is_let_go_of_by_its_number() -> None:
    rollout = ramped()
    run("rollout", "hold", "--until", "2999-01-01T00:00", *_WHY)
    [hold] = rollout.holds.all()

    told = run("rollout", "release", "--hold", str(hold.pk), *_WHY)

    assert f"released hold {hold.pk} (Because.)" in told
    assert "is no moment" in refusal("rollout", "hold", "--until", "soon", *_WHY)


def test_a_pause_is_resumed() -> None:
    ramped()
    run("rollout", "pause", *_WHY)

    assert "resumed it" in run("rollout", "resume", *_WHY)
    assert "goes on already" in run("rollout", "resume", *_WHY)


def test_nobody_approves_their_own_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    placed(State.RAMPING, NEEDY)
    monkeypatch.setenv("LOGNAME", "alice")
    assert "asks for the approval of phase 2" in run(
        "rollout", "approve", "--request", *_WHY
    )
    assert "second person" in refusal("rollout", "approve")

    monkeypatch.setenv("LOGNAME", "bob")

    assert "bob approves phase 2" in run("rollout", "approve")
    assert "bob has approved phase 2 already" in run("rollout", "approve")


def test_what_is_not_possible_says_what_is() -> None:
    placed(State.ROLLED_BACK)

    why = refusal("rollout", "pause", *_WHY)

    assert "is rolled back at 0 %: pause is not possible there" in why
    assert "Possible: start, kill." in why


def test_without_a_rollout_the_verbs_say_how_to_start_one() -> None:
    for verb in ("pause", "explain", "watch", "verify-log"):
        assert "rollout start --plan guide" in refusal("rollout", verb)
    assert run("rollout", "tick") == "There is nothing to decide.\n"
    assert run_json("rollout", "status")["rollout"] is None


def test_a_kill_ends_the_rollout_as_well() -> None:
    rollout = ramped()
    assert "Dry run: nothing was changed." in run("rollout", "kill", "--dry-run")
    told = run("rollout", "kill")

    assert "USE_PERSISTENT_SESSIONS: true → false" in told
    assert f"Rollout {rollout.pk}: it ends with this." in told
    assert run("rollout", "kill") == "It is off already: nothing was changed.\n"


def test_the_percent_is_refused_while_a_rollout_holds_it() -> None:
    rollout = ramped()
    why = refusal("rollout", "percent", "33", *_WHY)

    assert f"Rollout {rollout.pk}, which alice started, holds the percent" in why
    assert "rollout advance" in why


def test_a_tick_is_foreseen_and_done() -> None:
    ramped()
    foreseen = run_json("rollout", "tick", "--dry-run")["decision"]
    assert not Decision.objects.exists()

    told = run("rollout", "tick")

    assert told.strip() == foreseen["sentence"]
    assert Decision.objects.count() == 1
