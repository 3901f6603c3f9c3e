"""The JSON schemas of both revisions of the API, and the OpenAPI document."""
