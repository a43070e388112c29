"""Each channel as its receiver sees it."""

import hashlib
import hmac
import json
import logging
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from monitoring.channels import kinds, patience, trial
from monitoring.channels.message import Message, NotSent
from monitoring.models import Delivery
from tests.monitoring.channels import sinks
from tests.monitoring.channels.conftest import WEBHOOK_SECRET, use_mail, use_webhook

_RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "RUNBOOK.md"


def _message(**given: Any) -> Message:
    fields = {
        "id": "0123abcd",
        "severity": "critical",
        "subject": "[CRITICAL] down: It is <down> & out",
        "text": "New:\n- down\n.\n.. and Ünïcode",
        **given,
    }
    return Message(**fields)


def _alert(**given: Any) -> dict[str, Any]:
    return {
        "name": "down",
        "label": "web",
        "state": "firing",
        "summary": "It is <!channel> down",
        "runbook": "docs/RUNBOOK.md#alert-down",
        **given,
    }


def test_a_mail_arrives_at_all_of_them(
    settings: Settings, mail_sink: sinks.MailSink
) -> None:
    settings.ALERT_EMAIL_TO = ["ops@example.org", "boss@example.org"]

    said = kinds.find("email").send(_message())

    (mail,), (recipients,) = mail_sink.mails, mail_sink.recipients
    assert recipients == ["ops@example.org", "boss@example.org"]
    assert mail["Subject"] == "[CRITICAL] down: It is <down> & out"
    assert mail["X-Oracle-Delivery"] == "0123abcd"
    assert "0123abcd" in mail["Message-ID"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines()[-1] == ".. and Ünïcode"
    assert said == "127.0.0.1 took the mail for 2 of 2 addresses."


def test_a_mail_may_name_whom_it_is_for(mail_sink: sinks.MailSink) -> None:
    kinds.find("email").send(_message(payload={"to": ["eve@example.org"]}))

    assert mail_sink.recipients == [["eve@example.org"]]


def test_no_subject_adds_a_header(mail_sink: sinks.MailSink) -> None:
    kinds.find("email").send(_message(subject="down\r\nBcc: eve@example.org"))

    assert mail_sink.mails[0]["Bcc"] is None
    assert mail_sink.recipients == [["ops@example.org"]]


def test_a_mail_server_that_refuses_is_quoted(settings: Settings) -> None:
    with sinks.mail(refusal="550 no such <ops@example.org>") as sink:
        use_mail(settings, sink.port)
        with pytest.raises(NotSent, match="took no mail: SMTPRecipientsRefused"):
            kinds.find("email").send(_message())

    assert sink.mails == []


def test_one_address_that_is_refused_is_told_and_the_others_get_it(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with sinks.mail(refusal="550 no such user", of="gone") as sink:
        use_mail(settings, sink.port)
        settings.ALERT_EMAIL_TO = ["gone@example.org", "ops@example.org"]
        said = kinds.find("email").send(_message())

    assert sink.recipients == [["ops@example.org"]]
    assert said == "127.0.0.1 took the mail for 1 of 2 addresses."
    assert "mail.refused" in caplog.text
    assert "gone@" not in caplog.text


def test_a_mail_server_that_is_not_there_is_a_failure(settings: Settings) -> None:
    use_mail(settings, 1)

    with pytest.raises(NotSent, match="Connection refused"):
        kinds.find("email").send(_message())


def test_a_mail_server_that_says_nothing_is_left(settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    with sinks.silent() as address:
        use_mail(settings, int(address.rpartition(":")[2]))
        with pytest.raises(NotSent, match="took no mail"):
            kinds.find("email").send(_message())


def test_a_webhook_gets_json_that_is_signed(webhook: sinks.WebSink) -> None:
    said = kinds.find("webhook").send(_message(payload={"alerts": [_alert()]}))

    (posted,) = webhook.posted
    document = json.loads(posted.body)
    assert document["id"] == posted.headers["X-Oracle-Delivery"] == "0123abcd"
    assert document["severity"] == "critical"
    assert document["data"]["alerts"][0]["name"] == "down"
    found = re.fullmatch(
        r"t=(\d+),v1=([0-9a-f]{64})", posted.headers["X-Oracle-Signature"]
    )
    assert found
    digest = hmac.new(
        WEBHOOK_SECRET.encode(), found[1].encode() + b"." + posted.body, hashlib.sha256
    )
    assert found[2] == digest.hexdigest()
    assert abs(int(found[1]) - time.time()) < 60
    assert said == "127.0.0.1 answered 200."


def test_the_runbook_shows_how_to_check_the_signature(webhook: sinks.WebSink) -> None:
    section = _RUNBOOK.read_text("utf-8").partition("## Who is told")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code
    known: dict[str, Any] = {}
    exec(code[1], known)
    kinds.find("webhook").send(_message())
    (posted,) = webhook.posted

    def check(body: bytes, secret: str, header: str) -> bool:
        return bool(known["is_ours"](body, header, secret))

    header = posted.headers["X-Oracle-Signature"]
    assert check(posted.body, WEBHOOK_SECRET, header)
    assert not check(posted.body + b" ", WEBHOOK_SECRET, header)
    assert not check(posted.body, "another-secret-of-theirs", header)
    assert not check(posted.body, WEBHOOK_SECRET, re.sub(r"t=\d+", "t=1", header))


def test_slack_gets_a_field_for_each_alert(
    settings: Settings, web_sink: sinks.WebSink
) -> None:
    settings.ALERT_SLACK_URL = web_sink.url
    alerts = [_alert(), _alert(label="", state="resolved")]

    kinds.find("slack").send(_message(payload={"alerts": alerts, "more_count": 3}))

    document = json.loads(web_sink.posted[0].body)
    (attachment,) = document["attachments"]
    assert document["text"] == "[CRITICAL] down: It is &lt;down&gt; &amp; out"
    assert attachment["color"] == "#c62828"
    assert attachment["text"] == "and 3 more"
    assert [each["title"] for each in attachment["fields"]] == ["down web", "down"]
    on, over = (each["value"] for each in attachment["fields"])
    assert on.splitlines() == [
        "on: It is &lt;!channel&gt; down",
        "What to do: docs/RUNBOOK.md#alert-down",
    ]
    assert over == "resolved: It is &lt;!channel&gt; down"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("@channel @all", "@\u200bchannel @\u200ball"),
        ("(@here) _@here", "(@\u200bhere) _@\u200bhere"),
        ("ask ops@example.org", "ask ops@example.org"),
        ("[log in](https://e.org)", "[log in]\u200b(https://e.org)"),
        ("[a][b]\n[b]: https://e.org", "[a]\u200b[b]\n[b]\u200b: https://e.org"),
        ("[CRITICAL] down (web)", "[CRITICAL] down (web)"),
    ],
)
def test_mattermost_reads_no_mention_or_link_into_it(
    settings: Settings, web_sink: sinks.WebSink, written: str, sent: str
) -> None:
    settings.ALERT_SLACK_URL = web_sink.url

    kinds.find("slack").send(_message(text=written))

    (attachment,) = json.loads(web_sink.posted[0].body)["attachments"]
    assert attachment["text"] == sent


def test_slack_shows_an_end_in_green_and_other_messages_as_text(
    settings: Settings, web_sink: sinks.WebSink
) -> None:
    settings.ALERT_SLACK_URL = web_sink.url
    kinds.find("slack").send(_message(payload={"alerts": [_alert(state="resolved")]}))
    kinds.find("slack").send(_message())

    over, plain = [json.loads(each.body)["attachments"][0] for each in web_sink.posted]
    assert over["color"] == "#2e7d32"
    assert plain["text"].startswith("New:")


def test_the_log_has_it_at_the_level_of_its_severity(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        for severity in ("info", "warning", "critical"):
            kinds.find("log").send(_message(severity=severity))

    told = [each for each in caplog.records if "alerts.told" in each.getMessage()]
    assert [each.levelname for each in told] == ["INFO", "WARNING", "CRITICAL"]


def test_apprise_says_how_to_install_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    settings.ALERT_APPRISE_URLS = ["json://canary@127.0.0.1/"]

    with pytest.raises(NotSent, match=r"pip install apprise==2\.2\.0"):
        kinds.find("apprise").send(_message())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_sends_where_it_is_installed(
    settings: Settings, web_sink: sinks.WebSink
) -> None:
    pytest.importorskip("apprise")
    settings.ALERT_APPRISE_URLS = [web_sink.url.replace("http://", "json://")]

    said = kinds.find("apprise").send(_message())

    assert said == "apprise reached all of its addresses (1)."
    assert b"It is" in web_sink.posted[0].body


def test_what_takes_for_ever_is_left() -> None:
    is_over = threading.Event()

    with pytest.raises(NotSent, match=r"within 0\.1 s"):
        patience.within(lambda: str(is_over.wait(30)), longest_s=0.1)
    is_over.set()


def test_without_settings_only_the_log_is_configured(settings: Settings) -> None:
    assert [kind.name for kind in kinds.every() if kind.is_configured] == ["log"]


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("email", "EMAIL_HOST and ALERT_EMAIL_TO"),
        ("slack", "ALERT_SLACK_URL"),
        ("webhook", "ALERT_WEBHOOK_URL"),
        ("apprise", "ALERT_APPRISE_URLS"),
    ],
)
def test_what_is_not_configured_says_what_to_set(name: str, missing: str) -> None:
    with pytest.raises(kinds.NotConfigured, match=f"set {missing}"):
        kinds.find(name).send(_message())


def test_an_unknown_channel_is_answered_with_those_there_are() -> None:
    with pytest.raises(kinds.UnknownChannel, match="log, email, slack"):
        kinds.find("pigeon")


def test_where_a_channel_leads_is_told_without_its_secret(
    settings: Settings,
) -> None:
    settings.ALERT_SLACK_URL = "https://hooks.example.org/services/T0/canary"
    use_webhook(settings, "https://u:canary@hooks.example.org/canary?canary")
    settings.ALERT_APPRISE_URLS = ["json://canary@example.org/"]

    told = [kind.where() for kind in kinds.every()]

    assert "canary" not in "".join(told)
    assert told[2] == "hooks.example.org"


@pytest.mark.django_db
def test_a_test_that_fails_oddly_is_told_and_kept(settings: Settings) -> None:
    settings.ALERT_SLACK_URL = "http://[canary"

    with pytest.raises(NotSent, match="Our own trouble: ValueError"):
        trial.run("slack", actor="anna")

    kept = Delivery.objects.get()
    assert (kept.state, kept.error) == ("failed", "Our own trouble: ValueError.")
