"""A manifest to ordered steps. Reads like `generate_certs.bat` itself.

`naming` says what the files of a set are called, `nouns` what a plan is, `pieces` how one thing is
made, `drop_in` what the commands of the guide do, `selection` what a later change does, and
`requests` what goes between us and whoever has the key.
Every function is pure: the same plan is run, printed by a dry run and exported as a script.
"""

from mtls_openssl.plan.drop_in import (
    ca,
    client,
    dhparam,
    everything,
    p12,
    server,
    truststore,
    verify,
)
from mtls_openssl.plan.naming import (
    CHAIN,
    CONFIG,
    MADE_BY,
    PRIVATE,
    chain_of,
    is_private,
    made_by,
    packed,
)
from mtls_openssl.plan.nouns import Plan
from mtls_openssl.plan.requests import Foreign, Wanted, request, signed
from mtls_openssl.plan.selection import Halves, Work, selected

__all__ = [
    "CHAIN",
    "CONFIG",
    "MADE_BY",
    "PRIVATE",
    "Foreign",
    "Halves",
    "Plan",
    "Wanted",
    "Work",
    "ca",
    "chain_of",
    "client",
    "dhparam",
    "everything",
    "is_private",
    "made_by",
    "p12",
    "packed",
    "request",
    "selected",
    "server",
    "signed",
    "truststore",
    "verify",
]
