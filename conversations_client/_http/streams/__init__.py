"""Byte streams: sockets that keep to deadlines, TLS, and the way to a host's address."""
