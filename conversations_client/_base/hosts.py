"""Which hosts are this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without brackets, is this machine's own.

    127.0.0.0/8, ::1, their IPv4-mapped forms, `localhost` and every name below it (RFC 6761).
    """
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = ip_address(name)
    return address is not None and address.is_loopback


def ip_address(host: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    """The address that a host is, IPv4-mapped ones as IPv4; None for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
