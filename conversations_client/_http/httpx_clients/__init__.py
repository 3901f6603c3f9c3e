"""Sends through httpx: clients that you inject, and tools that hook on the library."""
