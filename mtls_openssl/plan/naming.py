"""What the files of a set are called.

Windows and macOS do not tell upper from lower case in the name of a file, Linux does. So that a
folder may go from one to the other, names that differ in nothing else are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import dhparam as dh
from mtls_openssl.openssl import pkcs12
from mtls_openssl.profiles import P12_FOR

CONFIG = "openssl.cnf"
"""The name of our own configuration, which every command reads through OPENSSL_CONF."""

CHAIN = "chain.crt"
"""What an intermediate authority's certificates are sent with: its own, then the root's."""

PASSWORD_ENDING = ".password"  # noqa: S105 - the ending of a file's name
"""What a password file has after the name of the file that it opens."""

PASSWORDS_ENDING = ".passwords.csv"
"""What a file has at its end that holds the passwords of many."""

_PRIVATE_ENDINGS = (".key", ".p12", PASSWORD_ENDING, PASSWORDS_ENDING)

MADE_BY = {
    "ca.key": "ca",
    "ca.crt": "ca",
    "server.key": "server",
    "server.crt": "server",
    "client.key": "client",
    "client.crt": "client",
    **{
        name: f"p12 {bundle.owner}"
        for bundle in pkcs12.BUNDLES
        for name in (bundle.file, bundle.password_file)
    },
    dh.FILE: "dhparam",
}
"""Which command of the guide makes each file of the batch file's set."""

PRIVATE = tuple(name for name in MADE_BY if name.endswith(_PRIVATE_ENDINGS))
"""The files of the batch file's set that nobody else may read."""


def is_private(name: str) -> bool:
    """Whether a file of a set is one that nobody else may read."""
    return name.endswith(_PRIVATE_ENDINGS)


def made_by(name: str) -> str:
    """The command of ours that makes the file `name` of a set."""
    if name.endswith(".p12") and name not in MADE_BY:
        stem = name.removesuffix(".p12")
        reader = next((one for one in P12_FOR if stem.endswith(f".{one}")), "")
        return "p12 " + stem.removesuffix(f".{reader}")
    return MADE_BY.get(name, "apply")


def chain_of(name: str) -> str:
    """The file with the certificate `name` and the intermediate authority's that issued it."""
    return f"{name}.{CHAIN}"


def packed(name: str) -> tuple[str, ...]:
    """What the certificate `name` may have been packed into, with the passwords made for it."""
    stems = (name, *(f"{name}.{reader}" for reader in P12_FOR))
    files = (f"{stem}.p12" for stem in stems)
    return tuple(one for file in files for one in (file, file + PASSWORD_ENDING))


def is_certificate(name: str) -> bool:
    """Whether a file of a set holds one certificate: no key, no chain of several."""
    return name.endswith(".crt") and not name.endswith(CHAIN)


def owner_of(name: str) -> str:
    """Whose a file is: `alice` of `alice.crt`."""
    return PurePath(name).name.rpartition(".")[0]


def issues(name: str) -> bool:
    """Whether `name` is what an authority's files are called."""
    return name in {ROOT, INTERMEDIATE}


def folded(name: str) -> str:
    """A name as it is held against others."""
    return name.casefold()


class Names:
    """Names that are found whatever their upper and lower case.

    Args:
        names: the names, as they are spelt.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._spelt = frozenset(names)
        self._folded = {folded(name): name for name in sorted(self._spelt)}

    def spelt(self, name: str) -> str | None:
        """How the same name is spelt here; None if it is not here.

        Args:
            name: the name; where several here are the same, it is the one that is spelt so.
        """
        return name if name in self._spelt else self._folded.get(folded(name))
