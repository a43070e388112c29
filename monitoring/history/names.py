"""What readers of the history have to know of some series."""

# Levels are noted once a minute, whatever happens: this one tells that notes are taken.
PULSE = "memory_percent"
# Times of turns are kept with their spread, so that they have percentiles.
TURN_TIMES = ("turn_ms", "first_text_ms")
# What is counted as the difference of running totals, while tracking is on.
COUNTED = ("requests", "session_operations")
# The labels of `session_found` that count: a first turn has none to find.
FOUND = ("hit", "topped_up", "recovered", "stateless")
