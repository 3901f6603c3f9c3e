"""Recognizes loopback hosts and IP addresses."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without brackets, always means this machine.

    True for 127.0.0.0/8, ::1, IPv4-mapped loopback addresses, `localhost` and its subdomains (RFC
    6761).
    """
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = ip_address(name)
    return address is not None and address.is_loopback


def ip_address(host: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    """Parse an address, converting IPv4-mapped ones to IPv4; None if it isn't an address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
