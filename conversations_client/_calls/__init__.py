"""Calls as values: operations, arguments, retry decisions and status mapping. No I/O."""
