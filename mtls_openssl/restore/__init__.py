"""Brings a backup back: shown before, proven before, and to be undone by the next one.

`backups` finds them, `record` is what the log knows of them, `shelf` reads files, `case` is what
becomes of each, `examination` finds that out, `coherence` proves what would come out, `fleet` does
both for the clients of a fleet, `book` and `merging` forget no revocation, `bringing` does it,
`telling` says it.
"""

from mtls_openssl.restore.backups import Backup, all_, chosen
from mtls_openssl.restore.bringing import bring_back
from mtls_openssl.restore.case import Case, Entry, Fate
from mtls_openssl.restore.examination import examine, glance

__all__ = [
    "Backup",
    "Case",
    "Entry",
    "Fate",
    "all_",
    "bring_back",
    "chosen",
    "examine",
    "glance",
]
