"""Turns bytes into server-sent events and events into a response. No I/O."""
