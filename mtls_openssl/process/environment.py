"""The environment that a process is given."""

from __future__ import annotations

import os
from collections.abc import Mapping

_DROPPED = frozenset(
    {
        "OPENSSL_CONF",
        "OPENSSL_CONF_INCLUDE",
        "OPENSSL_ENGINES",
        "OPENSSL_MODULES",
        "SSLEAY_CONF",
        "RANDFILE",
        "LANG",
        "LANGUAGE",
    }
)

# The machine's own trust store has no say in what a set is. openssl x509 would read the whole of
# it for every certificate (40 ms), and openssl verify might find an issuer there.
_OURS = {"LC_ALL": "C", "SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}


def foreign_environment() -> tuple[dict[str, str], tuple[str, ...]]:
    """The environment of a program other than openssl: this process's, but its words in English.

    Returns:
        The variables, without our own; and the names of those that were set.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("LC_", "MTLS_"))
        and name.upper() not in {"LANG", "LANGUAGE"}
    }
    return {**kept, "LC_ALL": "C"}, ("LC_ALL",)


def clean_environment(
    settings: Mapping[str, str], *, trusts_machine: bool = False
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The environment of an openssl process.

    Args:
        settings: variables to set for this process.
        trusts_machine: whether the machine's own trust store has a say, or the one that the
            user names with SSL_CERT_FILE and SSL_CERT_DIR.

    Returns:
        This process's environment without anything that changes what openssl does or says
        (openssl-env(7)) and without our own variables, with `settings` on top; and the names of
        the variables that were set.
    """
    ours = {**({"LC_ALL": "C"} if trusts_machine else _OURS), **settings}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in _DROPPED and not name.upper().startswith(("LC_", "MTLS_"))
    }
    return {**kept, **ours}, tuple(ours)
