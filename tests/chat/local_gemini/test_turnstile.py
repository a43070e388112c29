"""The queue before the small model."""

import pytest

from chat.local_gemini.errors import ApiError
from chat.local_gemini.turnstile import Turnstile


def test_so_many_as_there_are_slots_go_in_at_once() -> None:
    turnstile = Turnstile(slots=2, capacity=1)

    first, second, third = (turnstile.join() for _ in range(3))

    assert (first.is_set(), second.is_set(), third.is_set()) == (True, True, False)
    assert (turnstile.running, turnstile.queued) == (2, 1)


def test_the_others_follow_in_the_order_they_came() -> None:
    turnstile = Turnstile(slots=1, capacity=3)
    places = [turnstile.join() for _ in range(4)]

    for number, place in enumerate(places):
        assert [other.is_set() for other in places] == [
            index <= number for index in range(4)
        ]
        turnstile.leave(place)

    assert (turnstile.running, turnstile.queued) == (0, 0)


def test_who_gives_up_waiting_makes_room() -> None:
    turnstile = Turnstile(slots=1, capacity=2)
    running, patient, other = (turnstile.join() for _ in range(3))

    turnstile.leave(patient)
    turnstile.leave(running)

    assert other.is_set()
    assert not patient.is_set()
    assert (turnstile.running, turnstile.queued) == (1, 0)


def test_a_full_queue_refuses_and_says_when_to_come_back() -> None:
    turnstile = Turnstile(slots=1, capacity=1)
    turnstile.join()
    turnstile.join()

    with pytest.raises(ApiError) as caught:
        turnstile.join()

    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert caught.value.details[0]["retryDelay"] == "5s"
    assert turnstile.queued == 1
