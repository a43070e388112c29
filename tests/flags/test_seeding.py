"""The environment has the first word, and only the first."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from waffle.models import Switch

from flags import changes, evaluation, runtime, seeding
from flags.conf import FLAG, PERCENT, USE
from flags.models import Change, Flag, RuntimeSetting
from tests.flags.operators import ALICE
from tests.servers import manage

pytestmark = pytest.mark.django_db


@pytest.fixture
def _empty() -> None:
    """A database that was never seeded."""
    for rows in (RuntimeSetting.objects, Switch.objects, Flag.objects):
        rows.all().delete()
    Change.objects.all()._raw_delete("default")


@pytest.mark.usefixtures("_empty")
def test_the_first_values_come_from_the_environment_or_are_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("USE_PERSISTENT_SESSIONS", "true")
    monkeypatch.setenv("GRADUAL_ROLLOUT_PERCENTAGE", "12.5")
    monkeypatch.setenv("CLEANUP_BATCH_SIZE", "60")

    seeded = seeding.seed()

    stored = runtime.stored()
    assert set(seeded) == set(stored) == {each.name for each in runtime.declared()}
    assert stored["GRADUAL_ROLLOUT_PERCENTAGE"] == "12.5"
    assert stored["USE_PERSISTENT_SESSIONS"] == "true"
    assert stored["CLEANUP_BATCH_SIZE"] == "60"
    assert stored["CLEANUP_INTERVAL"] == "300"


@pytest.mark.usefixtures("_empty")
def test_each_first_value_is_in_the_history() -> None:
    seeding.seed()

    first = Change.objects.get(name="CLEANUP_BATCH_SIZE")
    assert (first.old, first.new) == ("", "50")
    assert (first.actor, first.channel) == ("environment", "environment")
    assert Change.objects.count() == len(runtime.declared())


def test_a_second_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    changes.apply({"CLEANUP_BATCH_SIZE": 60}, actor=ALICE, reason="Because.")
    monkeypatch.setenv("CLEANUP_BATCH_SIZE", "70")
    before = (runtime.stored(), Change.objects.count())

    assert seeding.seed() == []
    assert (runtime.stored(), Change.objects.count()) == before


def test_a_flag_that_was_lost_comes_back_off_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes.apply(changes.set_percent(50), actor=ALICE, reason="Because.")
    monkeypatch.setenv("USE_PERSISTENT_SESSIONS", "true")
    monkeypatch.setenv("GRADUAL_ROLLOUT_PERCENTAGE", "100")
    Flag.objects.filter(name=FLAG).delete()

    assert seeding.seed() == [USE.name, PERCENT.name]
    assert (USE.get(), PERCENT.get()) == (False, Decimal(0))
    assert not evaluation.evaluate(FLAG, targeting_key="1", held="on").is_on
    last = changes.latest(USE.name)
    assert last is not None
    assert (last.old, last.new, last.channel) == ("", "false", "automation")


def test_a_migration_to_before_the_settings_and_back_seeds_anew(
    tmp_path: Path,
) -> None:
    env = os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "CLEANUP_BATCH_SIZE": "60",
    }
    quiet = ("--verbosity", "0", "--skip-checks")

    manage(env, "migrate", *quiet)
    manage(env, "migrate", "flags", "0001", *quiet)
    manage(env, "migrate", *quiet)

    assert manage(env, "settings", "get", "CLEANUP_BATCH_SIZE") == "60\n"
