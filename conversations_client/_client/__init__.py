"""What users call: the clients, their resources, pages and streams."""
