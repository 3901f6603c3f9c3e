"""The commands, one module for each, and the parts that only one command uses."""
