"""Other ways to build the same thing, to compare with."""
