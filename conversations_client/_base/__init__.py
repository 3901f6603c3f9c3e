"""Small values that every other folder shares."""
