"""A web process is killed in mid-answer: nothing acknowledged is lost."""

import pytest

from tests.faults import killing
from tests.faults.conftest import NewSite


async def test_nothing_is_lost_when_web_processes_are_killed_five_times(
    new_site: NewSite,
) -> None:
    story = await killing.campaign(new_site(), kills=5, chatters=4, is_relentless=False)

    _assert_nothing_was_lost(story)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_nothing_is_lost_in_fifty_kills_and_people_chat_on_within_5_s(
    new_site: NewSite,
) -> None:
    story = await killing.campaign(
        new_site(), kills=50, chatters=6, is_relentless=False
    )

    _assert_nothing_was_lost(story)
    assert killing.percentile(story.next_good_turn_s, 95) <= 5, story


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_nothing_is_lost_in_fifty_kills_that_leave_no_process_alone(
    new_site: NewSite,
) -> None:
    story = await killing.campaign(new_site(), kills=50, chatters=6, is_relentless=True)

    _assert_nothing_was_lost(story)


def _assert_nothing_was_lost(story: killing.Campaign) -> None:
    print(story)  # noqa: T201 - the figures, with pytest -s or on failure
    assert story.faults == {}, story
    assert story.longest_stuck_s <= 15, story
    assert any(kill.running_count for kill in story.kills), story
