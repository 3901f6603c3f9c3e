"""Injects faults into requests. New kinds of faults belong in `faults.py`."""
