"""An import: its files, its run and its report."""
