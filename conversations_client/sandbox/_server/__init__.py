"""Serves the operations over HTTP: the application, its middleware, and the server."""
