"""Concurrent calls: the window of requests in flight, the rate limit and the shared backoff."""
