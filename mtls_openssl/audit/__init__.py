"""The hash-chained log of a folder: what was run there, by which openssl, and what it made.

`line` is the form of one line, `tail` the end of a log as an earlier run left it, `log` the one
writer, `chain` what the order and the hashes of the lines tell, `verify` the proof made of it.
"""

from mtls_openssl.audit.chain import Fault, Flaw
from mtls_openssl.audit.line import Line, read, sha256_of
from mtls_openssl.audit.log import AuditLog
from mtls_openssl.audit.verify import Verdict, verify

LOG = "mtls-audit.jsonl"
"""The name of the log, in the folder of a set as in the user's own."""

__all__ = ["LOG", "AuditLog", "Fault", "Flaw", "Line", "Verdict", "read", "sha256_of", "verify"]
