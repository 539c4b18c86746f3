"""What becomes of the register of issued certificates, and of the CRLs.

Where the authority that issues stays, its register stays as it is. Where another one comes back, so
does its own register, with all that any state of it says: of the backups that this authority is in,
each entry, revoked where any of them says so, and the highest CRL number. Nothing that was ever
revoked is forgotten, and no number falls.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.inspection.objects import Certificate
from mtls_openssl.language import Text, _
from mtls_openssl.openssl import ca
from mtls_openssl.restore import coherence, merging
from mtls_openssl.restore.backups import all_
from mtls_openssl.restore.case import Case, Fate
from mtls_openssl.restore.shelf import BETWEEN, CA, Set, Shelf
from mtls_openssl.scripting.prompt import ours

_BOOK = (ca.INDEX, ca.ATTRIBUTES, ca.CRL_NUMBER)
_LISTS = ca.KEPT[len(_BOOK) :]


class Book:
    """What becomes of it.

    Attributes:
        fates: what becomes of each of its files.
        sources: where those lie that come from a backup.
        contents: the bytes of those that are put together anew.
        notes: what a person should know.
    """

    def __init__(self, shelf: Shelf, seen: Case, before: Set, after: Set) -> None:
        self._shelf = shelf
        self._folder = seen.folder
        self._before = before
        self.fates: dict[str, Fate] = {}
        self.sources: dict[str, Path] = {}
        self.contents: dict[str, bytes] = {}
        self.notes: list[Text] = []
        old, new = issuer(shelf, before), issuer(shelf, after)
        another = bool(new and (old is None or old.public_key != new.public_key))
        within = [name for name in ca.KEPT if name in seen.backup.files]
        wanted = [name for name in within if name not in before]
        if another:
            wanted = [name for name in ca.KEPT if name not in self._of_the_root(before, after)]
        if new and wanted:
            # Without an authority in the folder, whose register lies there is not known.
            places = [] if old or not another else [seen.folder]
            self._bring(wanted, [*places, *self._states(new, lost=not another)])
        for name in within:
            self.fates.setdefault(name, Fate.KEPT)
        self._tell_revoked(after)

    def _of_the_root(self, before: Set, after: Set) -> tuple[str, ...]:
        """What stays though another issues: the list of a root that stays."""
        old, new = (self._shelf.certificate(one.get(CA)) for one in (before, after))
        stays = old and new and old.public_key == new.public_key
        return tuple({ca.ROOT_CRL} & before.keys()) if stays else ()

    def _states(self, authority: Certificate, *, lost: bool) -> Iterator[Path]:
        """The backups with a state of an authority's register, the newest first.

        Args:
            authority: the certificate of who issues.
            lost: whether it was there all the time, and so is in no backup itself.
        """
        for backup in all_(self._folder):
            there = issuer(self._shelf, {name: backup.path / name for name in backup.files})
            if lost if there is None else there.public_key == authority.public_key:
                yield backup.path

    def _bring(self, wanted: list[str], places: list[Path]) -> None:
        for name in wanted:
            states = [place / name for place in places if (place / name).is_file()]
            if name in _LISTS:
                states.sort(key=self._number, reverse=True)
                states = states[:1]
            if not states:
                if name in self._before:
                    self.fates[name] = Fate.LEAVES
                continue
            self._put(name, states)
        if any(self.fates.get(name, Fate.KEPT) is not Fate.KEPT for name in ca.KEPT):
            self.notes.append(
                _(
                    "Another register comes with it; make the list of revoked certificates anew:"
                    " {command}",
                    command=ours(self._folder, "crl"),
                )
            )

    def _put(self, name: str, states: list[Path]) -> None:
        texts = [_text(self._shelf, path) for path in states]
        # Windows' line ends make no other register.
        newest, merged = (_merged(name, some) for some in (texts[:1], texts))
        if merged != newest:
            self.contents[name] = merged.encode("utf-8", "surrogateescape")
            self.fates[name] = Fate.MERGED
            return
        if states[0].parent == self._folder:
            self.fates[name] = Fate.KEPT
            return
        self.sources[name] = states[0]
        self.fates[name] = Fate.REPLACED if name in self._before else Fate.RETURNS

    def _number(self, path: Path) -> int:
        """The number of the CRL that would have been next when a file lay in the folder."""
        beside = path.with_name(ca.CRL_NUMBER)
        number = merging.highest_number([_text(self._shelf, beside)] if beside.is_file() else [])
        return int(number or "0", 16)

    @property
    def revoked(self) -> dict[str, ca.Entry]:
        """What will be revoked, by serial number."""
        return {
            entry.serial: entry for entry in self._entries() if entry.status is ca.Status.REVOKED
        }

    def _tell_revoked(self, after: Set) -> None:
        revoked = self.revoked
        for name, path in sorted(after.items()):
            if path.parent == self._folder or not coherence.is_certificate(name):
                continue
            certificate = self._shelf.certificate(path)
            found = revoked.get(ca.plain(certificate.described.serial)) if certificate else None
            if found is None:
                continue
            when = f"{found.revoked:%Y-%m-%d}"
            self.notes.append(
                _(
                    "{file} was revoked ({when}) and stays so: whoever knows the list of revoked"
                    " certificates refuses it.",
                    file=name,
                    when=", ".join(filter(None, (when, found.reason))),
                )
            )

    def _entries(self) -> tuple[ca.Entry, ...]:
        """What the register will say."""
        place = self.sources.get(ca.INDEX) or self._before.get(ca.INDEX)
        text = _text(self._shelf, place) if place else ""
        if ca.INDEX in self.contents:
            text = self.contents[ca.INDEX].decode("utf-8", "surrogateescape")
        try:
            return ca.parse(text)
        except ValueError:
            return ()  # what is wrong with it, the commands that need it say


def issuer(shelf: Shelf, files: Set) -> Certificate | None:
    """The certificate of who issues in a set."""
    return shelf.certificate(files.get(BETWEEN) or files.get(CA))


def _merged(name: str, texts: list[str]) -> str:
    """Several states of one file of the register as one, the newest first."""
    if name == ca.INDEX:
        return merging.merged_index(texts)
    if name == ca.CRL_NUMBER:
        return f"{merging.highest_number(texts)}\n"
    return texts[0]


def _text(shelf: Shelf, path: Path) -> str:
    shelf.digest(path)
    return path.read_bytes().decode("utf-8", "surrogateescape")
