"""A plan's ramps on traffic that never was: pure, so that a seed says it all."""
