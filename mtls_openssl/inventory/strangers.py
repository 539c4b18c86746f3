"""Who is a stranger to a set: a certificate in it that another authority has issued.

It goes by the names and the keys that certificates tell of; no signature is checked, so that
thousands can be asked about without a process for each.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from mtls_openssl.audit import LOG
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.objections import is_self_issued
from mtls_openssl.inventory import clients, judging, reading
from mtls_openssl.inventory.clients import Client
from mtls_openssl.inventory.held import Held
from mtls_openssl.inventory.reading import File
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.scripting.prompt import ours


def is_stranger(certificate: Description, authorities: Collection[Description]) -> bool:
    """Whether another authority has issued a certificate than those of its set.

    Args:
        certificate: what it says.
        authorities: the certificates of those; of none at all nobody can tell.
    """
    return bool(authorities) and not any(judging.made(one, certificate) for one in authorities)


def stranger_to(authority: Path) -> Callable[[Client], bool]:
    """What tells whether a client of a fleet is a stranger to its set.

    Args:
        authority: the file of the certificate of who issues in the set; where it can't be read,
            nobody is a stranger.
    """
    try:
        known = _certificates(reading.read(authority, authority.name))
    except FolderUnavailableError:
        known = ()
    return lambda one: one.described is not None and is_stranger(one.described, known)


def issued_again(folder: Path) -> Text:
    """What mends that another authority has issued clients of a set.

    Args:
        folder: the folder of the set.
    """
    return _(
        "issue them again as before, with --reissue: {command}",
        command=issuing_again(folder.absolute()),
    )


def issuing_again(folder: Path) -> str:
    """The command that issues clients of a set again, as before.

    Args:
        folder: the folder of the set.
    """
    return ours(folder, "issue", "--from", "TABLE", "--reissue")


class Sets:
    """The sets among some certificates, and who is a stranger to the one that it belongs to.

    Args:
        held: the certificates.
    """

    def __init__(self, held: Iterable[Held]) -> None:
        self._files = {
            file.path: _certificates(file)
            for one in held
            for file, _place in one.places
            if file.path.name in {f"{ROOT}.crt", f"{INTERMEDIATE}.crt"}
        }
        self._cure = functools.cache(issued_again)
        self._is_at_work = functools.cache(_is_at_work)

    def why(self, one: Held) -> str:
        """That a certificate is a stranger to its set, in words; empty if it is not."""
        # What follows in a chain is there for the first of it.
        firsts = [file.path for file, place in one.places if place.number == 1]
        return next(filter(None, (self._why(one, path) for path in firsts)), "")

    def _why(self, one: Held, path: Path) -> str:
        home = clients.set_of(path)
        if home and not judging.role(one.described).is_ca and self._is_apart(one, home):
            return _(
                "nobody who trusts {file} lets it in; {cure}",
                file=f"{ROOT}.crt",
                cure=self._cure(home),
            )
        home = path.parent
        # What the root itself has issued needs nobody between.
        by_root = not is_stranger(one.described, self._root(home))
        if self._is_own(one, path) and not by_root and self._is_apart(one, home):
            return _(
                "nobody who trusts {file} accepts it; what mends that: {command}",
                file=f"{ROOT}.crt",
                command=ours(home.absolute(), "doctor"),
            )
        return ""

    def _is_apart(self, one: Held, home: Path) -> bool:
        """Whether who issues in a set stands nowhere above a certificate."""
        issuing = self._files.get(home / f"{INTERMEDIATE}.crt") or self._root(home)
        return all(is_stranger(other, issuing) for other in _upwards(one))

    def _is_own(self, one: Held, path: Path) -> bool:
        """Whether a certificate beside those of the authorities is the set's own.

        Where no certificates are made, as in the folder of a web server, `ca.crt` may be whom it
        lets in, and its own certificate that of a public authority.
        """
        if path.name == f"{INTERMEDIATE}.crt":
            return self._is_at_work(path.parent)
        if path.suffix != ".crt" or judging.role(one.described).is_ca:
            return False
        return os.path.lexists(path.with_suffix(".key")) and self._is_at_work(path.parent)

    def _root(self, home: Path) -> tuple[Description, ...]:
        return self._files.get(home / f"{ROOT}.crt", ())


def _certificates(file: File) -> tuple[Description, ...]:
    return tuple(one.described for one in file.certificates)


def _upwards(one: Held) -> Iterator[Description]:
    """What a certificate says, and those above it, up to the root."""
    yield one.described
    above = one.issuer
    # A root names itself, whatever the root is called that is in its place now.
    while above and not is_self_issued(above.described):
        yield above.described
        above = above.issuer


def _is_at_work(folder: Path) -> bool:
    return any(os.path.lexists(folder / name) for name in (LOG, f"{ROOT}.key"))
