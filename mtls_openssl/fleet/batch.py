"""A batch of clients: made in the stage and proven, each in the folder that is put in place."""

from __future__ import annotations

import base64
import dataclasses
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import IO

from mtls_openssl.errors import NotProvenError
from mtls_openssl.fleet import passwords, requests, steps
from mtls_openssl.fleet.passwords import Entry
from mtls_openssl.fleet.works import Works
from mtls_openssl.inventory import certificate, keys
from mtls_openssl.inventory.clients import ZIP, der_of
from mtls_openssl.inventory.der import NotDerError
from mtls_openssl.language import _
from mtls_openssl.manifest import Leaf, Manifest
from mtls_openssl.openssl import ca, pkcs12, verify
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.proof import Check, bundles
from mtls_openssl.proof.certificates import differences
from mtls_openssl.steps import Outcome
from mtls_openssl.workspace.folder import remove_folder


@dataclasses.dataclass(frozen=True)
class Item:
    """A client to be made.

    Args:
        leaf: who it is.
        zipped: whether it goes into an archive.
        key: the private key that it keeps, PEM; nothing for a new one.
        before: what is there of it, and goes to the backup; empty for nothing.
    """

    leaf: Leaf
    zipped: bool = False
    key: bytes = dataclasses.field(default=b"", repr=False)
    before: str = ""

    @property
    def name(self) -> str:
        """What is put in place."""
        return steps.place(self.leaf) + ZIP * self.zipped


class Batch:
    """Some clients, made at the same time.

    Args:
        items: who they are.
        manifest: whose authorities issue them.
        works: where they are made; their keys are begun at once.
        known: the passwords of PKCS#12 files that keep theirs, by client and file.

    Attributes:
        lines: their lines in the register, once they are finished.
        passwords: the new ones of their PKCS#12 files, once they are finished.
        ends: when the last of them ends, once they are finished.
        names: what is to be put in place.
        replaced: what is there of it, and goes to the backup.
    """

    def __init__(
        self,
        items: Sequence[Item],
        manifest: Manifest,
        works: Works,
        known: Mapping[tuple[str, str], str],
    ) -> None:
        self.leaves = tuple(item.leaf for item in items)
        self.names = tuple(item.name for item in items)
        self.replaced = tuple(item.before for item in items if item.before)
        self.lines = ""
        self.passwords: list[Entry] = []
        self.ends: datetime | None = None
        self._manifest = manifest
        self._works = works
        self._stage = works.stage
        self._zipped = [item.leaf for item in items if item.zipped]
        self._known = known
        self._keys = [self._begun(item) for item in items]

    def _begun(self, item: Item) -> Future[Outcome]:
        leaf = item.leaf
        (self._stage / steps.place(leaf)).mkdir(parents=True, mode=0o700)
        if not item.key:
            return self._works.begin_anywhere(steps.request(leaf))
        with _created(self._stage / steps.key(leaf)) as file:
            file.write(item.key)
        return self._works.begin(steps.request_again(leaf))

    def finish(self) -> None:
        """Have them signed, prove them, and pack them.

        Raises:
            CommandFailedError: an openssl command failed.
            NotProvenError: something did not pass its proof.
        """
        self._works.wait(self._keys)
        self._keys.clear()
        described = self._issued()
        self._prove(described)
        self.ends = max(one.not_after for one in described.values())
        if self._manifest.intermediate:
            self._chain()
        self._pack()
        for leaf in self.leaves:
            (self._stage / leaf.request_file).unlink()
        for leaf in self._zipped:
            self._zip(leaf)

    def _issued(self) -> Mapping[str, Description]:
        """What was issued to each; it is where it belongs."""
        waiting = {self._asked_key(leaf): leaf for leaf in self.leaves}
        alike: dict[tuple[int, str], list[Leaf]] = {}
        for leaf in self.leaves:
            alike.setdefault((leaf.days, steps.config_of(leaf)), []).append(leaf)
        found: dict[str, Description] = {}
        new = self._stage / steps.NEW
        for some in alike.values():
            new.mkdir(mode=0o700)
            (self._stage / steps.INDEX).write_bytes(b"")
            self._works.ask(steps.sign(some, self._manifest.issuer))
            for file in list(new.iterdir()):
                described, leaf = self._told_apart(file, waiting)
                file.rename(self._stage / steps.certificate(leaf))
                found[leaf.name] = described
            self.lines += (self._stage / steps.INDEX).read_text("utf-8")
            remove_folder(new)
            for left in (*self._stage.glob(f"{steps.INDEX}*"), self._stage / steps.ALL):
                left.unlink()
        if waiting:
            names = ", ".join(leaf.name for leaf in waiting.values())
            raise self._unlike(_("openssl has issued nothing to {names}.", names=names))
        return found

    def _asked_key(self, leaf: Leaf) -> bytes:
        """The public key that a request asks a certificate for; it asks for nothing unasked."""
        try:
            text = (self._stage / leaf.request_file).read_text("ascii", "replace")
            key, unasked = requests.read(text)
        except NotDerError:
            raise self._unlike(
                _("{file} can't be read as a request.", file=leaf.request_file)
            ) from None
        if unasked:  # it may come from another host
            what = _("{file} asks for more than it should: {names}.",
                     file=leaf.request_file, names=", ".join(unasked))  # fmt: skip
            raise self._unlike(what)
        return key

    def _told_apart(self, file: Path, waiting: dict[bytes, Leaf]) -> tuple[Description, Leaf]:
        """Whose a certificate is: by its key, whatever the order they come in."""
        try:
            described, _own = certificate.read(der_of(file.read_text("ascii", "replace")))
            return described, waiting.pop(_key_of(described))
        except (NotDerError, KeyError):
            raise self._unlike(
                _("openssl has issued {file}, which nobody has asked for.", file=file.name)
            ) from None

    def _unlike(self, what: str) -> NotProvenError:
        return NotProvenError(
            what, fix=_("what openssl said is in {log}", log=self._works.log.path)
        )

    def _prove(self, described: Mapping[str, Description]) -> None:
        said = self._works.ask(steps.verified(self.leaves, self._manifest)).finished
        entered = sorted(entry.serial for entry in ca.parse(self.lines))
        serials = sorted(ca.plain(one.serial) for one in described.values())
        checks = [
            *self._verified(f"{said.stdout}\n{said.stderr}"),
            *(
                check
                for leaf in self.leaves
                for check in differences(steps.certificate(leaf), described[leaf.name], leaf)
            ),
            *self._paired(described),
            Check(
                ca.INDEX,
                _("it has what was issued, and nothing else"),
                "" if entered == serials else _("its serial numbers are others"),
            ),
        ]
        self._works.refuse(checks)

    def _verified(self, said: str) -> Iterator[Check]:
        lines = set(said.splitlines())
        for file in map(steps.certificate, self.leaves):
            fault = "" if f"{file}: OK" in lines else verify.reason(said) or _("nothing")
            yield Check(file, _("the strictest validators accept it (RFC 5280)"), fault)

    def _paired(self, described: Mapping[str, Description]) -> Iterator[Check]:
        """That the key in each folder is the one of its certificate."""
        asked: dict[str, Future[Outcome]] = {}
        fits: dict[str, bool] = {}
        for leaf in self.leaves:
            file = self._stage / steps.key(leaf)
            known = keys.of_private(der_of(file.read_text("ascii", "replace")))
            if known:
                fits[leaf.name] = known == keys.of_public(described[leaf.name].public_key)
            else:
                asked[leaf.name] = self._works.begin(steps.public_half(leaf))
        self._works.wait(asked.values())
        for name, one in asked.items():
            fits[name] = one.result().finished.stdout.strip() == described[name].public_key
        for leaf in self.leaves:
            claim = _("it belongs to {key}", key=leaf.key_file)
            fault = _("its public key is not that of {key}", key=leaf.key_file)
            yield Check(steps.certificate(leaf), claim, "" if fits[leaf.name] else fault)

    def _chain(self) -> None:
        above = (self._stage / self._manifest.issuer.certificate_file).read_bytes()
        for leaf in self.leaves:
            own = (self._stage / steps.certificate(leaf)).read_bytes()
            (self._stage / steps.chain(leaf)).write_bytes(own + above)

    def _pack(self) -> None:
        """Pack each for its readers, and open what was packed again."""
        packed = [
            (
                (leaf.name, packing.file),
                steps.bundle(leaf, packing, self._manifest),
                self._known.get((leaf.name, packing.file)) or passwords.made_up(),
            )
            for leaf in self.leaves
            for packing in leaf.packings
        ]
        outcomes = list[Outcome]()
        for number in range(2):
            outcomes = self._works.wait(
                [
                    self._works.begin(steps.pack(one)[number], {one.variable: password})
                    for _whose, one, password in packed
                ]
            )
        checks = list[Check]()
        for (whose, one, password), outcome in zip(packed, outcomes, strict=True):
            answers = {pkcs12.open_again(one.file, one.variable): outcome}
            checks += bundles.judged(answers, [one], self._stage, asked=True)
            if whose not in self._known:
                self.passwords.append((*whose, password))
        self._works.refuse(checks)

    def _zip(self, leaf: Leaf) -> None:
        """Put a client into an archive, with the root for whoever has nothing else."""
        folder = self._stage / steps.place(leaf)
        root = self._stage / self._manifest.root.certificate_file
        with (
            _created(folder.with_name(f"{folder.name}{ZIP}")) as stream,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for file in (*sorted(folder.iterdir()), root):
                archive.write(file, file.name)
        remove_folder(folder)


def _created(path: Path) -> IO[bytes]:
    """A new file that nobody else may read."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _key_of(described: Description) -> bytes:
    return base64.b64decode("".join(described.public_key.splitlines()[1:-1]))
