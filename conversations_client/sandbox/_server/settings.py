"""Checks the settings of a sandbox."""

import os
import re
import secrets
from collections.abc import Collection, Iterable
from typing import Final, cast

from attrs import field, frozen

from conversations_client.sandbox._argument_checks import text
from conversations_client.sandbox._schemas.revisions import REVISIONS, Revision

from .allowed_hosts import is_host

_KEY: Final = re.compile("[!-~]+")
_MODEL: Final = re.compile(r"[^/\x00-\x20]+/[^\x00-\x20]+")
_EVERY_ADDRESS: Final = {"", "0.0.0.0", "::"}  # noqa: S104 - not bound here


@frozen(kw_only=True)
class Settings:
    """The settings of a sandbox.

    Attributes:
        api_key: The key that callers must send.
        revision: The revision of the API.
        models: The models to accept in addition to the sandbox's own; None for all models.
        allowed_hosts: Names to accept in the Host header in addition to loopback names.
    """

    api_key: str = field(repr=False)
    revision: Revision
    models: tuple[str, ...] | None
    allowed_hosts: tuple[str, ...]


def checked_settings(
    *,
    api_key: str | None,
    revision: int,
    models: Collection[str] | None,
    host: str,
    allowed_hosts: Collection[str],
) -> Settings:
    """Check the settings.

    Args:
        api_key: The key that callers must send; None generates a key.
        revision: The revision of the API, 1 or 2.
        models: The models to accept in addition to the sandbox's own; None for all models.
        host: The address to listen on, which is also accepted in the Host header.
        allowed_hosts: Names to accept in the Host header in addition to loopback names.

    Returns:
        The settings.

    Raises:
        ValueError: A setting is invalid.
    """
    if api_key is not None and not _KEY.fullmatch(text("api_key", api_key)):
        raise ValueError(
            "The API key must be one or more visible ASCII characters. Omit it to generate a key."
        )
    if type(revision) is not int or revision not in REVISIONS:
        raise ValueError("revision must be 1 or 2.")
    text("host", host)
    return Settings(
        api_key=f"sandbox_{secrets.token_urlsafe()}" if api_key is None else api_key,
        revision=REVISIONS[revision],
        models=None if models is None else _checked_models(models),
        allowed_hosts=(
            *_checked_hosts(allowed_hosts),
            *({host} - _EVERY_ADDRESS),
        ),
    )


def checked_path(path: object) -> str | None:
    """Check the path of the database.

    Args:
        path: The path; None stores everything in memory.

    Returns:
        The path as a string; None for None.

    Raises:
        ValueError: It isn't a path.
    """
    if path is None:
        return None
    if not isinstance(path, str | bytes | os.PathLike):
        raise ValueError(f"db must be a path or None, not {type(path).__name__}.")  # noqa: TRY004
    return os.fsdecode(cast("str | bytes | os.PathLike[str]", path))


def _checked_models(models: Collection[str]) -> tuple[str, ...]:
    names = _checked_list("models", models)
    for name in names:
        if not _MODEL.fullmatch(name):
            raise ValueError("models must have the form provider/model_id.")
    return names


def _checked_hosts(hosts: Collection[str]) -> tuple[str, ...]:
    names = _checked_list("allowed_hosts", hosts)
    if not all(map(is_host, names)):
        raise ValueError(
            "allowed_hosts must be host names or addresses in ASCII, such as sandbox or "
            "192.168.1.5. Remove http://, ports, paths and wildcards."
        )
    return names


def _checked_list(name: str, values: object) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a list of strings, not {type(values).__name__}.")  # noqa: TRY004
    found = cast("Iterable[object]", values)
    return tuple(dict.fromkeys(text(f"each item of {name}", value) for value in found))
