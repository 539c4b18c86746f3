"""plumbum, without what it loads and starts for others: half the time of its import.

Nothing here needs its paths as addresses, for which it loads the standard library's HTTP client
and TLS; nor the kind of processor, for which Python starts `uname -p` when plumbum asks for the
name of the system.
"""

from __future__ import annotations

import importlib
import platform
import sys
import types
from typing import Any

_ADDRESSES = "urllib.request"


class _LoadedWhenUsed(types.ModuleType):
    """In place of a module, which is loaded as soon as anybody uses something of it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


_instead = _LoadedWhenUsed(_ADDRESSES)
sys.modules.setdefault(_ADDRESSES, _instead)
vars(platform.uname()).setdefault("processor", "")

import plumbum  # noqa: E402 - after the lines above

if sys.modules[_ADDRESSES] is _instead:
    del sys.modules[_ADDRESSES]  # whoever else imports it gets it

# plumbum adds its own snapshot of the environment to what it is given: it must be empty.
plumbum.local.env.clear()

CommandNotFound = plumbum.CommandNotFound
local = plumbum.local
