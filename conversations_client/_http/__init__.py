"""The network edge: the only code that knows httpx, httpcore, proxies, TLS and pools."""
