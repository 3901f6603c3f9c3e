"""The HTTP library, which only injected clients and tools that hook on it need.

No other module of the package imports it.
"""

import httpcore
import httpx

__all__ = ["httpcore", "httpx"]
