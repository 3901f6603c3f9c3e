"""What an error of encryption means."""

import ssl
from collections.abc import Iterator
from typing import Final

_INTERRUPTED: Final = (ssl.SSLWantReadError, ssl.SSLEOFError)
"""Raised where the connection ended in the middle of encryption: an error of the network."""

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
"""The alerts of a server that doesn't accept the client's certificate, or wants one."""


def is_tls(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, is an error of encryption."""
    return any(not isinstance(each, _INTERRUPTED) for each in _tls_errors(error))


def rejects_certificate(error: BaseException) -> bool:
    """Whether the server refused the connection for the client's certificate.

    In TLS 1.3 the client learns this only after its side of the handshake is done, when it reads
    the response. The server has processed nothing then.
    """
    # Errors that Python code raises, as truststore does, have no reason.
    reasons = [str(getattr(each, "reason", None)) for each in _tls_errors(error)]
    return any("ALERT" in reason and reason.endswith(_REJECTED_CERTIFICATE) for reason in reasons)


def _tls_errors(error: BaseException | None) -> Iterator[ssl.SSLError]:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            yield error
        error = error.__cause__ or error.__context__
