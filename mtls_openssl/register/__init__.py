"""The register of what an authority has issued, beside the set that it issued.

`files` says what it is called and reads it, `keeping` has the steps that enter what is new,
`issued` finds what an authority has issued so far, `lists` what the CRLs say and until when.
"""

from mtls_openssl.register.files import (
    CONFIG,
    DER,
    LIST,
    NAMES,
    ROOT_LIST,
    entries,
    is_kept,
    issuer_of,
    revoked,
)
from mtls_openssl.register.issued import Findings, Issued, gather
from mtls_openssl.register.keeping import Entering, configured, entered, entering, first
from mtls_openssl.register.lists import Standing, standing

__all__ = [
    "CONFIG",
    "DER",
    "LIST",
    "NAMES",
    "ROOT_LIST",
    "Entering",
    "Findings",
    "Issued",
    "Standing",
    "configured",
    "entered",
    "entering",
    "entries",
    "first",
    "gather",
    "is_kept",
    "issuer_of",
    "revoked",
    "standing",
]
