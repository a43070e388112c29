"""What people do about trouble: incidents, what they tell others, the status page."""
