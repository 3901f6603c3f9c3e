"""Imports of files: the journal, a single run, and partitions for clusters."""
