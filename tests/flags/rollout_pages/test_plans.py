"""Plans: looked at, previewed with the traffic there is, and made anew."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from flags import observations, plans
from flags.gates import foresight
from flags.models import RolloutPlan
from flags.plans import Plan
from tests.chat import stored
from tests.chat.observed import ended
from tests.flags import pages, ramping
from tests.flags.rollout_pages import sites

PLAN = f"{sites.PLANS}short/1/"
NEW = f"{PLAN}new/"


def _words(answered: Any) -> str:
    return pages.words(answered).replace("\u00a0", " ")


def _fields(client: Client, **edited: Any) -> dict[str, Any]:
    """Return the form as it is shown, but for what was edited."""
    context = client.get(NEW).context
    found: dict[str, Any] = {}
    for formset in (context["phases"], context["harms"]):
        for form in [formset.management_form, *formset.forms]:
            found |= _values(form)
    found |= _values(context["limits"])
    return found | edited


def _values(form: Any) -> dict[str, Any]:
    given = {each.html_name: each.value() for each in form}
    return {
        name: "on" if value is True else str(value)
        for name, value in given.items()
        if value not in {None, False}
    }


def _stored(version: int) -> Plan:
    return Plan.of(RolloutPlan.objects.get(name="short", version=version).body)


@pytest.fixture(autouse=True)
def _plan(db: None) -> None:
    ramping.planned()


def test_every_version_is_listed(viewer: Client, alice: Client) -> None:
    listed = viewer.get(sites.PLANS)

    assert "short@1" in _words(listed)
    assert "New version" not in _words(listed)
    assert "New version…" in _words(alice.get(sites.PLANS))


def test_a_version_says_what_it_can_see_with_the_traffic(viewer: Client) -> None:
    shown = viewer.get(f"{PLAN}?per_hour=180&failing=0.5")

    words = _words(shown)
    for index in range(3):
        said = foresight.sentence(
            ramping.SHORT, index, conversations_per_hour=180, base_error_ratio=0.005
        )
        assert said in words
    assert "At 180 conversations an hour" in words
    assert "Say how much traffic there is" in _words(viewer.get(PLAN))


@pytest.mark.parametrize("query", ["per_hour=x&failing=1", "per_hour=0&failing=0"])
def test_a_traffic_that_is_none_is_marked(viewer: Client, query: str) -> None:
    shown = viewer.get(f"{PLAN}?{query}")

    assert shown.status_code == 200
    assert "errorlist" in pages.content(shown)


@pytest.mark.django_db(transaction=True)
def test_the_traffic_is_measured_from_the_turns(viewer: Client) -> None:
    for number in range(40):
        ended(
            stored.conversation(),
            timezone.now(),
            variant="off",
            variant_reason="DISABLED",
            error_code="GEMINI_API_ERROR" if number < 4 else "",
            status="failed" if number < 4 else "complete",
        )

    shown = viewer.get(f"{PLAN}measure/", follow=True)

    assert pages.inputs(shown)["per_hour"] == "40.0"
    assert pages.inputs(shown)["failing"] == "10"
    assert "At 40 conversations an hour, of which 10 % fail" in _words(shown)


def test_traffic_without_turns_is_no_data() -> None:
    now = timezone.now()
    found = observations.source().traffic(now - sites.DAY, now)

    assert found.per_hour is None
    assert found.error_ratio is None


def test_what_is_not_edited_stays(alice: Client) -> None:
    answered = alice.post(NEW, _fields(alice, save="1"), follow=True)

    assert "Plan short@2 is stored" in str(next(iter(answered.context["messages"])))
    one, two = _stored(1), _stored(2)
    assert (two.phases, two.harms) == (one.phases, one.harms)
    assert (two.floors, two.max_extension_s) == (one.floors, one.max_extension_s)
    assert RolloutPlan.objects.get(version=2, name="short").created_by == "alice"


def test_the_guides_plan_stays_what_it_is_through_the_forms(alice: Client) -> None:
    if not RolloutPlan.objects.filter(name="guide").exists():
        ramping.planned(plans.GUIDE)
    url = f"{sites.PLANS}guide/1/new/"
    context = alice.get(url).context
    fields: dict[str, Any] = {"save": "1"}
    for formset in (context["phases"], context["harms"]):
        for form in [formset.management_form, *formset.forms]:
            fields |= _values(form)

    alice.post(url, fields | _values(context["limits"]))

    made = Plan.of(RolloutPlan.objects.get(name="guide", version=2).body)
    assert made.phases == plans.GUIDE.phases
    assert made.harms == plans.GUIDE.harms


def test_edited_fields_are_in_the_new_version(alice: Client) -> None:
    edited = {
        "phase-0-percent": "5",
        "phase-0-hours": "2",
        "phase-0-needs_approval": "on",
        "phase-0-looks": "50, 100",
        "phase-0-session_hit_ratio": "60",
        "phase-0-session_hit_ratio_shown": "on",
        "phase-2-DELETE": "on",
        "phase-3-percent": "75",
        "phase-3-hours": "1",
        "phase-3-units": "100",
        "harm-0-alpha": "0.5",
        "limit-holdback": "10",
    }

    alice.post(NEW, _fields(alice, save="1", **edited), follow=True)

    plan = _stored(2)
    assert [str(each.percent) for each in plan.phases] == ["5", "50", "75"]
    first = plan.phases[0]
    assert (first.dwell_s, first.needs_approval) == (7200, True)
    assert first.looks == (0.5, 1.0)
    [gate] = first.success
    assert (gate.key, gate.threshold, gate.is_required) == ("session_hits", 0.6, False)
    assert plan.harms[0].alpha == pytest.approx(0.005)
    assert str(plan.holdback_percent) == "10"


def test_a_preview_stores_nothing_and_says_what_it_can_see(alice: Client) -> None:
    fields = _fields(alice, preview="1", per_hour="180", failing="0.5")

    shown = alice.post(NEW, fields | {"phase-0-hours": "24"})

    assert shown.status_code == 200
    assert "At 180 conversations an hour" in _words(shown)
    assert RolloutPlan.objects.filter(name="short").count() == 1


def test_what_could_not_be_followed_is_not_stored(alice: Client) -> None:
    fields = _fields(alice, save="1") | {"phase-1-percent": "10"}

    shown = alice.post(NEW, fields)

    assert shown.status_code == 422
    assert "which is not above" in _words(shown)
    assert RolloutPlan.objects.filter(name="short").count() == 1


def test_a_field_that_is_wrong_is_marked(alice: Client) -> None:
    fields = _fields(alice, save="1") | {
        "phase-0-looks": "often",
        "phase-0-percent": "many",
    }

    shown = alice.post(NEW, fields)

    assert shown.status_code == 422
    assert "are no looks" in _words(shown)
    assert "Nothing was stored" in _words(shown)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("phase-0-looks", "75, 50, 100", "percents that grow and end with 100"),
        ("phase-0-looks", "25, 50", "percents that grow and end with 100"),
        ("phase-0-percent", "101", "100 or less is possible."),
        ("limit-holdback", "70", "50 or less is possible."),
        ("harm-0-alpha", "20", "9.999 or less is possible."),
        ("harm-0-margin", "0.5", "1 or more is needed."),
        ("phase-0-units", "1000000000", "100,000,000 or less is possible."),
        ("limit-extension_days", "1e308", "365 or less is possible."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_in_its_unit(
    alice: Client, field: str, typed: str, said: str
) -> None:
    shown = alice.post(NEW, _fields(alice, save="1") | {field: typed})

    assert shown.status_code == 422
    assert said in _words(shown)
    assert "Nothing was stored" in _words(shown)


def test_no_request_makes_a_page_of_a_thousand_rows(alice: Client) -> None:
    many = {"phase-TOTAL_FORMS": "1000", "harm-TOTAL_FORMS": "1000"}

    shown = alice.post(NEW, _fields(alice, save="1") | many)

    assert shown.status_code == 422
    assert len(shown.context["phases"]) == len(shown.context["harms"]) == 50


def test_a_plan_is_told_in_words_and_units(alice: Client) -> None:
    shown = _words(alice.get(f"{sites.PLANS}guide/1/"))
    editor = pages.content(alice.get(f"{sites.PLANS}guide/1/new/"))

    assert "Fewer billed tokens, at least 40 %" in shown
    assert "3,000 ms" in shown
    assert "20,000 tokens" in shown
    assert "<legend>Empty answers</legend>" in editor


def test_who_may_not_operate_makes_none(viewer: Client) -> None:
    assert viewer.get(NEW).status_code == 403
    assert viewer.post(NEW, {"save": "1"}).status_code == 403
    assert viewer.get(f"{sites.PLANS}short/9/").status_code == 404
