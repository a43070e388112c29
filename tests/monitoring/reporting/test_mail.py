"""A report on its way to people, over a real mail server."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from monitoring.channels import sending
from monitoring.models import Delivery, Report
from monitoring.reporting import storing, text
from tests.monitoring.channels import sinks
from tests.monitoring.channels.conftest import use_mail
from tests.monitoring.reporting.conftest import DAY, Put

NEXT = DAY + timedelta(days=1)


@pytest.mark.usefixtures("recorded")
def test_it_reaches_those_who_get_reports_and_nobody_else(
    settings: Settings, put: Put, pulse: Callable[[datetime, int], None]
) -> None:
    pulse(DAY, 60)
    put("turns", DAY, [1] * 30, "complete")
    put("turn_ms", DAY, [4000.0] * 30, "on")
    with sinks.mail() as sink:
        use_mail(settings, sink.port)
        settings.ALERT_EMAIL_TO = []
        settings.REPORT_EMAIL_TO = ["olga@example.org"]
        storing.make_due("day", NEXT + timedelta(minutes=10))

        assert sending.deliver(Delivery.objects.get().due_at) == 1

    assert sink.recipients == [["olga@example.org"]]
    (mail,) = sink.mails
    assert mail["Subject"] == f"Oracle Chat report, Day: {DAY:%Y-%m-%d} (UTC)"
    said = mail.get_content().replace("\r\n", "\n")
    assert said.strip() == text.plain(Report.objects.get().body).strip()
    assert "- Answers take 4,000 ms on average, more than 3,000 ms." in said
