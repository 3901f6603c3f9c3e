"""Converts JSON to classes and back, with one cattrs converter."""
