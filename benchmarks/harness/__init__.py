"""Starts contenders and the server that they call, and makes sense of what they measured."""
