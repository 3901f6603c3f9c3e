"""Describes the API's JSON: the schemas of both revisions, and the OpenAPI document."""
