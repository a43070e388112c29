"""What an operator does on the control page, without a browser."""

import html
import re
from typing import Any

from django.test import Client

from flags import changes, runtime
from flags.changes import Actor
from flags.models import Change

CONTROL = "/admin/flags/flag/control/"
PERCENT = f"{CONTROL}percent/"
SETTINGS = f"{CONTROL}settings/"
CONFIRM = f"{CONTROL}confirm/"
KILL = f"{CONTROL}kill/"
HISTORY = f"{CONTROL}history/"
EXPORT = f"{CONTROL}export/"
IMPORT = f"{CONTROL}import/"


def content(response: Any) -> str:
    """Return the HTML of the page's own part."""
    page = response.content.decode()
    return str(page[page.index('<main id="content-start"') : page.index("</main>")])


def words(response: Any) -> str:
    """Return what a person reads there, in one line."""
    text = html.unescape(re.sub(r"<[^>]+>", " ", content(response)))
    return re.sub(r"\s+(?=[,.;:”]|\s)", "", re.sub(r"\s+", " ", text))


def inputs(response: Any) -> dict[str, str]:
    """Return the values of the page's text and hidden fields, by name."""
    found = {}
    for tag in re.findall(r"<input [^>]*>", content(response)):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") in {"text", "hidden"}:
            found[given["name"]] = html.unescape(given.get("value", ""))
    for tag, name, options in re.findall(
        r'(<select [^>]*name="(\w+)"[^>]*>)(.*?)</select>', content(response), re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else tag
    return found


def ask_percent(
    client: Client, percent: object, *, shown: Any = None, **more: str
) -> Any:
    """Send the form of the percent; `shown` is the page that it was on."""
    seen = inputs(shown or client.get(CONTROL))["seen"]
    given = {"percent": str(percent), "seen": seen} | more
    return client.post(PERCENT, given)


def ask_settings(client: Client, *, shown: Any = None, **edited: str) -> Any:
    """Send the form of all settings as it was shown, but for the edited ones."""
    given = inputs(shown or client.get(CONTROL)) | edited
    return client.post(SETTINGS, given)


def confirm(
    client: Client, proposed: Any, *, reason: str = "Because.", **more: str
) -> Any:
    """Confirm what a page proposes, and follow to the page that comes then."""
    given = {"wish": inputs(proposed)["wish"], "reason": reason} | more
    return client.post(CONFIRM, given, follow=True)


def change(name: str = "carol", reason: str = "Because.", **wanted: object) -> None:
    """Change values as somebody who is not at this page."""
    change_all(wanted, name=name, reason=reason)


def change_all(
    wanted: dict[str, object], *, name: str = "carol", reason: str = "Because."
) -> None:
    """Change values that are named in a dict."""
    changes.apply(wanted, actor=Actor(name, Change.Channel.COMMAND), reason=reason)


def turn_on(percent: object = 10) -> None:
    """Switch persistent sessions on for so many."""
    change(USE_PERSISTENT_SESSIONS=True, GRADUAL_ROLLOUT_PERCENTAGE=percent)


def held(name: str) -> object:
    """Return the value that the database has."""
    return runtime.current()[name]


def by_people() -> list[Change]:
    """Return the changes that somebody made, the oldest first."""
    environment = Change.Channel.ENVIRONMENT
    return list(Change.objects.exclude(channel=environment).order_by("id"))
