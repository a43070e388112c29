"""`manage.py incident`: what it prints, and its exit codes."""

import getpass
import json
from pathlib import Path

import pytest
from django.core.management import CommandError

from monitoring import incidents
from monitoring.models import Incident
from tests.flags.commands import refusal, run, run_json
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db


def test_an_incident_goes_from_open_to_resolved() -> None:
    opened = run("incident", "open", "Answers fail", "--impact", "Some wait.")
    pk = str(Incident.objects.get().pk)

    assert opened == f"Incident {pk} is open: Answers fail\n"
    assert "acknowledged" in run("incident", "ack", pk)
    assert "is identified" in run("incident", "status", pk, "identified")
    assert "commander Alice" in run("incident", "assign", pk, "--commander", "Alice")
    assert "timeline" in run("incident", "note", pk, "Restarted it.")
    assert "resolved, after" in run("incident", "resolve", pk, "--text", "A new key.")
    assert {actor for _, _, actor in making.entries(Incident.objects.get())} == {
        getpass.getuser()
    }


def test_the_list_shows_the_open_ones_and_the_means() -> None:
    incidents.resolve(making.opened("Old one").pk, actor="alice")
    making.opened("New one")

    assert "New one" in run("incident", "list")
    assert "Old one" not in run("incident", "list")
    assert "Old one" in run("incident", "list", "--all")
    assert "2 incidents: MTTD 0 s, MTTA no data, MTTR 0 s" in run("incident", "list")


def test_one_incident_is_one_incident() -> None:
    making.opened()

    assert "1 incident: MTTD 0 s" in run("incident", "list")


def test_the_list_as_json() -> None:
    incident = making.opened()

    document = run_json("incident", "list")

    assert document["incidents"][0]["id"] == incident.pk
    assert document["incidents"][0]["time_to_resolve_s"] is None
    assert document["means"]["mttr_s"] is None


def test_one_is_shown_with_its_timeline() -> None:
    incident = making.opened()
    incidents.add_note(incident.pk, "Two\nlines\x0cand more", actor="bob")

    shown = run("incident", "show", str(incident.pk))

    assert "Two / lines" in shown
    assert "(bob)" in shown
    assert "Detected after 0 s, not acknowledged yet, not resolved yet" in shown
    document = run_json("incident", "show", str(incident.pk))
    assert [line["kind"] for line in document["timeline"]["lines"]] == [
        "status change",
        "note",
    ]


def test_the_post_mortem_is_printed_or_written(tmp_path: Path) -> None:
    pk = str(making.opened().pk)
    file = tmp_path / "post.md"

    printed = run("incident", "postmortem", pk)
    run("incident", "postmortem", pk, "--file", str(file))

    assert printed.startswith("# Post-mortem: Answers fail")
    assert file.read_text("utf-8").startswith("# Post-mortem: Answers fail")
    assert "can't be written" in refusal(
        "incident", "postmortem", pk, "--file", str(tmp_path / "no" / "post.md")
    )


def test_refusals_say_what_is_allowed() -> None:
    pk = str(making.opened().pk)

    assert "no incident 999" in refusal("incident", "ack", "999")
    assert "already" in refusal("incident", "status", pk, "investigating")
    assert "publish it first" in refusal("incident", "note", pk, "Hi", "--public")


def test_a_wrong_command_line_is_told_apart_from_a_refusal() -> None:
    pk = str(making.opened().pk)
    opening = ("incident", "open", "x", "--started")

    assert "give a role" in refusal("incident", "assign", pk, code=2)
    for moment in ("soon", "2026-13-01"):
        assert "expected a date" in refusal(*opening, moment, code=2)
    with pytest.raises(CommandError) as refused:
        run("incident", "status", pk, "resolved")
    assert "choose from" in str(refused.value)
    assert "Status." not in str(refused.value)


def test_who_comes_second_gets_the_same_code_for_alerts_and_incidents() -> None:
    alert = making.alert(severity="warning")
    for command, pk in (("incident", making.opened().pk), ("alerts", alert.pk)):
        run(command, "ack", str(pk))

        assert "already" in refusal(command, "ack", str(pk), code=3)


def test_the_end_says_what_still_fires() -> None:
    incident = incidents.open_for(making.alert())
    assert incident is not None

    said = run("incident", "resolve", str(incident.pk))

    assert "1 of its alerts still fires: error_rate." in said


def test_when_it_began_can_be_told() -> None:
    run("incident", "open", "Answers fail", "--started", "2026-01-01T10:00")

    assert Incident.objects.get().started_at.isoformat() == "2026-01-01T10:00:00+00:00"


def test_json_is_one_document() -> None:
    making.opened("A\u2028B")

    assert json.loads(run("incident", "list", "--json"))["incidents"]
