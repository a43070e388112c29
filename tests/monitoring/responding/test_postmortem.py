"""The post-mortem has what is known, and empty parts for what people have to write."""

import re

import pytest
from django.utils import timezone

from monitoring import incidents
from monitoring.responding import postmortem
from tests.monitoring.responding import making

pytestmark = pytest.mark.django_db


def _document(pk: int) -> str:
    return postmortem.markdown(incidents.find(pk), now=timezone.now())


def test_it_tells_the_facts_the_timeline_and_the_alerts() -> None:
    incident = incidents.open_for(making.alert())
    assert incident is not None
    incidents.acknowledge(incident.pk, actor="bob")
    incidents.assign(incident.pk, {"commander": "Alice"}, actor="bob")
    incidents.describe(incident.pk, {"impact": "Some wait."}, actor="bob")
    incidents.resolve(incident.pk, actor="bob", text="A new key.")

    document = _document(incident.pk)

    assert document.startswith("# Post-mortem: More than 10 % of the turns fail.\n")
    assert "| Severity | critical |" in document
    assert "| Time to detect | 2 min |" in document
    assert "| Incident commander | Alice |" in document
    assert "| Operations | nobody |" in document
    assert "## Impact\n\nSome wait.\n" in document
    assert "| status change | Resolved. A new key. | bob |" in document
    assert "| error\\_rate | critical | " in document


def test_what_people_have_to_write_is_left_empty() -> None:
    document = _document(making.opened().pk)

    for title in ("What went well", "What went wrong", "Actions"):
        assert f"## {title}\n\n_To be written._" in document
    assert "| Resolved | not yet |" in document
    assert "| Time to resolve | not yet |" in document
    assert re.search(r"\| Started \| [\d: -]+ UTC \|", document)
    assert "## Alerts\n\nNone." in document


def test_words_of_people_break_no_table_and_no_page() -> None:
    incident = making.opened("A | B <script> &lt;b>")
    incidents.add_note(incident.pk, "one | two\n# three `four`", actor="bob|")

    document = _document(incident.pk)

    assert "# Post-mortem: A \\| B \\<script\\> \\&lt;b\\>" in document
    assert "| one \\| two / \\# three \\`four\\` | bob\\| |" in document
    tables = [line for line in document.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in tables} == {3, 5}
