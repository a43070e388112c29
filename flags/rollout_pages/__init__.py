"""The rollout's pages in the admin: how it goes, what to do, what was decided."""
