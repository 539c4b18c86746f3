"""Files that are read once, whichever folder they lie in, and what openssl says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtls_openssl.audit import sha256_of
from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.inspection.objects import (
    Bundle,
    Certificate,
    Holding,
    Key,
    Unreadable,
    fingerprint,
)
from mtls_openssl.inspection.reading import Asked, Reader
from mtls_openssl.language import _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import verify
from mtls_openssl.steps import Command, Kind

Set = Mapping[str, Path]
"""The files of a set by their names, and where each of them lies."""

CA = f"{ROOT}.crt"
BETWEEN = f"{INTERMEDIATE}.crt"
_AT_ONCE = 100
_ASKED_AGAIN = 10


class Shelf:
    """What there is to know of files.

    Args:
        desk: where openssl is asked.
        asked: gives the password of a file that has one.
    """

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self._desk = desk
        self._reader = Reader(desk, asked)
        self._holdings: dict[Path, Holding] = {}
        self._digests: dict[Path, str] = {}
        self._verified: dict[tuple[str, ...], str] = {}
        self._stands = 0

    @property
    def digests(self) -> Mapping[Path, str]:
        """The SHA-256 of every file that was looked at."""
        return self._digests

    def digest(self, path: Path) -> str:
        """The SHA-256 of a file.

        Raises:
            FolderUnavailableError: it can't be read.
        """
        if path not in self._digests:
            self._digests[path] = digest_of(path)
        return self._digests[path]

    def holding(self, path: Path) -> Holding:
        """What a file holds."""
        if path not in self._holdings:
            self.digest(path)
            self._holdings[path] = self._reader.read(path)
        return self._holdings[path]

    def certificate(self, path: Path | None) -> Certificate | None:
        """The first certificate of a file; None if it has none that can be read."""
        return next(iter(self.holding(path).certificates), None) if path else None

    def key(self, path: Path) -> Key | None:
        """The private key of a file; None if it has none that can be read."""
        things = (item.thing for item in self.holding(path).flat)
        return next((thing for thing in things if isinstance(thing, Key) and thing.private), None)

    def damage(self, path: Path) -> str:
        """Why a part of a file can't be read; empty if it can."""
        things = (item.thing for item in self.holding(path).items)
        return next((thing.why for thing in things if isinstance(thing, Unreadable)), "")

    def locked(self, path: Path) -> str:
        """Why a PKCS#12 file was not opened; empty if it was."""
        things = (item.thing for item in self.holding(path).items)
        return next((thing.locked for thing in things if isinstance(thing, Bundle)), "")

    def objection(self, name: str, files: Set) -> str:
        """What openssl has against a certificate of a set, whatever its age; empty for nothing.

        Args:
            name: the file of the certificate.
            files: the set, in which there is a CA.
        """
        stand = list(dict.fromkeys(one for one in (CA, BETWEEN, name) if one in files))
        certificates = [self.certificate(files[one]) for one in stand]
        prints = tuple(fingerprint(one.pem) if one else "" for one in certificates)
        if prints not in self._verified:
            self._verified[prints] = self._verify(name, stand, certificates)
        return self._verified[prints]

    def objections(self, pems: Sequence[str], files: Set) -> list[str]:
        """The same of many certificates that are none of the files.

        Args:
            pems: the certificates.
            files: the set, in which there is a CA.
        """
        authorities = {
            one: certificate.pem
            for one in (CA, BETWEEN)
            if (certificate := self.certificate(files.get(one)))
        }
        if CA not in authorities:
            return [_("{file} can't be read", file=CA) for _pem in pems]
        names = [f"{number}.pem" for number in range(len(pems))]
        folder = self._stand({**authorities, **dict(zip(names, pems, strict=True))})
        by = BETWEEN if BETWEEN in authorities else ""
        good = set[str]()
        for at in range(0, len(names), _AT_ONCE):
            some = names[at : at + _AT_ONCE]
            what = _(
                "check that the CA issued {count} client{count:|s}, whatever the age",
                count=len(some),
            )
            said = self._said(folder, some, by, what)
            good |= {name for name in some if verify.is_ok(said, name)}
        # What is wrong with one is wrong with all, most likely.
        asked = [name for name in names if name not in good][:_ASKED_AGAIN]
        what = _("ask what is wrong with a client")
        faults = {name: _why(self._said(folder, [name], by, what)) for name in asked}
        other = _("the CA has not issued it, or something else is wrong with it")
        return ["" if name in good else faults.get(name, other) for name in names]

    def _verify(self, name: str, stand: list[str], certificates: list[Certificate | None]) -> str:
        if not all(certificates):
            return _("it can't be read")
        # On Windows openssl finds no file by a name that is not ASCII.
        last = name if name.isascii() else "certificate.crt"
        names = [last if one == name else one for one in stand]
        pems = [one.pem for one in certificates if one]
        folder = self._stand(dict(zip(names, pems, strict=True)))
        by = BETWEEN if BETWEEN in names and last != BETWEEN else ""
        what = _("check that the CA issued {file}, whatever its age", file=name)
        said = self._said(folder, [last], by, what)
        return "" if verify.is_ok(said, last) else _why(said)

    def _said(self, folder: Path, names: Sequence[str], by: str, what: str) -> str:
        command = Command(
            verify.chain_at_any_time(*names, by=by),
            what,
            Kind.LOOK,
            reads=tuple(dict.fromkeys(filter(None, (CA, by, *names)))),
            verdict=True,
        )
        finished = self._desk.ask(command, folder=folder).finished
        return f"{finished.stdout}\n{finished.stderr}"

    def _stand(self, pems: Mapping[str, str]) -> Path:
        self._stands += 1
        folder = self._desk.scratch / f"stand-{self._stands}"
        folder.mkdir()
        for name, pem in pems.items():
            (folder / name).write_text(pem + "\n", encoding="ascii")
        return folder


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, as it is now.

    Raises:
        FolderUnavailableError: it can't be read.
    """
    try:
        return sha256_of(path)
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be read: {why}", file=path, why=system_said(error)),
            fix=_("run the command as the user who owns the file"),
        ) from error


def _why(said: str) -> str:
    return verify.reason(said) or said.strip() or _("openssl did not say why")
