"""Which openssl: where to look, what each one found is, and the one that is taken.

`machine` is what the search may know of the computer, `registry` what Windows keeps in its
registry, `places` where to look and in which order, `probe` what one program is, and `search`
the choice between them. `java` looks for keytool.
"""

from mtls_openssl.locate.java import find_keytool
from mtls_openssl.locate.machine import Machine, Registry, is_file
from mtls_openssl.locate.probe import Candidate, Version
from mtls_openssl.locate.search import Found, Search, candidates, find, refusal, survey

__all__ = [
    "Candidate",
    "Found",
    "Machine",
    "Registry",
    "Search",
    "Version",
    "candidates",
    "find",
    "find_keytool",
    "is_file",
    "refusal",
    "survey",
]
