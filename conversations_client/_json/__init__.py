"""Turns JSON into classes and back, with the one cattrs converter."""
