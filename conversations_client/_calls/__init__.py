"""The logic of calls: operations, arguments, retry decisions, status mapping, settings. No I/O."""
