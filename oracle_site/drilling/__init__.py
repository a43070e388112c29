"""Drills of a rollout on a copy of the service, with people who talk all the time."""
