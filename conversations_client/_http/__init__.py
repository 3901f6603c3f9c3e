"""The network: connections, pools, proxies, TLS, and HTTP clients that you inject."""
