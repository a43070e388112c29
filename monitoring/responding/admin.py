"""Incidents in the admin: pages of our own in the place of the stock ones."""

from django.contrib import admin

from monitoring.models import Incident
from monitoring.read_only import Watched
from monitoring.responding import letter_views, views

_ONE = "<int:incident_id>"


@admin.register(Incident)
class IncidentAdmin(Watched):
    """What went wrong, and what people did about it."""

    pages = (
        ("", views.show_incidents, "incidents"),
        ("open/", views.open_incident, "incident_open"),
        (f"{_ONE}/", views.show_incident, "incident"),
        (f"{_ONE}/acknowledge/", views.acknowledge, "incident_acknowledge"),
        (f"{_ONE}/update/", views.update, "incident_update"),
        (f"{_ONE}/edit/", views.edit, "incident_edit"),
        (f"{_ONE}/publish/", views.publish, "incident_publish"),
        (f"{_ONE}/withdraw/", views.withdraw, "incident_withdraw"),
        (f"{_ONE}/resolve/", views.resolve, "incident_resolve"),
        (f"{_ONE}/letter/<slug:kind>/", letter_views.write, "letter"),
        (f"{_ONE}/postmortem.md", views.download_postmortem, "postmortem"),
    )
