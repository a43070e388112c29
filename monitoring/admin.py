"""The admin's pages of monitoring; each part has its own beside its code."""

from monitoring.alerting import admin as alerting  # noqa: F401
from monitoring.channels import admin as channels  # noqa: F401
from monitoring.dashboard import admin as dashboard  # noqa: F401
from monitoring.reporting import admin as reporting  # noqa: F401
from monitoring.responding import admin as responding  # noqa: F401
