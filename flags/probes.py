"""What flags tells monitoring."""

from flags import chronicle
from monitoring import registry

registry.register_chronicle("settings", chronicle.changes)
