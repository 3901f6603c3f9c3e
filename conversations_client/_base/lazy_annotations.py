"""Annotations whose names are imported when somebody reads the annotations.

A name that only annotations use is not imported with its module, so that programs start fast.
`typing.get_type_hints`, `inspect.signature`, dependency injectors and mocks read `__annotations__`
and then look up the names in the module: reading them imports the names first.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from .lazy_imports import begin_import


class LazyAnnotations(dict[str, Any]):
    """The annotations of a function.

    Args:
        annotations: By the names of parameters, and `return`.
        load: Imports the names that they contain; called before each reading.
    """

    def __init__(self, annotations: Mapping[str, Any], load: Callable[[], None]) -> None:
        super().__init__(annotations)
        self._load = load

    # dict(annotations) would read past keys() if __iter__ were inherited.
    def __iter__(self) -> Iterator[str]:
        self._load()
        return super().__iter__()

    def keys(self) -> Any:  # noqa: ANN401 - its class is private
        self._load()
        return super().keys()

    def items(self) -> Any:  # noqa: ANN401 - its class is private
        self._load()
        return super().items()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - an annotation
        self._load()
        return super().__getitem__(name)


def import_for_annotations(
    namespace: dict[str, Any], modules: Mapping[str, tuple[str, ...]]
) -> None:
    """Make the annotations of a module's classes import what they name.

    Args:
        namespace: The module's `globals()`, at its end.
        modules: What to import from each module; nothing for the module itself.
    """

    def load() -> None:
        for module, names in modules.items():
            begin_import(module)
            found = sys.modules[module]
            if not names:
                namespace.setdefault(module, found)
            for name in names:
                namespace.setdefault(name, vars(found)[name])

    for cls in list(namespace.values()):
        if isinstance(cls, type) and cls.__module__ == namespace["__name__"]:
            for member in vars(cls).values():
                _make_lazy(member, load)


def _make_lazy(member: object, load: Callable[[], None]) -> None:
    # A property has its function in fget, a cached_attribute in make.
    function = getattr(member, "fget", None) or getattr(member, "make", None) or member
    while isinstance(function, FunctionType):
        annotations = function.__annotations__
        is_lazy = isinstance(annotations, LazyAnnotations)
        if not is_lazy and any(isinstance(one, str) for one in annotations.values()):
            function.__annotations__ = LazyAnnotations(annotations, load)
        function = getattr(function, "__wrapped__", None)
