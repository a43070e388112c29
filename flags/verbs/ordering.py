"""The verbs that people give a rollout: advance, pause, resume, hold and so on."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from flags import console, orders
from flags.console import OperatorCommand
from flags.models import Rollout
from flags.orders import Answer, Preview
from flags.situation import Move
from flags.verbs import doors

Options = dict[str, Any]


def _nothing(parser: ArgumentParser) -> None:
    del parser


def _none(options: Options) -> Options:
    del options
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """A verb of `flags.orders` as a verb of the command.

    `would` says what it would do, `hint` how it is done although it was so already.
    """

    verb: str
    would: str
    hint: str = ""
    options: Callable[[ArgumentParser], None] = _nothing
    given: Callable[[Options], Options] = _none

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what it takes."""
        self.options(parser)
        console.add_reason(parser)

    def run(self, command: OperatorCommand, **options: Any) -> None:
        """Give the order, or only preview it. Raises: FlagsError."""
        rollout, order = doors.newest(), doors.order(options)
        verb, would = self.verb, self.would
        if options.get("request"):
            verb, would = "request_approval", "ask for the approval of the next phase"
        given = self.given(options)
        now = timezone.now()
        shown = orders.preview(verb, rollout, order, now=now, **given)
        if options["dry_run"]:
            foreseen = shown.already or _foreseen(shown, rollout, would)
            _tell_preview(command, shown, options, foreseen)
            self._hint(command, options, is_needed=bool(shown.already))
            return
        answer = orders.give(
            verb, rollout, order, now=now, seen_version=shown.version, **given
        )
        _tell(command, answer, shown, options)
        self._hint(command, options, is_needed=not answer.is_new)

    def _hint(
        self, command: OperatorCommand, options: Options, *, is_needed: bool
    ) -> None:
        is_known = options.get("to_phase") is not None
        if self.hint and is_needed and not is_known and not options["json"]:
            command.say(self.hint)


def _foreseen(shown: Preview, rollout: Rollout, would: str) -> str:
    """Say what an order would do; its own sentence is of what was done."""
    outcome = shown.outcome
    if outcome.move is Move.ADVANCE:
        would = f"begin phase {outcome.phase_index + 1}"
    elif outcome.move is Move.COMPLETE:
        would = "complete it"
    if outcome.percent == rollout.percent:
        return f"Would {would}."
    return f"Would {would}: {rollout.percent} → {outcome.percent} %."


def _tell_preview(
    command: OperatorCommand, shown: Preview, options: Options, foreseen: str
) -> None:
    if options["json"]:
        told = {"dry_run": True, "decision": None, "sentence": foreseen}
        command.print_json(_as_json(shown) | told)
        return
    command.say(foreseen)
    for line in shown.sentences:
        command.say(line)
    for each in shown.obstacles:
        how = f" (--override-gate {each.key})" if each.is_overridable else ""
        command.say(f"In the way: {each.sentence}{how}")
    command.say("Dry run: nothing was changed.")


def _tell(
    command: OperatorCommand, answer: Answer, shown: Preview, options: Options
) -> None:
    if options["json"]:
        decision = answer.decision if answer.is_new else None
        command.print_json(
            _as_json(shown)
            | {
                "dry_run": False,
                "decision": decision and doors.decision_as_json(decision),
            }
        )
        return
    command.say(answer.sentence)
    if not answer.is_new:
        command.say("It is so already: nothing was changed.")
        return
    for line in shown.sentences:
        command.say(line)


def _as_json(shown: Preview) -> Options:
    return {
        "already": shown.already,
        "state": shown.outcome.state,
        "percent": float(shown.outcome.percent),
        "sentence": shown.already or shown.outcome.sentence,
        "effects": list(shown.sentences),
        "obstacles": [
            {
                "key": each.key,
                "sentence": each.sentence,
                "is_overridable": each.is_overridable,
            }
            for each in shown.obstacles
        ],
    }


def _advance_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--override-gate",
        action="append",
        default=[],
        metavar="KEY",
        help="go on although this has not been shown; may be repeated. Harm, floors, "
        "holds and approvals can't be overridden",
    )
    parser.add_argument(
        "--to-phase",
        type=int,
        metavar="N",
        help="the phase that is meant: to repeat the command then does no harm",
    )


def _advance_given(options: Options) -> Options:
    return {"overriding": options["override_gate"], "to_phase": options["to_phase"]}


def _hold_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--until",
        type=doors.moment,
        metavar="MOMENT",
        help="2026-11-26T14:00 (UTC); until somebody releases it if not given",
    )


def _release_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--hold", type=int, metavar="N", help="which; all of them if not given"
    )


def _halve_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--again", action="store_true", help="although it was halved a short time ago"
    )


def _approve_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--request",
        action="store_true",
        help="ask a second person for their approval, instead of giving one",
    )


ADVANCE = Ordering(
    verb="advance",
    would="begin phase 1",
    hint="--to-phase N says which phase is meant, and begins it at once.",
    options=_advance_options,
    given=_advance_given,
)
PAUSE = Ordering(verb="pause", would="pause it")
RESUME = Ordering(verb="resume", would="resume it")
HOLD = Ordering(
    verb="hold",
    would="hold it",
    options=_hold_options,
    given=lambda given: {"until": given["until"]},
)
RELEASE = Ordering(
    verb="release",
    would="release it",
    options=_release_options,
    given=lambda given: {"hold_id": given["hold"]},
)
HALVE = Ordering(
    verb="halve",
    would="halve it",
    hint="--again halves it all the same.",
    options=_halve_options,
    given=lambda given: {"is_again": given["again"]},
)
ROLLBACK = Ordering(verb="roll_back", would="roll it back")
APPROVE = Ordering(
    verb="approve", would="approve the next phase", options=_approve_options
)
