"""The groups of people who look after the site: viewer, operator, approver."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

APPS = ["chat", "flags", "monitoring", "oracle_site", "django_celery_beat"]
OPERATE = [
    ("flags", "operate"),
    ("chat", "change_apitoken"),
    ("django_celery_beat", "change_periodictask"),
]
APPROVE = [("flags", "approve")]


def make_groups(apps, schema_editor):
    """Make each group unless it exists, and give it what it may do; take nothing."""
    alias = schema_editor.connection.alias
    _make_permissions(apps, alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    view = permissions.filter(
        content_type__app_label__in=APPS, codename__startswith="view_"
    )
    operate = [_permission(permissions, *each) for each in OPERATE]
    approve = [_permission(permissions, *each) for each in APPROVE]
    _grant(apps, alias, "viewer", view)
    _grant(apps, alias, "operator", [*view, *operate])
    _grant(apps, alias, "approver", [*view, *operate, *approve])


def remove_groups(apps, schema_editor):
    """Remove the groups that nobody is in: going back must take no one's rights."""
    groups = apps.get_model("auth", "Group").objects.using(
        schema_editor.connection.alias
    )
    groups.filter(name__in=["viewer", "operator", "approver"], user=None).delete()


def _make_permissions(apps, alias):
    """Make them now: Django itself does so only after the last migration."""
    for label in APPS:
        config = apps.get_app_config(label)
        module = getattr(config, "models_module", None)
        config.models_module = True  # or a historical app counts as one without models
        create_permissions(config, verbosity=0, using=alias, apps=apps)
        config.models_module = module


def _permission(permissions, label, codename):
    return permissions.get(content_type__app_label=label, codename=codename)


def _grant(apps, alias, name, permissions):
    group, _ = apps.get_model("auth", "Group").objects.using(alias).get_or_create(
        name=name
    )
    group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("chat", "0002_persistent_sessions"),
        ("flags", "0002_rollout_and_settings"),
        ("monitoring", "0001_initial"),
        ("oracle_site", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(make_groups, remove_groups)]
