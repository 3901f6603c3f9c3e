"""The API's operations: from an HTTP request to the store and back."""
