"""A typed client for the Conversations API."""
