"""What becomes of the register of issued certificates."""

from __future__ import annotations

from pathlib import Path

from mtls_openssl.inspection.objects import Certificate
from mtls_openssl.inspection.telling import shown
from mtls_openssl.language import Text, _
from mtls_openssl.restore import coherence, register
from mtls_openssl.restore.backups import all_
from mtls_openssl.restore.case import Case, Fate
from mtls_openssl.restore.shelf import BETWEEN, CA, Set, Shelf


class Book:
    """What becomes of the register.

    Attributes:
        fates: what becomes of each of its files.
        sources: where those lie that come from a backup.
        contents: the bytes of those that are put together anew.
        notes: what a person should know.
    """

    def __init__(self, shelf: Shelf, seen: Case, before: Set, after: Set) -> None:
        self._shelf = shelf
        self._seen = seen
        self._before = before
        self.fates: dict[str, Fate] = {}
        self.sources: dict[str, Path] = {}
        self.contents: dict[str, bytes] = {}
        self.notes: list[Text] = []
        self._backups = [one.path for one in all_(seen.folder)]
        old, new = _issuer(shelf, before), _issuer(shelf, after)
        another = bool(new and (old is None or old.public_key != new.public_key))
        for name in register.BOOK:
            self._book(name, another=another)
        lost = register.LIST in seen.backup.files and register.LIST not in before
        if new and (another or lost):
            self._list(new)
        for name in seen.backup.files:
            if register.is_register(name):
                self.fates.setdefault(name, Fate.KEPT)
        self._tell_revoked(after)

    def _book(self, name: str, *, another: bool) -> None:
        if not another and (name in self._before or name not in self._seen.backup.files):
            return
        places = [self._seen.folder, *self._backups]
        states = [place / name for place in places if (place / name).is_file()]
        if not states:
            return
        texts = [_text(self._shelf, path) for path in states]
        merged = [texts[0], texts[0]]
        if name == register.INDEX:
            merged = [register.merged_index(texts[:1]), register.merged_index(texts)]
        elif name == register.NUMBER:
            merged = [f"{register.highest_number(some)}\n" for some in (texts[:1], texts)]
        if name in self._before and merged[0] == merged[1]:
            self.fates[name] = Fate.KEPT
            return
        self.contents[name] = merged[1].encode("utf-8", "surrogateescape")
        self.fates[name] = Fate.MERGED

    def _list(self, issuer: Certificate) -> None:
        """The newest list that is of the CA that will be there, of all that ever were."""
        current = self._before.get(register.LIST)
        if current and self._shelf.signed(current, issuer):
            self.fates[register.LIST] = Fate.KEPT
            return
        lists = [place / register.LIST for place in self._backups]
        signed = [path for path in lists if path.is_file() and self._shelf.signed(path, issuer)]
        newest = max(signed, key=self._number, default=None)
        for name in register.LISTS:
            if newest and (newest.parent / name).is_file():
                self.sources[name] = newest.parent / name
                self._shelf.digest(self.sources[name])
                back = Fate.REPLACED if name in self._before else Fate.RETURNS
                self.fates[name] = back
            elif name in self._before:
                self.fates[name] = Fate.LEAVES
        if self.fates.get(register.LIST) in {Fate.LEAVES, Fate.REPLACED, Fate.RETURNS}:
            self.notes.append(
                _(
                    "The list of revoked certificates is another CA's now; make a new one for web"
                    " servers: {command}",
                    command="python -m mtls_openssl crl",
                )
                if self.fates[register.LIST] is Fate.LEAVES
                else _(
                    "The list of revoked certificates that comes back may have ended since; make a"
                    " new one: {command}",
                    command="python -m mtls_openssl crl",
                )
            )

    def _number(self, path: Path) -> int:
        found = self._shelf.revocations(path)
        return (found.described.number or 0) if found else 0

    def _tell_revoked(self, after: Set) -> None:
        index = ""
        if register.INDEX in self.contents:
            index = self.contents[register.INDEX].decode("utf-8", "surrogateescape")
        elif register.INDEX in self._before:
            index = _text(self._shelf, self._before[register.INDEX])
        revoked = register.revoked(index)
        for name, path in sorted(after.items()):
            if path.parent == self._seen.folder or not coherence.is_certificate(name):
                continue
            certificate = self._shelf.certificate(path)
            serial = register.same_serial(certificate.described.serial) if certificate else ""
            if serial in revoked:
                when, _comma, why = revoked[serial].partition(",")
                self.notes.append(
                    _(
                        "{file} was revoked ({when}) and stays so: whoever knows the list of"
                        " revoked certificates refuses it.",
                        file=name,
                        when=shown(", ".join(filter(None, (_day(when), why)))),
                    )
                )


def _issuer(shelf: Shelf, files: Set) -> Certificate | None:
    """The certificate of who issues in a set."""
    return shelf.certificate(files.get(BETWEEN) or files.get(CA))


def _text(shelf: Shelf, path: Path) -> str:
    shelf.digest(path)
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _day(time: str) -> str:
    """A day as a person writes it, of a time as openssl does (ASN.1 UTCTime)."""
    digits = time.rstrip("Z")
    if not digits.isdigit() or len(digits) not in {12, 14}:
        return time
    century = "" if len(digits) == 14 else "20"  # noqa: PLR2004
    year = century + digits[:-10]
    return f"{year}-{digits[-10:-8]}-{digits[-8:-6]}"
