"""Byte streams: sockets with deadlines, TLS, name lookup and connecting."""
