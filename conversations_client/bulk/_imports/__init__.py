"""Imports of files: the journal of each row's status, single runs, and partitions for clusters."""
