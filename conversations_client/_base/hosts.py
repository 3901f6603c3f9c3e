"""Recognizes loopback hosts and IP addresses."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without brackets, always means this machine.

    These are 127.0.0.0/8, ::1, their IPv4-mapped forms, `localhost` and its subdomains (RFC 6761).
    """
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = ip_address(name)
    return address is not None and address.is_loopback


def ip_address(host: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    """Parse an address; IPv4-mapped addresses become IPv4, and names become None."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
