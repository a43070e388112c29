"""The control page while a rollout holds the percent."""

from django.test import Client
from django.urls import reverse

from flags import gathering, runtime, wishes
from flags.models import Rollout
from flags.situation import State
from tests.flags import pages
from tests.flags.ordering import placed


def _asked(alice: Client, percent: str) -> str:
    data = {"percent": percent, "seen": wishes.sign_seen(runtime.current())}
    answer = alice.post(reverse("admin:flags_ask_percent"), data, follow=True)
    return answer.content.decode()


def test_the_page_says_who_holds_the_percent(alice: Client) -> None:
    rollout = placed(State.RAMPING)

    page = _asked(alice, "33")

    assert f"Rollout {rollout.pk}, which alice started, holds the percent" in page
    assert "it is ramping at 20 %" in page
    assert gathering.flag_percent() == 20
    shown = alice.get(pages.CONTROL)
    assert reverse("admin:flags_ask_percent") not in pages.content(shown)
    told = f"Rollout {rollout.pk}, which alice started, is ramping and sets it"
    assert told in pages.words(shown)
    Rollout.objects.update(state=State.PAUSED)
    assert "Confirm the change" in _asked(alice, "33")


def test_the_page_still_switches_it_off(alice: Client) -> None:
    placed(State.RAMPING)

    alice.post(reverse("admin:flags_kill"), {"reason": ""})

    assert gathering.flag_percent() == 0


def test_what_is_to_be_mended_is_listed_with_commas(alice: Client) -> None:
    answer = pages.ask_settings(
        alice, PERSISTENT_SESSION_TIMEOUT="x", CLEANUP_BATCH_SIZE="x"
    )

    words = pages.words(answer)

    assert "Please mend: Persistent session timeout, Cleanup batch size." in words
