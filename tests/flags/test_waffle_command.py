"""Waffle's commands: stock for others, refused for what we operate."""

from decimal import Decimal

import pytest
from waffle.models import Switch

from flags import changes
from flags.conf import FLAG, PERCENT, USE
from flags.models import Change, Flag
from tests.flags.commands import refusal, run
from tests.flags.operators import ALICE

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "options",
    [
        ("--percent", "50"),
        ("--everyone",),
        ("--deactivate",),
        ("--testing", "--create"),
        (),
    ],
)
def test_the_flag_that_is_rolled_out_is_not_waffles_to_change(
    options: tuple[str, ...],
) -> None:
    changes.apply(changes.set_percent(10), actor=ALICE, reason="Because.")
    changes.kill(actor=ALICE)
    count = Change.objects.count()

    why = refusal("waffle_flag", FLAG, *options)

    assert "manage.py rollout percent N" in why
    assert (USE.get(), PERCENT.get()) == (False, Decimal(10))
    assert Change.objects.count() == count


def test_all_flags_are_listed() -> None:
    assert f"NAME: {FLAG}" in run("waffle_flag", "--list")
    assert f"NAME: {FLAG}" in run("waffle_flag", FLAG, "--list")


def test_another_flag_is_changed_as_ever() -> None:
    run("waffle_flag", "another", "--create", "--percent", "100")
    created = Flag.objects.get(name="another")

    run("waffle_flag", "another", "--deactivate")

    changed = Flag.objects.get(name="another")
    assert (created.everyone, created.percent) == (None, Decimal(100))
    assert (changed.everyone, changed.percent) == (False, Decimal(100))


@pytest.mark.parametrize("percent", ["-1", "101"])
def test_another_flags_percent_stays_within_its_range(percent: str) -> None:
    why = refusal("waffle_flag", "another", "--create", f"--percent={percent}")

    assert "expected 0 to 100" in why
    assert not Flag.objects.filter(name="another").exists()


def test_a_setting_is_not_waffles_to_switch() -> None:
    why = refusal("waffle_switch", "ENABLE_SESSION_RECOVERY", "off")

    assert "manage.py settings set ENABLE_SESSION_RECOVERY" in why
    assert Switch.objects.get(name="ENABLE_SESSION_RECOVERY").active


def test_another_switch_is_switched_as_ever() -> None:
    run("waffle_switch", "another", "on", "--create")

    assert Switch.objects.get(name="another").active
    listed = run("waffle_switch", "--list")
    assert "another: on" in listed
    assert "ENABLE_SESSION_RECOVERY: on" in listed


@pytest.mark.parametrize(
    "names",
    [
        ("--flags", FLAG, "another"),
        ("--flags", "another", "--switches", "ENABLE_SESSION_RECOVERY"),
    ],
)
def test_what_is_in_use_is_not_deleted_nor_is_the_rest(names: tuple[str, ...]) -> None:
    run("waffle_flag", "another", "--create")

    assert "can't be deleted" in refusal("waffle_delete", *names)
    assert Flag.objects.filter(name__in=[FLAG, "another"]).count() == 2
    assert Switch.objects.filter(name="ENABLE_SESSION_RECOVERY").exists()


def test_the_rest_is_deleted_as_ever() -> None:
    run("waffle_flag", "another", "--create")
    run("waffle_switch", "another", "on", "--create")

    told = run("waffle_delete", "--flags", "another", "--switches", "another")

    assert told.split("\n")[:2] == ["Deleted 1 Flags", "Deleted 1 Switches"]
