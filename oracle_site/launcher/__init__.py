"""Starts the whole site with one command and ends it with one Ctrl-C."""
