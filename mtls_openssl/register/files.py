"""The files of the register: what they are called, and what is in them."""

from __future__ import annotations

from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.language import _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca
from mtls_openssl.openssl.ca import Entry, Status

NAMES = (ca.INDEX, ca.ATTRIBUTES, ca.CRL_NUMBER)
"""The files of the register itself."""

LIST, DER, ROOT_LIST = ca.KEPT[len(NAMES) :]
"""The CRLs of every authority of a set, which is what nginx's ssl_crl needs; that of the one that
issues, as Windows and a crl_url have it; and the root's own, where an intermediate authority
issues and the root may be elsewhere."""

CONFIG = "register.cnf"
"""The configuration that `openssl ca` reads; it is gone at the end of a run."""


def issuer_of(folder: Path) -> str:
    """Which authority of a folder issues: the intermediate where there is one, else the root."""
    return INTERMEDIATE if (folder / f"{INTERMEDIATE}.crt").is_file() else ROOT


def is_kept(folder: Path) -> bool:
    """Whether a folder has a register: from then on everything that is issued is entered."""
    return (folder / ca.INDEX).is_file()


def entries(folder: Path) -> tuple[Entry, ...]:
    """What the register of a folder says; nothing where there is none.

    Raises:
        FolderUnavailableError: it can't be read, or is no register.
    """
    return parsed(folder / ca.INDEX) if is_kept(folder) else ()


def revoked(folder: Path) -> frozenset[str]:
    """The serial numbers that the register of a folder calls revoked.

    Raises:
        FolderUnavailableError: as for `entries`.
    """
    return frozenset(one.serial for one in entries(folder) if one.status is Status.REVOKED)


def parsed(index: Path) -> tuple[Entry, ...]:
    """What an `index.txt` says.

    Raises:
        FolderUnavailableError: it can't be read, or is no register.
    """
    try:
        return ca.parse(bytes_of(index).decode("utf-8"))
    except UnicodeDecodeError:
        why = _("it is not text")
    except ValueError as error:
        why = _("{why}", why=error)
    raise FolderUnavailableError(
        _("{file} is not a register of openssl: {why}.", file=index, why=why),
        cause=_("it was changed by hand, or by another program"),
        fix=_(
            "bring it back from backup/; or move it away: the next run makes one anew, from the"
            " certificates that there are and from what crl.pem has revoked"
        ),
    )
