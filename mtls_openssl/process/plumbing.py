"""plumbum, without what it loads and starts for others: half the time of its import.

Nothing here needs its paths as addresses, for which it loads the standard library's HTTP client
and TLS; nor the kind of processor, for which Python starts `uname -p` when plumbum asks for the
name of the system.
"""

from __future__ import annotations

import platform

from mtls_openssl import later

later.when_used("urllib.request")
vars(platform.uname()).setdefault("processor", "")

import plumbum  # noqa: E402 - after the lines above

# plumbum adds its own snapshot of the environment to what it is given: it must be empty.
plumbum.local.env.clear()

CommandNotFound = plumbum.CommandNotFound
local = plumbum.local
