"""What an operator does with the pages of orders, without a browser."""

from dataclasses import replace
from typing import Any

from django.test import Client

from flags.models import Decision, Rollout
from flags.rollouts import Order
from tests.flags import pages
from tests.flags.operators import BOB
from tests.flags.rollout_pages import sites


def ask(client: Client, rollout: Rollout, verb: str, **more: Any) -> Any:
    given = {"seen": rollout.version} | more
    return client.get(sites.order(rollout, verb), given)


def do(client: Client, rollout: Rollout, verb: str, **more: Any) -> Any:
    """Confirm what the verb's page proposes; follow to the page that comes then."""
    asked = ask(client, rollout, verb, **more)
    if asked.status_code == 302:
        return client.get(asked.headers["Location"])
    shown = pages.inputs(asked)
    given = {"seen": shown["seen"], "reason": "Because."} | more
    given |= {k: shown[k] for k in ("phase", "hold") if k in shown and k not in more}
    return client.post(sites.order(rollout, verb), given, follow=True)


def words(answered: Any) -> str:
    return pages.words(answered).replace("\u00a0", " ")


def messages(answered: Any) -> str:
    return " ".join(str(each) for each in answered.context["messages"])


def last() -> Decision:
    return Decision.objects.latest("id")


def by(name: str) -> Order:
    return Order(actor=replace(BOB, name=name), reason="I was first.")
