"""Who may change what: the groups that every site begins with."""

import contextlib
import os
import sqlite3
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection

from tests.servers import manage

_migration = import_module("oracle_site.migrations.0002_groups")
_APPS = {"chat", "flags", "monitoring", "oracle_site", "django_celery_beat"}


def _rights(name: str) -> set[str]:
    return {
        f"{each.content_type.app_label}.{each.codename}"
        for each in Permission.objects.filter(group__name=name).select_related(
            "content_type"
        )
    }


@pytest.mark.usefixtures("groups")
def test_a_viewer_may_look_at_everything_and_change_nothing() -> None:
    views = {
        f"{model._meta.app_label}.view_{model._meta.model_name}"
        for model in apps.get_models()
        if model._meta.app_label in _APPS
    }

    assert _rights("viewer") == views


@pytest.mark.usefixtures("groups")
def test_an_operator_may_also_operate() -> None:
    assert _rights("operator") - _rights("viewer") == {
        "flags.operate",
        "chat.change_apitoken",
        "django_celery_beat.change_periodictask",
        "monitoring.operate",
        "monitoring.add_alertrule",
        "monitoring.change_alertrule",
        "monitoring.change_channel",
    }
    assert _rights("viewer") <= _rights("operator")


@pytest.mark.usefixtures("groups")
def test_an_approver_may_also_approve() -> None:
    assert _rights("approver") - _rights("operator") == {"flags.approve"}
    assert _rights("operator") <= _rights("approver")


@pytest.mark.usefixtures("groups")
def test_a_member_has_what_the_group_has() -> None:
    alice = User.objects.create_user("alice", is_staff=True)

    alice.groups.add(Group.objects.get(name="operator"))

    assert alice.has_perm("flags.operate")
    assert not alice.has_perm("flags.approve")


@pytest.mark.usefixtures("groups")
def test_a_repetition_takes_nothing_that_was_given_since() -> None:
    added = Permission.objects.get(codename="add_user")
    Group.objects.get(name="viewer").permissions.add(added)
    before = {name: _rights(name) for name in ("viewer", "operator", "approver")}

    _migration.make_groups(apps, connection.schema_editor())

    assert {name: _rights(name) for name in before} == before
    assert "auth.add_user" in before["viewer"]


@pytest.mark.usefixtures("groups")
def test_going_back_takes_no_group_that_somebody_is_in() -> None:
    User.objects.create_user("alice").groups.add(Group.objects.get(name="operator"))

    _migration.remove_groups(apps, connection.schema_editor())

    assert set(Group.objects.values_list("name", flat=True)) == {"operator"}


def test_a_fresh_database_has_them_and_can_go_back_and_forth(tmp_path: Path) -> None:
    env = os.environ | {
        "ORACLE_ENV_FILE": os.devnull,
        "ORACLE_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
    }
    quiet = ("--verbosity", "0", "--skip-checks")

    manage(env, "migrate", *quiet)
    made = _counted(tmp_path)
    manage(env, "migrate", "oracle_site", "0001", *quiet)
    removed = _counted(tmp_path)
    manage(env, "migrate", *quiet)

    assert set(made) == {"viewer", "operator", "approver"}
    assert removed == {}
    assert _counted(tmp_path) == made


def _counted(folder: Path) -> dict[str, int]:
    """Return how many permissions each group has."""
    sql = (
        "SELECT g.name, count(*) FROM auth_group g "
        "JOIN auth_group_permissions p ON p.group_id = g.id GROUP BY g.name"
    )
    with contextlib.closing(sqlite3.connect(folder / "oracle.sqlite3")) as database:
        return dict(database.execute(sql).fetchall())
