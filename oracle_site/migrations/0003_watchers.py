"""What viewers and operators may do with alerts, incidents and reports."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

OPERATE = ["operate", "change_alertrule", "add_alertrule", "change_channel"]


def grant(apps, schema_editor):
    """Add to the groups that exist; whoever removed one wants none."""
    alias = schema_editor.connection.alias
    _make_permissions(apps, alias)
    ours = (
        apps.get_model("auth", "Permission")
        .objects.using(alias)
        .filter(content_type__app_label="monitoring")
    )
    view = ours.filter(codename__startswith="view_")
    operate = ours.filter(codename__in=OPERATE)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for group in groups.filter(name__in=["viewer", "operator", "approver"]):
        group.permissions.add(*view)
    for group in groups.filter(name__in=["operator", "approver"]):
        group.permissions.add(*operate)


def _make_permissions(apps, alias):
    """Make them now: Django itself does so only after the last migration."""
    config = apps.get_app_config("monitoring")
    module = getattr(config, "models_module", None)
    config.models_module = True  # or a historical app counts as one without models
    create_permissions(config, verbosity=0, using=alias, apps=apps)
    config.models_module = module


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0004_watching"),
        ("oracle_site", "0002_groups"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
