"""Modules that a package loads when it starts, and that no run has a use for.

pydantic loads the standard library's reader of installed packages, to look for plugins, and plumbum
its HTTP client and TLS, for addresses of files: every start would wait some milliseconds for each.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any


def when_used(name: str) -> None:
    """Have a module loaded as soon as anybody uses something of it; until then nobody loads it.

    Args:
        name: of a module within a package; one that is loaded stays as it is.
    """
    package, _dot, last = name.rpartition(".")
    if name not in sys.modules:
        sys.modules[name] = _Later(name)
        setattr(importlib.import_module(package), last, sys.modules[name])


class _Later(types.ModuleType):
    """In the place of a module that is not loaded yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # import itself asks for such names, and uses nothing
        if name[0].isupper():
            return getattr(self._real(), name)

        def function(*given: Any, **named: Any) -> Any:
            return getattr(self._real(), name)(*given, **named)

        return function  # which is used when it is called, not when it is imported

    def _real(self) -> types.ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return importlib.import_module(self.__name__)
