"""Faults that a test injects into the next requests: add new kinds in `faults.py`."""
