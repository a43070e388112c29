"""The admin's pages of monitoring; each part has its own beside its code."""
