"""Many calls at once: the window of requests in flight, the rate limit and the shared backoff."""
