"""Reads the messages of a chat and prints the replies."""
