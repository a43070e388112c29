"""What flags tells monitoring."""

from flags import chronicle, rollout_probes
from monitoring import registry

registry.register_chronicle("settings", chronicle.changes)
rollout_probes.register()
