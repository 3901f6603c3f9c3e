"""The operations of the API: from HTTP requests to the store and back."""
