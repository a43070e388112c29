"""Reports: what a period was like, beside the period before it."""
