"""An operator works on an incident on its pages, without JavaScript."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from monitoring import incidents
from monitoring.models import Alert, Channel, Delivery, Incident
from tests.flags.pages import content, words
from tests.monitoring.responding import desk, making


def test_an_operator_opens_one(operator: Client) -> None:
    given = {
        "title": "Slow answers",
        "severity": "warning",
        "impact": "They wait.",
        "started_at": "2026-01-01T10:00",
    }

    page = operator.post(f"{desk.LIST}open/", given, follow=True)

    incident = Incident.objects.get()
    assert page.redirect_chain[-1][0] == desk.url(incident)
    assert incident.started_at.isoformat() == "2026-01-01T10:00:00+00:00"
    assert incident.opened_by == "alice"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"title": ""}, "This field is required"),
        ({"title": "x", "severity": "bad"}, "Select a valid choice"),
        ({"title": "x", "started_at": "soon"}, "Enter a valid date"),
        ({"title": "x", "started_at": "2999-01-01T10:00"}, "that is to come"),
    ],
)
def test_bad_input_is_led_to_and_kept(
    operator: Client, given: dict[str, str], told: str
) -> None:
    data = {"severity": "info", "impact": "Kept words"} | given

    page = operator.post(f"{desk.LIST}open/", data)

    assert told in words(page)
    assert "Kept words" in words(page)
    assert not Incident.objects.exists()


def test_an_operator_acknowledges_it(operator: Client) -> None:
    incident = making.opened()

    page = operator.post(desk.url(incident, "acknowledge/"), follow=True)

    assert incidents.find(incident.pk).acknowledged_at is not None
    assert "Acknowledge" not in [
        button.strip() for button in content(page).split(">") if "<" not in button
    ]
    again = operator.post(desk.url(incident, "acknowledge/"), follow=True)
    assert "was acknowledged at" in again.content.decode()


def test_an_update_adds_a_note(operator: Client) -> None:
    incident = making.opened()

    desk.update(operator, incident, text="Restarted it.")

    assert making.entries(incident)[-1] == ("note", "Restarted it.", "alice")


def test_an_update_sets_the_status_and_promises_the_next(operator: Client) -> None:
    incident = making.opened()

    desk.update(
        operator, incident, text="A bad key.", status="identified", promise="30"
    )

    found = incidents.find(incident.pk)
    assert found.status == "identified"
    assert found.next_update_at is not None
    left = found.next_update_at - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)


def test_an_update_that_says_nothing_is_refused(operator: Client) -> None:
    incident = making.opened()

    page = desk.update(operator, incident)

    assert "Write a text, or choose another status or the next update." in words(page)
    assert len(making.entries(incident)) == 1


def test_who_comes_second_keeps_their_words_and_decides_anew(operator: Client) -> None:
    incident = making.opened()
    incidents.set_status(incident.pk, "identified", actor="bob")

    page = desk.update(operator, incident, text="My words", status="monitoring")

    assert "Somebody set it to identified in the meantime." in page.content.decode()
    assert "My words" in words(page)
    form = page.context["update_form"]
    assert (form["seen"].value(), form["status"].value()) == (
        "identified",
        "monitoring",
    )


def test_roles_and_description_are_edited(operator: Client) -> None:
    incident = making.opened()

    desk.begin_edit(operator, incident, commander="Bob B.", impact="Two\nlines")()

    found = incidents.find(incident.pk)
    assert (found.commander, found.impact) == ("Bob B.", "Two\nlines")


def test_an_edit_overwrites_only_what_its_person_saw(operator: Client) -> None:
    incident = making.opened()
    send = desk.begin_edit(operator, incident, commander="Bob B.")
    incidents.describe(incident.pk, {"impact": "Meanwhile"}, actor="carol")

    send()

    found = incidents.find(incident.pk)
    assert (found.commander, found.impact) == ("Bob B.", "Meanwhile")


def test_two_edits_of_the_same_are_a_conflict(operator: Client) -> None:
    incident = making.opened()
    send = desk.begin_edit(operator, incident, commander="Bob B.", title="Mine")
    incidents.assign(incident.pk, {"commander": "Carol"}, actor="carol")

    page = send()

    found = incidents.find(incident.pk)
    assert (found.commander, found.title) == ("Carol", "Answers fail")
    assert "changed the same in the meantime" in page.content.decode()
    assert page.context["edit_form"]["commander"].value() == "Bob B."


def test_resolving_asks_first(operator: Client) -> None:
    incident = making.opened()

    asked = operator.get(desk.url(incident, "resolve/"))
    assert "Resolve it" in words(asked)
    assert incidents.find(incident.pk).resolved_at is None

    operator.post(desk.url(incident, "resolve/"), {"text": "A new key."})
    assert incidents.find(incident.pk).resolved_at is not None
    again = operator.post(desk.url(incident, "resolve/"), {"text": "A new key."})
    assert "is resolved since" in words(again)


def test_once_all_alerts_are_over_it_proposes_to_resolve(operator: Client) -> None:
    incident = incidents.open_for(making.alert())
    assert incident is not None
    incidents.open_for(making.alert("database_down"))
    proposal = "All its alerts have been over since"
    over = {"state": "resolved", "resolved_at": timezone.now()}

    Alert.objects.filter(name="error_rate").update(**over)
    assert proposal not in words(operator.get(desk.url(incident)))
    Alert.objects.update(**over)
    assert proposal in words(operator.get(desk.url(incident)))

    assert incidents.find(incident.pk).resolved_at is None


def test_who_resolves_is_told_what_still_fires(operator: Client) -> None:
    incident = incidents.open_for(making.alert())
    assert incident is not None
    incidents.open_for(making.alert("database_down"))

    asked = words(operator.get(desk.url(incident, "resolve/")))
    Alert.objects.update(state="resolved", resolved_at=timezone.now())
    quiet = words(operator.get(desk.url(incident, "resolve/")))

    assert "2 of its alerts still fire: error_rate, database_down." in asked
    assert "still fire" not in quiet


def test_it_is_put_on_the_status_page_and_taken_off(operator: Client) -> None:
    incident = making.opened()
    given = {"publish-title": "Answers are slow", "publish-text": "We look."}

    operator.post(desk.url(incident, "publish/"), given)
    assert incidents.find(incident.pk).public_title == "Answers are slow"
    desk.update(operator, incident, text="Better.", is_public="on")
    assert incident.entries.filter(is_public=True).count() == 2
    operator.post(desk.url(incident, "withdraw/"))
    assert incidents.find(incident.pk).is_public is False


def test_without_words_for_the_public_it_is_not_shown(operator: Client) -> None:
    incident = making.opened()

    page = operator.post(desk.url(incident, "publish/"), {"publish-title": "Slow"})

    assert "This field is required" in words(page)
    assert incidents.find(incident.pk).is_public is False


@pytest.mark.parametrize("step", [s for s in desk.STEPS if s != "resolve"])
def test_who_only_comes_by_a_step_sees_the_incident(
    operator: Client, step: str
) -> None:
    incident = making.opened()

    assert operator.get(desk.url(incident, f"{step}/"))["Location"] == desk.url(
        incident
    )


# --- Letters -------------------------------------------------------------------------


def test_a_letter_is_drafted_edited_previewed_and_sent(operator: Client) -> None:
    Channel.objects.update_or_create(
        kind="log", defaults={"min_severity": "info", "is_enabled": True}
    )
    incident = making.opened(impact="Some wait.")
    url = desk.url(incident, "letter/issue/")

    drafted = operator.get(url)
    assert "[ESTIMATED RESOLUTION TIME]" in words(drafted)
    letter = {"subject": "Issue", "body": "Answers fail.\n\nWe know.", "seen": "0"}
    previewed = operator.post(url, letter)
    assert "Answers fail.<br><br>We know." in content(previewed)
    assert not Delivery.objects.exists()
    edited = operator.post(url, letter | {"edit": "1"})
    assert "Answers fail." in words(edited)
    sent = operator.post(url, letter | {"send": "1"}, follow=True)

    assert "The message goes out by" in sent.content.decode()
    assert Delivery.objects.exists()
    again = operator.post(url, letter | {"send": "1"})
    assert "a message was sent in the meantime" in words(again)


@pytest.mark.parametrize("button", ["preview", "send"])
def test_a_letter_with_gaps_goes_nowhere(operator: Client, button: str) -> None:
    incident = making.opened()
    url = desk.url(incident, "letter/rollback/")
    form = operator.get(url).context["form"]

    page = operator.post(url, form.initial | {button: "1"})

    assert "Not sent: [ROLLBACK REASON], [FEATURE/PARTIAL/FULL]" in words(page)
    assert not Delivery.objects.exists()


def test_a_letter_of_another_kind_is_not_found(operator: Client) -> None:
    incident = making.opened()

    assert operator.get(desk.url(incident, "letter/love/")).status_code == 404
