"""What viewers and operators may do with alerts, incidents, reports and rollouts."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

APPS = ["flags", "monitoring"]
OPERATE = ["operate", "change_alertrule", "add_alertrule", "change_channel"]


def grant(apps, schema_editor):
    """Add to the groups that exist; whoever removed one wants none."""
    alias = schema_editor.connection.alias
    _make_permissions(apps, alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    view = permissions.filter(
        content_type__app_label__in=APPS, codename__startswith="view_"
    )
    operate = permissions.filter(
        content_type__app_label="monitoring", codename__in=OPERATE
    )
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for group in groups.filter(name__in=["viewer", "operator", "approver"]):
        group.permissions.add(*view)
    for group in groups.filter(name__in=["operator", "approver"]):
        group.permissions.add(*operate)


def _make_permissions(apps, alias):
    """Make them now: Django itself does so only after the last migration."""
    for label in APPS:
        config = apps.get_app_config(label)
        module = getattr(config, "models_module", None)
        config.models_module = True  # or a historical app counts as one without models
        create_permissions(config, verbosity=0, using=alias, apps=apps)
        config.models_module = module


class Migration(migrations.Migration):
    dependencies = [
        ("flags", "0003_rollouts"),
        ("monitoring", "0004_watching"),
        ("oracle_site", "0002_groups"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
