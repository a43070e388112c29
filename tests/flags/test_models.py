"""The flag that waffle asks is ours, and nobody can talk it round."""

from decimal import Decimal
from typing import Any

import pytest
import waffle
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.template import Context, Template
from django.test import RequestFactory
from pytest_django import Settings
from waffle.models import AbstractUserFlag
from waffle.testutils import override_flag

from flags.bucketing import bucket
from flags.models import Change, Flag
from tests.flags.operators import ALICE

pytestmark = pytest.mark.django_db
_NAME = "some_feature"


def _flag(percent: Decimal | float | str = 0, **fields: Any) -> Flag:
    made = Flag(name=_NAME, percent=percent, **fields)
    made.save()
    return made


def _request(
    rf: RequestFactory, user: User | None = None, *, path: str = "/", **headers: str
) -> HttpRequest:
    request: HttpRequest = rf.get(path, headers=headers)
    request.user = user or AnonymousUser()
    return request


def _in_template(request: HttpRequest) -> bool:
    template = Template(
        "{% load waffle_tags %}{% flag some_feature %}on{% else %}off{% endflag %}"
    )
    return template.render(Context({"request": request})) == "on"


def test_waffle_uses_the_table_of_this_project() -> None:
    assert waffle.get_waffle_flag_model() is Flag
    assert issubclass(Flag, AbstractUserFlag)
    assert Flag._meta.db_table == "flags_flag"


@pytest.mark.parametrize(
    ("everyone", "percent", "expected"),
    [(True, 0, True), (False, 100, False), (None, 100, True), (None, 0, False)],
)
def test_a_flag_of_ours_is_what_waffle_reads(
    rf: RequestFactory, everyone: bool | None, percent: int, expected: bool
) -> None:
    _flag(percent, everyone=everyone)
    request = _request(rf)

    assert waffle.flag_is_active(request, _NAME) is expected
    assert _in_template(request) is expected


def test_a_flag_without_a_row_is_off(rf: RequestFactory) -> None:
    assert waffle.flag_is_active(_request(rf), _NAME) is False


def test_nothing_that_a_visitor_can_write_has_a_say(rf: RequestFactory) -> None:
    _flag(50, testing=True)
    forged = _request(
        rf,
        path=f"/?{_NAME}=1&dwft_{_NAME}=1",
        cookie=f"dwf_{_NAME}=True; dwft_{_NAME}=True",
        dwft_some_feature="1",
    )

    assert waffle.flag_is_active(forged, _NAME) is False
    assert _in_template(forged) is False


def test_an_override_in_the_address_has_none_either(
    rf: RequestFactory, settings: Settings
) -> None:
    settings.WAFFLE_OVERRIDE = True
    _flag(100, everyone=False)

    assert waffle.flag_is_active(_request(rf, path=f"/?{_NAME}=1"), _NAME) is False


def test_an_account_has_its_bucket(rf: RequestFactory) -> None:
    flag = _flag(50)
    users = [User.objects.create(username=f"user{number}") for number in range(20)]

    given = [waffle.flag_is_active(_request(rf, user), _NAME) for user in users]

    assert given == [
        bucket(flag_key=_NAME, targeting_key=f"user:{user.pk}", salt=flag.salt) < 5000
        for user in users
    ]
    assert given == [flag.is_active_for_user(user) for user in users]


def test_a_request_without_a_user_gets_what_everybody_gets(rf: RequestFactory) -> None:
    flag = _flag("99.99")
    bare = rf.get("/")

    below = waffle.flag_is_active(bare, _NAME)
    Flag.objects.filter(pk=flag.pk).update(percent=100)

    assert below is False
    assert waffle.flag_is_active(bare, _NAME) is True


def test_staff_and_listed_people_do_not_get_past_a_kill(rf: RequestFactory) -> None:
    alice = User.objects.create_superuser("alice")
    flag = _flag(100, everyone=False, superusers=True, staff=True)
    flag.users.add(alice)

    assert waffle.flag_is_active(_request(rf, alice), _NAME) is False
    assert flag.is_active_for_user(alice) is False


def test_waffles_own_test_override_works(rf: RequestFactory) -> None:
    with override_flag(_NAME, active=True):
        overridden = waffle.flag_is_active(_request(rf), _NAME)

    assert overridden is True
    assert waffle.flag_is_active(_request(rf), _NAME) is False


@pytest.mark.parametrize("percent", [Decimal("-0.01"), Decimal("100.01")])
def test_the_database_keeps_a_percent_within_its_range(percent: Decimal) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        _flag(percent)
    with pytest.raises(ValidationError):
        Flag(name=_NAME, percent=percent).full_clean()


def test_every_flag_has_a_salt_of_its_own() -> None:
    salts = {Flag().salt for _ in range(20)}

    assert len(salts) == 20


def _change() -> Change:
    return Change.objects.create(
        name="CLEANUP_BATCH_SIZE",
        old="50",
        new="60",
        actor=ALICE.name,
        channel=ALICE.channel,
        reason="Because.",
    )


def test_history_is_only_added_to() -> None:
    made = _change()
    made.reason = "Something else."

    for rewrite in (
        made.save,
        made.delete,
        Change.objects.filter(pk=made.pk).delete,
        lambda: Change.objects.filter(pk=made.pk).update(reason="Else."),
        lambda: Change.objects.bulk_update([made], ["reason"]),
    ):
        with pytest.raises(TypeError, match="never"), transaction.atomic():
            rewrite()

    made.refresh_from_db()
    assert made.reason == "Because."


def test_history_outlives_the_account_of_who_made_it() -> None:
    user = User.objects.create_user("alice")
    made = Change.objects.create(
        name="CLEANUP_BATCH_SIZE",
        old="50",
        new="60",
        actor="alice",
        user=user,
        channel=ALICE.channel,
        reason="Because.",
    )

    user.delete()

    made.refresh_from_db()
    assert (made.actor, made.user) == ("alice", None)
