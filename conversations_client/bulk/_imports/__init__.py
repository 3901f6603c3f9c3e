"""File imports: the journal, a single run, and partitions for clusters."""
