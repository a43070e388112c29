"""The rollout page says where it stands, and its figures are the models'."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from flags import gathering, plans, recalling
from flags.gates import spending
from flags.gates import words as figures
from flags.models import Approval, Hold, Rollout, RolloutPlan, Window
from flags.plans import Success
from flags.rollout_pages import evidence, standing
from tests.chat import stored
from tests.flags import pages, ramping
from tests.flags.rollout_pages import sites


def _words(client: Client, url: str = sites.NEWEST) -> str:
    return pages.words(client.get(url)).replace("\u00a0", " ")


def test_where_nothing_was_started_it_says_what_would_happen(
    viewer: Client, alice: Client
) -> None:
    if not RolloutPlan.objects.filter(name="guide").exists():
        ramping.planned(plans.GUIDE)

    words = _words(viewer)

    assert "No rollout was started yet" in words
    assert "Widen in 6 steps over 9 days" in words
    assert "Rolls back" in words
    assert "Start a rollout" not in words
    assert "Start a rollout…" in _words(alice)


def test_a_healthy_one_says_state_percent_and_what_was_measured(
    viewer: Client,
) -> None:
    rollout, made = sites.running()

    words = _words(viewer)

    assert "The rollout is RAMPING at 20 %, phase 1 of 3" in words
    assert made[-1].sentence in words
    share, count = _exposed()
    assert f"measured {share} of {count} new conversations" in words
    assert re.search(r"measured [\d.]+ % of \d+ turns", words)
    assert "Warning" not in words
    assert "started by alice" in words
    assert "“It is time.”" in words
    assert rollout.version == len(made)


def _exposed() -> tuple[str, int]:
    """Count from the rows of windows what the page should say."""
    rows = Window.objects.all()
    on = sum(each.assigned_count for each in rows if each.variant == "on")
    total = sum(each.assigned_count for each in rows)
    return f"{100 * on / total:.1f}".removesuffix(".0") + " %", total


def test_each_gate_shows_the_reading_of_the_last_tick(viewer: Client) -> None:
    _, made = sites.running(failing=0.3)
    readings = recalling.exact(made[-1]).readings

    words = _words(viewer)

    assert {each.kind for each in readings} >= {"floor", "harm", "integrity"}
    for reading in readings:
        assert " ".join(reading.sentence.split()) in words
    errors = next(each for each in readings if each.key == "errors").numbers
    assert f"{errors['failed_t']:,.0f} of {errors['n_t']:,.0f}" in words


def test_time_and_information_left_are_said(viewer: Client) -> None:
    rollout, _ = sites.running(minutes=3)
    knowledge, _ = gathering.known(rollout)
    units = knowledge.units_in(0)
    two_minutes_ago = timezone.now() - timedelta(minutes=2)
    Rollout.objects.filter(pk=rollout.pk).update(phase_since=two_minutes_ago)

    words = _words(viewer)

    assert units > 0
    assert f"{units} treatment conversations: enough, for 3 are needed" in words
    assert "Time 2 min of 5 min: 3 min left" in words


def test_the_budget_is_what_the_gates_have_spent(viewer: Client) -> None:
    rollout, _ = sites.running()
    knowledge, _ = gathering.known(rollout)

    words = _words(viewer)

    for each in spending.by_gate(knowledge, ramping.SHORT).values():
        assert figures.share(each.spent) in words
        assert figures.share(each.left) in words


def test_the_chart_of_a_gate_ends_with_the_last_reading(viewer: Client) -> None:
    rollout, made = sites.running(failing=0.5)
    numbers = {each.key: each.numbers for each in recalling.exact(made[-1]).readings}

    knowledge, _ = gathering.known(rollout)
    now = timezone.now()
    found = evidence.panels(rollout, ramping.SHORT, knowledge, span="all", now=now)

    assert [each.key for each in found] == [g.key for g in ramping.SHORT.harms]
    errors = found[0]
    assert figures.evidence(numbers["errors"]["peak"] or 0) == errors.rows[0][2]
    assert "111 proves harm" in errors.picture
    assert 'class="chart-mark"' in errors.picture
    shown = viewer.get(sites.NEWEST).content.decode()
    assert shown.count('class="chart"') == 4
    assert "No data yet: not both arms have been seen." in shown  # nobody rates


def test_a_long_rollout_is_sampled_in_few_queries(
    viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rollout, _ = sites.running(minutes=2)
    _lengthen(rollout, 2000)

    with django_assert_max_num_queries(5):
        found = evidence.sample(rollout)

    numbers = rollout.decisions.count()
    assert 200 <= len(found.evidence) <= evidence.MAX_POINTS
    last = rollout.decisions.get(number=numbers)
    assert found.evidence[-1][0] == last.at
    with django_assert_max_num_queries(70):
        assert viewer.get(sites.NEWEST).status_code == 200


def _lengthen(rollout: Rollout, count: int) -> None:
    """Add copies of the last decision."""
    last = rollout.decisions.order_by("-number").first()
    assert last is not None
    copies = []
    for step in range(1, count + 1):
        copy = type(last).objects.get(pk=last.pk)
        copy.pk = None
        copy._state.adding = True
        copy.number = last.number + step
        copy.at = last.at + step * timedelta(milliseconds=10)
        copies.append(copy)
    type(last).objects.bulk_create(copies)


def test_one_that_harms_says_what_failed_and_that_nobody_has_it(
    viewer: Client,
) -> None:
    sites.running(minutes=8, failing=0.8)

    words = _words(viewer)

    assert "The rollout is ROLLED BACK in phase 1: 0 % now" in words
    assert "What failed at the last tick" in words
    assert "Rolled back to 0 %: " in words
    assert "Nobody is exposed" in words


def test_a_rollout_that_nobody_ticks_is_said_aloud(viewer: Client) -> None:
    rollout, _ = sites.running()
    Rollout.objects.filter(pk=rollout.pk).update(
        ticked_at=timezone.now() - timedelta(minutes=6)
    )

    assert "Nobody has looked at this rollout since" in _words(viewer)


def test_one_that_is_watched_no_longer_needs_no_ticks(viewer: Client) -> None:
    rollout, _ = sites.running()
    long_ago = timezone.now() - timedelta(days=30)
    Rollout.objects.filter(pk=rollout.pk).update(
        state="completed", ended_at=long_ago, ticked_at=long_ago
    )

    assert "Nobody has looked" not in _words(viewer)


def test_a_percent_that_the_flag_does_not_give_is_said_aloud(viewer: Client) -> None:
    rollout, _ = sites.running()
    Rollout.objects.filter(pk=rollout.pk).update(percent=Decimal(50))

    words = "The flag gives 20 %, where the rollout has 50 %"
    assert f"{words}: the next tick acts on that." in _words(viewer)
    Rollout.objects.filter(pk=rollout.pk).update(state="paused")
    assert f"{words}: to resume it takes the lower of both." in _words(viewer)


@pytest.mark.django_db
def test_a_phase_that_is_judged_no_more_says_that_somebody_must_decide() -> None:
    success = Success(key="few", metric="error_ratio", threshold=0.9, is_above=False)
    first, *others = ramping.SHORT.phases
    asking = (replace(first, success=(success,)), *others)
    plan = replace(ramping.SHORT, phases=asking, max_extension_s=3600)
    rollout, _ = sites.running(plan=plan)
    begun = rollout.phase_since
    assert begun is not None

    hourly = standing.next_look(rollout, plan, begun + timedelta(minutes=30))
    over = standing.next_look(rollout, plan, begun + timedelta(minutes=65))

    assert "it is judged once an hour now" in hourly
    assert "it is judged no more, and somebody must decide" in over


def test_holds_and_requests_are_shown_with_who_said_so(
    petra: Client, viewer: Client
) -> None:
    rollout, _ = sites.running(plan=sites.APPROVED)
    Hold.objects.create(rollout=rollout, reason="Over the holidays", created_by="bob")
    Approval.objects.create(
        rollout=rollout,
        phase_index=1,
        requested_by="bob",
        expires_at=timezone.now() + timedelta(days=1),
    )

    seen, seen_by_petra = _words(viewer), _words(petra)

    assert "Held by bob just now: “Over the holidays”" in seen
    assert "bob asked just now for the approval of phase 2" in seen
    assert "Approve…" not in seen
    assert "Approve…" in seen_by_petra
    assert "Release…" in seen_by_petra


def test_small_percents_keep_their_decimals(viewer: Client) -> None:
    first, *later = ramping.SHORT.phases
    small = replace(first, percent=Decimal("0.25"))
    rollout, _ = sites.running(
        minutes=1, plan=replace(ramping.SHORT, phases=(small, *later))
    )
    one = sites.attempt(rollout)

    for url in (sites.ROLLOUTS, f"{one}decisions/", f"{one}decisions/1/"):
        assert "0.25 %" in _words(viewer, url), url


def test_every_attempt_is_listed_and_has_its_page(viewer: Client) -> None:
    first, _ = sites.running(minutes=1)
    Rollout.objects.update(state="rolled_back", percent=0, ended_at=timezone.now())
    stored.put(GRADUAL_ROLLOUT_PERCENTAGE=0)
    second, _ = sites.running(plan=replace(ramping.SHORT, version=2))

    listed = _words(viewer, sites.ROLLOUTS)

    assert "2 attempts" in listed
    assert "rolled back" in listed
    assert "This attempt is ROLLED BACK" in _words(viewer, sites.attempt(first))
    assert "The rollout is RAMPING" in _words(viewer, sites.attempt(second))
    assert viewer.get(f"{sites.ROLLOUTS}999999/").status_code == 404


@pytest.mark.parametrize("span", ["all", "phase", "6h", "nonsense"])
def test_the_charts_show_as_much_as_is_asked_for(viewer: Client, span: str) -> None:
    sites.running()

    assert viewer.get(f"{sites.NEWEST}?span={span}").status_code == 200
