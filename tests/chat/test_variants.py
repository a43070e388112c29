"""Which variant a conversation gets at each of its turns, and who remembers it."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from chat import openings, sessions, variants
from chat.models import Conversation, Generation, LiveSession, VariantChange
from chat.openings import Ask, Turn
from chat.ownership import Caller
from flags import bucketing, changes
from flags.changes import Actor
from flags.models import Change, Flag
from tests.chat import stored
from tests.chat.stored import ELSEWHERE

pytestmark = pytest.mark.django_db

Again = Callable[[Ask], Turn]

_OPERATOR = Actor("olga", Change.Channel.COMMAND)


def _place(of: Conversation) -> int:
    flag = Flag.objects.get()
    return bucketing.bucket(
        flag_key=flag.name, targeting_key=str(of.pk), salt=flag.salt
    )


def _beginner() -> Conversation:
    """Return a new conversation that is at neither end of the scale."""
    while not 100 <= _place(of := stored.conversation()) < 9900:
        pass
    return of


def _above_and_below() -> list[Conversation]:
    """Return two new conversations, the one farther up the scale first."""
    one = _beginner()
    while _place(other := _beginner()) == _place(one):
        pass
    return sorted((one, other), key=_place, reverse=True)


def _just_above(of: Conversation) -> Decimal:
    """Return the smallest percent that takes a conversation in."""
    return Decimal(_place(of) + 1) / 100


def _just_below(of: Conversation) -> Decimal:
    """Return the largest percent that leaves it out."""
    return Decimal(_place(of)) / 100


def _next_turn(of: Conversation) -> tuple[str, str]:
    """Return variant and reason of the next turn."""
    decided = variants.settle(Conversation.objects.get(pk=of.pk))
    return decided.variant, decided.reason


def _kept(of: Conversation) -> str:
    return Conversation.objects.get(pk=of.pk).variant


def _ask(of: Conversation) -> Ask:
    return Ask(lambda: Caller(of.owner_id), of.pk)


def test_the_first_turn_decides_and_it_is_remembered() -> None:
    taken_in, left_out = _beginner(), _beginner()

    stored.roll_out(_just_above(taken_in))
    assert _next_turn(taken_in) == ("on", "SPLIT")
    stored.roll_out(_just_below(left_out))
    assert _next_turn(left_out) == ("off", "SPLIT")

    assert (_kept(taken_in), _kept(left_out)) == ("on", "off")
    assert not VariantChange.objects.exists()


def test_at_no_percent_a_beginner_stays_off() -> None:
    of = _beginner()
    stored.roll_out(0)

    assert _next_turn(of) == ("off", "STATIC")
    assert _kept(of) == "off"


def test_growth_admits_beginners_only() -> None:
    old, beginner = _beginner(), _beginner()
    stored.roll_out(_just_below(old))
    _next_turn(old)

    stored.roll_out(Decimal("99.5"))

    assert _next_turn(old) == ("off", "DEFAULT")
    assert _next_turn(beginner) == ("on", "SPLIT")
    assert not VariantChange.objects.exists()


def test_what_was_begun_before_there_were_variants_is_no_beginner() -> None:
    old = _beginner()
    stored.turn(old)
    stored.roll_out(_just_above(old))

    assert _next_turn(old) == ("off", "DEFAULT")

    assert _kept(old) == "off"
    assert not VariantChange.objects.exists()


def test_a_hundred_percent_takes_in_what_was_begun_before_there_were_variants() -> None:
    old = stored.conversation()
    stored.turn(old)
    stored.roll_out(100)

    assert _next_turn(old) == ("on", "STATIC")

    [change] = VariantChange.objects.all()
    assert (change.old, change.new) == ("off", "on")


def test_a_hundred_percent_takes_in_those_that_were_here_before() -> None:
    old = stored.conversation(variant="off")
    stored.roll_out(100)

    assert _next_turn(old) == ("on", "STATIC")

    [change] = VariantChange.objects.all()
    assert (change.conversation, change.old, change.new) == (old, "off", "on")
    assert change.reason == "STATIC"
    assert _kept(old) == "on"


def test_halving_sends_back_those_above_it_at_their_next_turn() -> None:
    above, below = _above_and_below()
    stored.roll_out(_just_above(above))
    assert [_next_turn(of)[0] for of in (above, below)] == ["on", "on"]

    stored.roll_out(_just_above(below))

    assert [_next_turn(of)[0] for of in (above, below)] == ["off", "on"]
    [change] = VariantChange.objects.all()
    assert (change.conversation, change.old, change.new) == (above, "on", "off")


def test_who_was_sent_back_does_not_come_again_with_growth() -> None:
    of = _beginner()
    stored.roll_out(_just_above(of))
    _next_turn(of)
    stored.roll_out(_just_below(of))
    _next_turn(of)

    stored.roll_out(_just_above(of))

    assert _next_turn(of) == ("off", "DEFAULT")


def test_a_kill_sends_everybody_back_at_the_next_turn() -> None:
    everybody = [stored.conversation() for _ in range(3)]
    stored.roll_out(100)
    for of in everybody:
        _next_turn(of)

    changes.kill(actor=_OPERATOR)

    assert [_next_turn(of) for of in everybody] == [("off", "DISABLED")] * 3
    assert {_kept(of) for of in everybody} == {"off"}
    flips = VariantChange.objects.values_list("old", "new", "reason")
    assert list(flips) == [("on", "off", "DISABLED")] * 3


def test_a_flip_is_recorded_once() -> None:
    of = stored.conversation(variant="on")
    changes.kill(actor=_OPERATOR)

    for _ in range(3):
        _next_turn(of)

    assert VariantChange.objects.count() == 1


def test_a_flip_closes_the_sessions_of_the_conversation_in_every_process() -> None:
    row, other = stored.registered(), stored.registered()
    stored.registered(row.conversation, process=ELSEWHERE.format(1))
    sessions.pool().keep(stored.session(row.conversation))

    stored.roll_out(0)
    _next_turn(row.conversation)

    assert LiveSession.objects.get() == other
    assert sessions.pool().find(row.conversation_id) is None


def test_a_turn_that_flips_nothing_closes_nothing() -> None:
    row = stored.registered()
    stored.roll_out(100)

    _next_turn(row.conversation)

    assert LiveSession.objects.get() == row


@pytest.mark.parametrize("held", ["", "on", "off"])
def test_without_its_row_the_flag_decides_for_this_turn_only(held: str) -> None:
    of = stored.conversation(variant=held)
    row = stored.registered(of)
    Flag.objects.all().delete()

    assert _next_turn(of) == ("off", "ERROR")

    assert _kept(of) == held
    assert not VariantChange.objects.exists()
    assert LiveSession.objects.get() == row


@pytest.mark.parametrize("again", [openings.retry, openings.continuation])
@pytest.mark.parametrize("held", ["on", "off"])
def test_an_answer_that_is_made_again_keeps_the_variant(
    again: Again, held: str
) -> None:
    of = _beginner()
    stored.turn(of, "Why?", "Because", status="interrupted")
    Conversation.objects.filter(pk=of.pk).update(variant=held)
    stored.roll_out(_just_above(of))  # a beginner there would get it

    turn = again(_ask(of))

    attempt = Generation.objects.get(pk=turn.generation_id)
    assert attempt.variant == held == _kept(of)


@pytest.mark.parametrize("again", [openings.retry, openings.continuation])
def test_an_answer_that_is_made_again_obeys_a_kill(again: Again) -> None:
    of = stored.conversation(variant="on")
    stored.turn(of, "Why?", "Because", status="interrupted")
    changes.kill(actor=_OPERATOR)

    turn = again(_ask(of))

    attempt = Generation.objects.get(pk=turn.generation_id)
    assert (attempt.variant, attempt.strategy) == ("off", "stateless")
    assert attempt.session_outcome == ""
