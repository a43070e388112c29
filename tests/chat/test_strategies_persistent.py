"""What a persistent strategy sends, and the session it leaves for the next turn."""

from typing import Any

import pytest

from chat import conf, contents, strategies
from chat.contents import GO_ON, Content, Line
from chat.sessions import Session
from chat.strategies import HISTORY, INTERACTIONS, STATELESS, Answered, Context
from flags.errors import InvalidValue
from tests.chat import stored
from tests.chat.stored import SIGNED

_OLD = [Line("user", "One"), Line("assistant", "Two", (SIGNED,))]
_CONTENTS = tuple(contents.of_lines(_OLD))


def _context(**changes: Any) -> Context:
    given = {"model": "some-model", "personality": "technical", "message": "Three"}
    return Context(**given | changes)


def _session(**changes: Any) -> Session:
    given: dict[str, Any] = {
        "conversation_id": 7,
        "strategy": "history",
        "model": "some-model",
        "version": 2,
        "message_count": 2,
        "contents": _CONTENTS,
        "size_bytes": contents.size_bytes(_CONTENTS),
    }
    return Session(**given | changes)


def _kept_by_provider() -> Session:
    return _session(strategy="interactions", contents=(), interaction_id="v1_old")


def _answered(text: str = "Four", **completion: Any) -> Answered:
    return Answered(7, 4, text, stored.completion(**completion))


def _user(text: str) -> Content:
    return {"role": "user", "parts": [{"text": text}]}


def _model(text: str) -> Content:
    return {"role": "model", "parts": [{"text": text}]}


def test_history_sends_a_first_message_alone() -> None:
    prompt = HISTORY.prompt(_context())

    assert prompt.contents == [_user("Three")]
    assert prompt.model == "some-model"
    assert prompt.system_instruction
    assert not prompt.is_interaction


def test_history_sends_what_the_session_holds_as_it_is_and_appends() -> None:
    missed = [Line("user", "Missed"), Line("assistant", "Half")]

    prompt = HISTORY.prompt(_context(session=_session(), history=missed))

    held, added = prompt.contents[:2], prompt.contents[2:]
    assert all(one is other for one, other in zip(held, _CONTENTS, strict=True))
    assert added == [_user("Missed"), _model("Half"), _user("Three")]


def test_history_sends_a_recovered_conversation_from_its_first_question_on() -> None:
    prompt = HISTORY.prompt(_context(history=[Line("assistant", "Cut off"), *_OLD]))

    assert prompt.contents == [*_CONTENTS, _user("Three")]


def test_an_answer_that_the_session_missed_is_kept_though_it_comes_first() -> None:
    missed = [Line("assistant", "Late")]

    prompt = HISTORY.prompt(_context(session=_session(), history=missed))

    assert prompt.contents == [*_CONTENTS, _model("Late"), _user("Three")]


@pytest.mark.parametrize("strategy", [HISTORY, INTERACTIONS])
def test_a_continuation_shows_the_model_its_own_beginning(
    strategy: strategies.Strategy,
) -> None:
    prompt = strategy.prompt(_context(so_far="Once upon"))

    assert prompt.contents == [_user("Three"), _model("Once upon"), _user(GO_ON)]


def test_history_keeps_what_was_sent_and_the_answer_with_its_signatures() -> None:
    context = _context(session=_session())

    kept = HISTORY.after(context, _answered(signatures=[SIGNED]))

    assert kept is not None
    assert kept.contents == (
        *HISTORY.prompt(context).contents,
        {"role": "model", "parts": [{"text": "Four"}, SIGNED]},
    )
    assert (kept.conversation_id, kept.version, kept.message_count) == (7, 4, 4)
    assert (kept.strategy, kept.model) == ("history", "some-model")
    assert kept.size_bytes == contents.size_bytes(kept.contents)


def test_what_is_kept_is_what_a_recovery_would_make_of_the_rows() -> None:
    context = _context(session=_session())
    rows = [
        *_OLD,
        Line("user", "Three"),
        Line("assistant", "Four", (SIGNED,)),
    ]

    kept = HISTORY.after(context, _answered(signatures=[SIGNED]))

    assert kept is not None
    assert list(kept.contents) == contents.of_lines(rows)


def test_a_session_does_not_change_when_a_turn_makes_a_newer_one() -> None:
    before = _session()

    HISTORY.after(_context(session=before), _answered())

    assert before == _session()


def test_a_continued_answer_is_kept_as_one_without_the_wish_to_go_on() -> None:
    kept = HISTORY.after(_context(so_far="Once upon"), _answered("Once upon a time"))

    assert kept is not None
    assert list(kept.contents) == [_user("Three"), _model("Once upon a time")]


@pytest.mark.parametrize(("held", "is_kept"), [(1198, True), (1199, False)])
def test_history_keeps_nothing_of_a_conversation_that_grew_too_long(
    held: int, is_kept: bool
) -> None:
    session = _session(contents=_CONTENTS[:1] * held)

    kept = HISTORY.after(_context(session=session), _answered())

    assert (kept is not None) is is_kept
    assert strategies.has_room(session, []) is is_kept


def test_what_a_session_missed_takes_room_too() -> None:
    session = _session(contents=_CONTENTS[:1] * 1197)

    assert strategies.has_room(session, _OLD[:1])
    assert not strategies.has_room(session, _OLD)


@pytest.mark.parametrize(("size_bytes", "is_kept"), [(900_000, True), (990_000, False)])
def test_history_keeps_no_more_bytes_than_a_process_can_hold_many_times(
    size_bytes: int, *, is_kept: bool
) -> None:
    session = _session(size_bytes=size_bytes)
    long = Line("user", "ž" * 10_000)

    kept = HISTORY.after(_context(session=session, message=long.text), _answered())

    assert (kept is not None) is is_kept
    assert strategies.has_room(session, [long]) is is_kept


def test_the_longest_recovery_leaves_a_session_that_is_kept() -> None:
    longest = _OLD * 500
    assert conf.MAX_HISTORY.parse(len(longest)) == len(longest)
    with pytest.raises(InvalidValue):
        conf.MAX_HISTORY.parse(len(longest) + 1)

    kept = HISTORY.after(_context(history=longest), _answered())

    assert kept is not None
    assert strategies.has_room(kept, _OLD)


def test_interactions_send_only_what_is_new_and_name_the_rest() -> None:
    missed = [Line("user", "Missed"), Line("assistant", "Half")]
    context = _context(session=_kept_by_provider(), history=missed)

    prompt = INTERACTIONS.prompt(context)

    assert prompt.is_interaction
    assert prompt.previous_interaction_id == "v1_old"
    assert prompt.contents == [_user("Missed"), _model("Half"), _user("Three")]
    assert prompt.system_instruction  # of one interaction only: it is said each time


def test_interactions_tell_all_where_the_provider_has_nothing_yet() -> None:
    prompt = INTERACTIONS.prompt(_context(history=_OLD))

    assert prompt.is_interaction
    assert prompt.previous_interaction_id is None
    assert prompt.contents == [*_CONTENTS, _user("Three")]


def test_interactions_keep_the_name_of_the_providers_state_and_no_text() -> None:
    context = _context(session=_kept_by_provider(), history=_OLD)

    kept = INTERACTIONS.after(context, _answered(interaction_id="v1_new"))

    assert kept is not None
    assert kept.interaction_id == "v1_new"
    assert kept.contents == ()
    assert (kept.strategy, kept.version, kept.message_count) == ("interactions", 4, 6)
    assert kept.size_bytes == len("v1_new")


def test_interactions_keep_nothing_where_the_provider_kept_nothing() -> None:
    assert INTERACTIONS.after(_context(), _answered()) is None


def test_a_provider_s_state_never_grows_too_long_for_us() -> None:
    session = _kept_by_provider()

    assert strategies.has_room(session, _OLD * 500)


def test_stateless_keeps_nothing() -> None:
    assert STATELESS.after(_context(), _answered()) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("strategy", [HISTORY, INTERACTIONS])
def test_a_persistent_strategy_is_found_by_its_name(
    strategy: strategies.Strategy,
) -> None:
    assert strategies.named(strategy.name) is strategy


def test_stateless_is_no_persistent_strategy() -> None:
    with pytest.raises(KeyError):
        strategies.named("stateless")
