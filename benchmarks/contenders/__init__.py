"""A module for each contender. Each contender runs in its own environment."""
