"""The incident pages: all of the staff look, and only operators act."""

import pytest
from django.test import Client

from monitoring import incidents
from tests.flags.pages import content, words
from tests.monitoring.conftest import SignIn
from tests.monitoring.responding import desk, making


def test_the_list_shows_open_ones_first_and_the_means(viewer: Client) -> None:
    incidents.resolve(making.opened("An old one").pk, actor="alice")
    making.opened("A new one")

    told = words(viewer.get(desk.LIST))

    assert told.index("A new one") < told.index("An old one")
    assert "Nobody has acknowledged it." in told
    assert "Mean time to resolve (MTTR) begin to resolved 0 s" in told
    assert "Mean time to acknowledge (MTTA) detected to acknowledged no data" in told


def test_without_incidents_it_says_so(viewer: Client) -> None:
    assert "No incident is open." in words(viewer.get(desk.LIST))


def test_the_resolved_ones_come_in_pages(viewer: Client) -> None:
    for number in range(26):
        incidents.resolve(making.opened(f"Number {number:02}").pk, actor="alice")

    assert "Number 00" not in words(viewer.get(desk.LIST))
    assert "Number 00" in words(viewer.get(f"{desk.LIST}?page=2"))


def test_one_is_shown_with_its_timeline(viewer: Client) -> None:
    incident = incidents.open_for(making.alert())
    assert incident is not None
    incidents.add_note(incident.pk, "<b>Restarted</b> it.", actor="bob")

    page = viewer.get(desk.url(incident))

    told = words(page)
    assert "More than 10 % of the turns fail." in told
    assert "error_rate (critical) fired" in told
    assert "&lt;b&gt;Restarted&lt;/b&gt; it." in content(page)
    assert "Time to detect begin to detected 2 min" in told
    assert "Its alerts: error_rate (firing)" in told
    assert f"/admin/monitoring/alert/{incident.alert_id}/" in content(page)


def test_a_viewer_gets_no_forms(viewer: Client) -> None:
    page = viewer.get(desk.url(making.opened()))

    assert "<form" not in content(page)
    assert "Download the post-mortem" in words(page)


def test_an_incident_that_is_not_there_is_not_found(operator: Client) -> None:
    assert operator.get(f"{desk.LIST}999/").status_code == 404
    assert operator.get(f"{desk.LIST}999/letter/issue/").status_code == 404
    assert operator.get(f"{desk.LIST}999/postmortem.md").status_code == 404


def test_the_post_mortem_is_a_file(viewer: Client) -> None:
    incident = making.opened()

    answer = viewer.get(desk.url(incident, "postmortem.md"))

    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert f"incident-{incident.pk}-postmortem.md" in answer["Content-Disposition"]
    assert answer.content.decode().startswith("# Post-mortem: Answers fail")


@pytest.mark.parametrize("step", [*desk.STEPS, "letter/issue", "letter/rollback"])
def test_a_viewer_may_not_act(viewer: Client, step: str) -> None:
    incident = making.opened()

    answer = viewer.post(desk.url(incident, f"{step}/"), {"text": "Hello"})

    assert answer.status_code == 403
    assert len(making.entries(incident)) == 1


def test_staff_without_the_permission_see_nothing(sign_in: SignIn) -> None:
    somebody = sign_in("sam")

    for url in (desk.LIST, desk.url(making.opened()), f"{desk.LIST}open/"):
        assert somebody.get(url).status_code == 403


def test_who_is_not_signed_in_is_asked_to(db: None, client: Client) -> None:
    answer = client.get(desk.LIST)

    assert answer.status_code == 302
    assert "login" in answer["Location"]
