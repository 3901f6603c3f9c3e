"""TLS contexts with certificates from a test's own authority."""

import ssl
from typing import Any

import trustme


def server_context(
    authority: trustme.CA, host: str, *, asks: bool = False, **dates: Any
) -> ssl.SSLContext:
    """The context of a server with a certificate for a host.

    Args:
        authority: The authority that signs the certificate.
        host: The host.
        asks: Whether clients must send a certificate too.
        **dates: The dates of the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, **dates).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """The context of a client that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    return context
