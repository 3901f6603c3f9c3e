"""Runs a call from the first attempt to the last: send, judge the outcome, wait."""
