"""Reports that are kept: made when their period is over, and again once settled."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from monitoring.channels import outbox
from monitoring.history.state import State
from monitoring.models import Report
from monitoring.reporting import body, text
from monitoring.reporting.periods import Window, last

log = structlog.get_logger(__name__)

# How many periods back are made up for after a pause.
_BACK = {"quarter": 4, "hour": 24, "day": 7}


def find(window: Window) -> Report | None:
    """Return the stored report of a window, if there is one."""
    return Report.objects.filter(period=window.period, begin=window.begin).first()


def compute(window: Window, now: datetime) -> Report:
    """Return a window's report as of now, not stored. Raises: django.db.Error."""
    return Report(
        period=window.period,
        begin=window.begin,
        end=window.end,
        body=body.computed(window, now),
        created_at=now,
    )


def store(window: Window, now: datetime) -> Report:
    """Compute a window's report and keep it in the place of an older one."""
    made = compute(window, now)
    return Report.objects.update_or_create(
        period=made.period,
        begin=made.begin,
        defaults={"end": made.end, "body": made.body, "created_at": now},
    )[0]


def make_due(period: str, now: datetime) -> int:
    """Make the reports of the periods that are over; return how many.

    After a pause the missed ones, too, as far back as is of interest; the very first
    time only the last. Each is mailed, if asked for, once it is settled.
    """
    return sum(_make(window, now) for window in _due(period, now))


def settle(now: datetime) -> int:
    """Compute those again that were made too early and can be settled by now."""
    until = State.read().until
    if until is None:
        return 0
    due = Report.objects.filter(body__is_settled=False, end__lte=until)
    return sum(_settle(report, now) for report in due.order_by("begin"))


def _due(period: str, now: datetime) -> Iterator[Window]:
    newest = last(period, now)
    known = set(
        Report.objects.filter(period=period, begin__lte=newest.begin)
        .order_by("-begin")
        .values_list("begin", flat=True)[: _BACK[period]]
    )
    missing: list[Window] = []
    window = newest
    while window.begin not in known and len(missing) < _BACK[period]:
        missing.append(window)
        window = window.before
    yield from reversed(missing if known else missing[:1])


def _make(window: Window, now: datetime) -> bool:
    """Make one unless somebody else has meanwhile."""
    report = compute(window, now)
    try:
        with transaction.atomic():
            report.save(force_insert=True)
            _mail(report)
    except IntegrityError:
        return False
    log.info("report.made", period=report.period, begin=report.body["begin"])
    for sentence in report.body["advice"]:
        log.warning("report.advice", period=report.period, says=sentence)
    return True


def _settle(report: Report, now: datetime) -> bool:
    window = Window(report.period, report.begin)
    made = compute(window, now)
    with transaction.atomic():
        unsettled = Report.objects.filter(pk=report.pk, body__is_settled=False)
        is_ours = unsettled.update(body=made.body, created_at=now) == 1
        if is_ours:
            _mail(made)
    return is_ours


def _mail(report: Report) -> None:
    """Mail it if somebody wants it and it will not change any more."""
    is_wanted = report.period in settings.REPORT_EMAIL_PERIODS
    if is_wanted and settings.REPORT_EMAIL_TO and report.body["is_settled"]:
        outbox.mail(
            to=settings.REPORT_EMAIL_TO,
            subject=f"Oracle Chat report, {text.title(report.body)}",
            text=text.plain(report.body),
        )
