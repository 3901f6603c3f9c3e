"""Stores conversations, messages and idempotency keys in SQLite. Knows nothing of HTTP."""
