"""What a rollout is to be told, from the rows: one conversation after the other."""

import math
from collections import defaultdict
from datetime import datetime

from chat.models import Generation, VariantChange
from flags.observations import ArmCounts
from tests.chat.observed import COSTLY, SLOW_MS, STEP_S

_DAY_S = 86_400
_EVENTS = {
    "total_deadline": "error",
    "process_ended": "error",
    "safety": "blank",
    "empty": "blank",
}


class ByHand:
    """The same numbers in another way; windows begin at whole steps of Unix time."""

    def __init__(self) -> None:
        self.changes: dict[int, VariantChange] = {}
        for change in VariantChange.objects.order_by("-id"):
            self.changes[change.conversation_id] = change
        self.turns: dict[tuple[int, int], list[Generation]] = defaultdict(list)
        first: dict[int, Generation] = {}
        for turn in Generation.objects.order_by("id"):
            first.setdefault(turn.conversation_id, turn)
            if turn.ended_at and self.is_in_an_arm(turn):
                begin = int(turn.ended_at.timestamp()) // STEP_S * STEP_S
                self.turns[turn.conversation_id, begin].append(turn)
        self.drawn = [each for each in first.values() if each.variant_reason == "SPLIT"]

    def is_in_an_arm(self, turn: Generation) -> bool:
        """Tell whether its conversation was drawn and has had its variant since."""
        if turn.variant_reason == "ERROR" or not turn.variant:
            return False
        if not turn.conversation.generations.filter(variant_reason="SPLIT").exists():
            return False
        change = self.changes.get(turn.conversation_id)
        if change is None:
            return True
        return turn.created_at < change.created_at and turn.variant == change.old

    def window(self, begin: datetime, variant: str) -> dict[str, float]:
        """Count an arm in a window; what is zero may be missing."""
        begin_s = int(begin.timestamp())
        counts: dict[str, float] = defaultdict(float)
        for turn in self.drawn:
            is_here = begin_s <= turn.created_at.timestamp() < begin_s + STEP_S
            counts["assigned_count"] += turn.variant == variant and is_here
        for (pk, at_s), turns in self.turns.items():
            if at_s == begin_s and turns[0].variant == variant:
                self.add(counts, pk, begin_s)
        return counts

    def add(self, counts: dict[str, float], pk: int, begin_s: int) -> None:
        """Add a conversation."""
        turns = self.turns[pk, begin_s]
        counts["conversation_count"] += 1
        counts["turn_count"] += len(turns)
        for turn in turns:
            counts["persistent_count"] += turn.strategy != "stateless"
            if turn.variant == "on":
                counts["lookup_count"] += turn.session_outcome not in {"", "created"}
                counts["hit_count"] += turn.session_outcome == "hit"
        tokens, time_ms = _tokens(turns), _time_ms(turns)
        if tokens and time_ms:
            counts["log_count"] += 1
            counts["log_tokens_sum"] += math.log(tokens)
            counts["log_tokens_squares"] += math.log(tokens) ** 2
            counts["log_latency_sum"] += math.log(time_ms)
            counts["log_latency_squares"] += math.log(time_ms) ** 2
        past = self.past(pk, begin_s)
        for event in past:
            counts[f"{event}_past_count"] += 1
        for event in _events(turns) - past:
            counts[f"{event}_count"] += 1

    def past(self, pk: int, begin_s: int) -> set[str]:
        """Return what happened to it before on the day."""
        midnight_s = begin_s - begin_s % _DAY_S
        return {
            event
            for (each, at_s), turns in self.turns.items()
            if each == pk and midnight_s <= at_s < begin_s
            for event in _events(turns)
        }


def all_counts(counts: dict[str, float]) -> ArmCounts:
    """Return the counts as a rollout is told them."""
    return ArmCounts(**counts)  # type: ignore[arg-type]  # 3.0 is 3


def _events(turns: list[Generation]) -> set[str]:
    found = {_EVENTS.get(turn.error_reason, "") for turn in turns} - {""}
    if _time_ms(turns) > SLOW_MS:
        found.add("slow")
    if _tokens(turns) > COSTLY:
        found.add("costly")
    return found


def _tokens(turns: list[Generation]) -> float:
    return _mean(
        [
            turn.prompt_tokens - 0.9 * (turn.cached_tokens or 0)
            for turn in turns
            if turn.status == "complete" and turn.prompt_tokens is not None
        ]
    )


def _time_ms(turns: list[Generation]) -> float:
    return _mean(
        [
            turn.duration_ms
            for turn in turns
            if turn.status == "complete" and turn.duration_ms is not None
        ]
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0
