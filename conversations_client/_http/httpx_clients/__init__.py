"""Sends requests through httpx: for clients that you inject, and for tools that hook into httpx."""
