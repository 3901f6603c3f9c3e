"""Stores conversations, messages and idempotency keys in SQLite. No HTTP."""
