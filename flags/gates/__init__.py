"""Gates: what takes a rollout back, holds it or lets it go on, with the reason."""
