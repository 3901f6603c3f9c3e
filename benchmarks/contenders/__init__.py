"""A module for each contender, which runs in its own environment."""
