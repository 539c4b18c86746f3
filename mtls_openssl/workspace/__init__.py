"""The folder of a set: one run at a time, staged, moved into place whole or not at all.

`folder` is the way in; `lock`, `permissions`, `commit`, `durable` and `interrupts` each keep one
promise.
"""

from mtls_openssl.workspace.folder import Workspace

__all__ = ["Workspace"]
