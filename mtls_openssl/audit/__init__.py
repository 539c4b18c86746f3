"""The hash-chained log of a folder: what was run there, by which openssl, and what it made.

`line` is the form of one line, `tail` the end of a log as an earlier run left it, `log` the one
writer, `chain` what the order and the hashes of the lines tell, `verdict` the proof made of it.
"""

from typing import TYPE_CHECKING

from mtls_openssl.audit.line import Line, read, sha256_of
from mtls_openssl.audit.log import AuditLog

if TYPE_CHECKING:
    from mtls_openssl.audit.chain import Fault, Flaw
    from mtls_openssl.audit.verdict import Verdict, verify
else:
    _LATER = frozenset({"Fault", "Flaw", "Verdict", "verify"})

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # A run that writes a log does not wait for what proves one.
        from mtls_openssl.audit.chain import Fault, Flaw  # noqa: PLC0415
        from mtls_openssl.audit.verdict import Verdict, verify  # noqa: PLC0415

        return {"Fault": Fault, "Flaw": Flaw, "Verdict": Verdict, "verify": verify}[name]


LOG = "mtls-audit.jsonl"
"""The name of the log, in the folder of a set as in the user's own."""

__all__ = ["LOG", "AuditLog", "Fault", "Flaw", "Line", "Verdict", "read", "sha256_of", "verify"]
