"""Annotations whose names are imported when the annotations are read.

Names used only in annotations are not imported with their module, so that programs start fast.
`typing.get_type_hints`, `inspect.signature`, dependency injectors and mocks read `__annotations__`
first and then look up the names in the module, so reading the annotations imports the names.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import FunctionType
from typing import Any

from .lazy_imports import lazy_import


class LazyAnnotations(dict[str, Any]):
    """The annotations of a function.

    Args:
        annotations: The annotations, by parameter name and `return`.
        load: Imports the names in them; called before each read.
    """

    def __init__(self, annotations: Mapping[str, Any], load: Callable[[], None]) -> None:
        super().__init__(annotations)
        self._load = load

    # With an inherited __iter__, dict(annotations) would bypass keys().
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
    """Make the annotations of a module's classes import the names in them.

    Args:
        namespace: The module's `globals()`; call this at the end of the module.
        modules: The names to import from each module; empty for the module itself.
    """

    def load() -> None:
        for module, names in modules.items():
            lazy_import(module)
            # If another thread is still importing the module, this waits.
            imported = import_module(module)
            if not names:
                namespace.setdefault(module, imported)
            for name in names:
                namespace.setdefault(name, vars(imported)[name])

    for cls in list(namespace.values()):
        if isinstance(cls, type) and cls.__module__ == namespace["__name__"]:
            for member in vars(cls).values():
                _make_lazy(member, load)


def _make_lazy(member: object, load: Callable[[], None]) -> None:
    # The function of a property is fget, that of a cached_attribute is make.
    function = getattr(member, "fget", None) or getattr(member, "make", None) or member
    while isinstance(function, FunctionType):
        annotations = function.__annotations__
        is_lazy = isinstance(annotations, LazyAnnotations)
        if not is_lazy and any(isinstance(each, str) for each in annotations.values()):
            function.__annotations__ = LazyAnnotations(annotations, load)
        function = getattr(function, "__wrapped__", None)
