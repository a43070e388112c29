"""One page for staff: how it is now, and how it was in the hours and days before."""
