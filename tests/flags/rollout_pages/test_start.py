"""Starting a rollout from its page."""

from django.test import Client
from django.utils import timezone

from flags.models import Drill, Rollout
from tests.chat import stored
from tests.flags import pages, ramping
from tests.flags.rollout_pages import sites


def _start(client: Client, **given: str) -> object:
    return client.post(
        sites.START, {"reason": "It is time.", "delay": "0"} | given, follow=True
    )


def test_it_shows_the_plan_and_starts_it_after_a_drill(alice: Client) -> None:
    plan = ramping.planned()
    Drill.objects.create(
        fault="errors=0.5", created_by="bob", is_green=True, ended_at=timezone.now()
    )

    asked = alice.get(f"{sites.START}?plan={plan.pk}")
    answered = _start(alice, plan=str(plan.pk))

    assert "What plan short@1 would do" in pages.words(asked)
    assert "0 days" not in pages.words(asked)
    assert "Start the rollout by plan short@1" in pages.words(asked)
    assert "rollout is under way" not in pages.words(asked)
    assert "rollout is under way" in pages.words(alice.get(sites.START))
    rollout = Rollout.objects.get()
    assert (rollout.plan, rollout.started_by) == (plan, "alice")
    assert "ARMED" in pages.words(answered)


def test_without_a_drill_it_is_refused_unless_asked_for(alice: Client) -> None:
    plan = ramping.planned()

    refused = alice.post(
        sites.START, {"plan": plan.pk, "delay": "0", "reason": "It is time."}
    )
    _start(alice, plan=str(plan.pk), without_drill="on", delay="4")

    assert refused.status_code == 422
    assert "No drill of errors has ended well" in pages.words(refused)
    rollout = Rollout.objects.get()
    assert (rollout.starts_at - rollout.created_at).total_seconds() == 4 * 3600


def test_it_needs_a_reason_and_a_flag_that_gives_nothing(alice: Client) -> None:
    plan = ramping.planned()
    mute = alice.post(sites.START, {"plan": plan.pk, "delay": "0"})
    stored.roll_out(5)

    exposed = alice.post(
        sites.START,
        {"plan": plan.pk, "delay": "0", "reason": "x", "without_drill": "on"},
    )

    assert "Say why" in pages.words(mute)
    assert "already gives 5" in pages.words(exposed)
    assert not Rollout.objects.exists()


def test_a_viewer_starts_nothing(viewer: Client) -> None:
    assert viewer.get(sites.START).status_code == 403
    assert viewer.post(sites.START, {"reason": "x"}).status_code == 403


def test_a_second_one_at_once_is_refused(alice: Client) -> None:
    sites.running(minutes=1)

    answered = alice.post(
        sites.START, {"delay": "0", "reason": "x", "without_drill": "on"}
    )

    assert answered.status_code == 422
    assert "under way already" in pages.words(answered)
    assert "Start another rollout" not in pages.words(alice.get(sites.NEWEST))
