"""The proxy and the trusted certificates of a client, from environment variables."""
