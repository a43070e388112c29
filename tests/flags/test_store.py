"""What is put is what is read, on either database."""

from decimal import Decimal
from pathlib import Path

import pytest
from waffle.models import Switch

from flags import runtime, store
from flags.conf import FLAG
from flags.models import Flag, RuntimeSetting
from flags.values import Value
from tests.flags.processes import on_postgresql
from tests.servers import manage


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("GRADUAL_ROLLOUT_PERCENTAGE", Decimal(100), "100"),
        ("GRADUAL_ROLLOUT_PERCENTAGE", Decimal("99.99"), "99.99"),
        ("GRADUAL_ROLLOUT_PERCENTAGE", Decimal("0.01"), "0.01"),
        ("GRADUAL_ROLLOUT_PERCENTAGE", Decimal(0), "0"),
        ("USE_PERSISTENT_SESSIONS", True, "true"),
        ("USE_PERSISTENT_SESSIONS", False, "false"),
        ("ENABLE_SESSION_RECOVERY", False, "false"),
        ("CLEANUP_BATCH_SIZE", 7, "7"),
        ("EMERGENCY_CLEANUP_THRESHOLD", Decimal("0.8"), "0.8"),
        ("PERSISTENT_SESSION_STRATEGY", "interactions", "interactions"),
    ],
)
def test_what_is_put_is_read(name: str, value: Value, text: str) -> None:
    store.put(name, value)

    assert store.texts([name]) == {name: text}
    assert runtime.find(name).get() == value


@pytest.mark.django_db
def test_each_kind_is_kept_where_it_belongs() -> None:
    store.put("USE_PERSISTENT_SESSIONS", value=True)
    store.put("GRADUAL_ROLLOUT_PERCENTAGE", Decimal("12.5"))
    store.put("ENABLE_SESSION_RECOVERY", value=False)
    store.put("CLEANUP_BATCH_SIZE", 7)

    flag = Flag.objects.get(name=FLAG)
    assert (flag.everyone, flag.percent) == (None, Decimal("12.5"))
    assert not Switch.objects.get(name="ENABLE_SESSION_RECOVERY").active
    assert RuntimeSetting.objects.get(name="CLEANUP_BATCH_SIZE").value == "7"


@pytest.mark.django_db
def test_a_percent_counts_although_waffle_had_said_everyone() -> None:
    Flag.objects.filter(name=FLAG).update(everyone=True)
    before = store.texts(["USE_PERSISTENT_SESSIONS", "GRADUAL_ROLLOUT_PERCENTAGE"])

    store.put("GRADUAL_ROLLOUT_PERCENTAGE", Decimal(10))

    assert before["GRADUAL_ROLLOUT_PERCENTAGE"] == "100"
    assert Flag.objects.get(name=FLAG).everyone is None


@pytest.mark.django_db
def test_a_percent_does_not_switch_on() -> None:
    store.put("USE_PERSISTENT_SESSIONS", value=False)

    store.put("GRADUAL_ROLLOUT_PERCENTAGE", Decimal(10))

    assert Flag.objects.get(name=FLAG).everyone is False


@pytest.mark.django_db
def test_a_lost_flag_reads_as_off_at_0() -> None:
    Flag.objects.filter(name=FLAG).delete()
    names = ["USE_PERSISTENT_SESSIONS", "GRADUAL_ROLLOUT_PERCENTAGE"]

    assert store.lost([*names, "CLEANUP_BATCH_SIZE"]) == names
    assert store.texts(names) == dict(zip(names, ["false", "0"], strict=True))


def test_a_hundred_percent_comes_back_from_postgresql(tmp_path: Path) -> None:
    with on_postgresql(tmp_path) as env:
        manage(env, "rollout", "percent", "100", "--reason", "All of them.")

        percent = manage(env, "settings", "get", "GRADUAL_ROLLOUT_PERCENTAGE")
        assert percent == "100\n"
        assert "ON for all" in manage(env, "rollout", "status")
