"""The level of a process follows the runtime setting, as far as it can be asked."""

import logging
from collections.abc import Iterator

import pytest
from django.db import connection

from flags import runtime
from flags.models import RuntimeSetting
from monitoring import logs, sections
from oracle_site import log_level
from oracle_site.conf import LOG_LEVEL


@pytest.fixture(autouse=True)
def _same_level_afterwards() -> Iterator[None]:
    before = logs.level()
    yield
    logs.set_level(before)


def _store(level: str) -> None:
    RuntimeSetting.objects.update_or_create(
        name=LOG_LEVEL.name, defaults={"value": level}
    )
    runtime.forget()


@pytest.mark.django_db
@pytest.mark.parametrize("level", logs.LEVELS)
def test_the_stored_level_is_taken_over(level: str) -> None:
    _store(level)

    log_level.look()

    assert logging.getLevelName(logging.getLogger().level) == level
    assert sections.environment()["log_level"] == level


@pytest.mark.django_db
def test_an_unusable_level_leaves_the_default() -> None:
    _store("LOUD")

    log_level.look()

    assert logs.level() == "INFO"


@pytest.mark.django_db
def test_without_its_table_the_level_stays() -> None:
    logs.set_level("ERROR")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE flags_runtimesetting RENAME TO away")
    runtime.forget()

    log_level.look()

    assert logs.level() == "ERROR"


@pytest.mark.django_db
def test_it_is_stored_from_the_start_like_every_setting() -> None:
    assert RuntimeSetting.objects.get(name=LOG_LEVEL.name).value == "INFO"
    assert LOG_LEVEL.parse("DEBUG") == "DEBUG"
