"""Runs a call from the first attempt to the last: sending, deciding and waiting."""
