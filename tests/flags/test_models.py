"""The project owns its flag table."""

import pytest
import waffle
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from waffle.models import AbstractUserFlag

from flags.models import Flag


def test_waffle_uses_the_table_of_this_project() -> None:
    assert waffle.get_waffle_flag_model() is Flag
    assert issubclass(Flag, AbstractUserFlag)
    assert Flag._meta.db_table == "flags_flag"


@pytest.mark.django_db
@pytest.mark.parametrize("everyone", [True, False])
def test_a_flag_of_ours_is_what_waffle_reads(
    rf: RequestFactory, everyone: bool
) -> None:
    name = f"some_feature_{everyone}"  # waffle keeps flags in a cache of the process
    Flag.objects.create(name=name, everyone=everyone)
    request = rf.get("/")
    request.user = AnonymousUser()

    assert waffle.flag_is_active(request, name) is everyone
