"""Imports the HTTP library, for injected clients and tools that hook into it.

No other module of the package imports it.
"""

import httpcore
import httpx

__all__ = ["httpcore", "httpx"]
