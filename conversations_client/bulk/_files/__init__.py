"""Conversation files: JSON Lines, CSV and Parquet, read and written row by row."""
