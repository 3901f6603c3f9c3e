"""The base class of a client's resources."""

from typing import Generic, TypeVar

from conversations_client._base.not_pickled import Shared
from conversations_client._base.public_dir import PublicDir
from conversations_client._engine.engine_base import EngineBase

AnyEngine = TypeVar("AnyEngine", bound=EngineBase)


class Resource(Shared, PublicDir, Generic[AnyEngine]):
    """A group of operations, such as `client.conversations`."""

    _refusal = "pickled: pickle the client instead"
    _engine: AnyEngine

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._engine.base_url!r})"
