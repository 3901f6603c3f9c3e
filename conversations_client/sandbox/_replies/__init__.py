"""The replies of the sandbox's models, and their stream events."""
