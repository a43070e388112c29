"""What each of a person's verbs would make of a rollout, before it is done."""
