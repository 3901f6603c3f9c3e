"""Classifies TLS errors."""

import ssl
from collections.abc import Iterator
from typing import Final

from conversations_client._base.causes import causes

_INTERRUPTED: Final = (ssl.SSLWantReadError, ssl.SSLEOFError)
"""The connection ended during TLS, which is a network error."""

_REJECTED_CERTIFICATE: Final = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "UNSUPPORTED_CERTIFICATE",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_UNKNOWN",
    "UNKNOWN_CA",
    "ACCESS_DENIED",
    "HANDSHAKE_FAILURE",
    "DECRYPT_ERROR",
)
"""The alerts from a server that requires a client certificate or rejects the client's."""


def is_tls(error: BaseException | None) -> bool:
    """Whether an error or one of its causes is a TLS error."""
    return any(not isinstance(each, _INTERRUPTED) for each in _tls_errors(error))


def rejects_certificate(error: BaseException) -> bool:
    """Whether the server rejected the client's certificate.

    With TLS 1.3, the client learns this only after the handshake, when it reads the response. The
    server has not processed the request.
    """
    # SSLErrors raised by Python code, such as truststore, have no reason.
    reasons = [str(getattr(each, "reason", None)) for each in _tls_errors(error)]
    return any("ALERT" in reason and reason.endswith(_REJECTED_CERTIFICATE) for reason in reasons)


def _tls_errors(error: BaseException | None) -> Iterator[ssl.SSLError]:
    return (each for each in causes(error) if isinstance(each, ssl.SSLError))
