"""The register while clients are issued: kept in the stage, put in place once, at the end.

A run that is killed leaves the old one. Whoever issues next enters first what is in the folders of
clients and not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mtls_openssl.fleet.works import Works
from mtls_openssl.inventory import clients
from mtls_openssl.inventory.clients import Client
from mtls_openssl.inventory.entered import oneline
from mtls_openssl.language import _
from mtls_openssl.openssl import ca, verify
from mtls_openssl.openssl.ca import Entry, Status
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.register import NAMES
from mtls_openssl.register.files import parsed
from mtls_openssl.steps import Command, Kind
from mtls_openssl.workspace import Workspace

_AT_ONCE = 100


class Book:
    """The register of a folder that has one.

    Args:
        workspace: the folder.
        works: where openssl is asked.

    Attributes:
        entered: how many certificates were not in it when the run began.
        strangers: names of clients that another authority has issued, or nobody can read.
    """

    def __init__(self, workspace: Workspace, works: Works) -> None:
        self.entered = 0
        self.strangers: list[str] = []
        self._workspace = workspace
        self._works = works
        self._file = works.stage / ca.INDEX
        self._grown = False

    def open(self, issuer: str) -> None:
        """Bring the register to the stage, and enter the clients that are not in it.

        Args:
            issuer: the authority that issues, as its files are called before the dot; its
                certificate is in the stage.
        """
        self._workspace.bring(*NAMES)
        content = self._file.read_bytes()
        # openssl of Windows ends its lines as the system does, and no other one reads that.
        self._file.write_bytes(content.replace(b"\r\n", b"\n"))
        known = {entry.serial for entry in parsed(self._file)}
        new = (
            one
            for one in clients.all_in(self._workspace.directory)
            if one.described is None or ca.plain(one.described.serial) not in known
        )
        some: list[Client] = []
        for one in new:
            some.append(one)
            if len(some) == _AT_ONCE:
                self._catch_up(some, f"{issuer}.crt")
                some.clear()
        if some:
            self._catch_up(some, f"{issuer}.crt")

    def add(self, lines: str) -> None:
        """Enter what openssl has entered into the register of a batch.

        Args:
            lines: that register.
        """
        with self._file.open("a", encoding="utf-8", newline="\n") as file:
            file.write(lines)
        self._grown = True

    def put_in_place(self, record: Callable[[Sequence[str]], None]) -> None:
        """Put it in place of the old one, if it is another; the last thing that a run does.

        Args:
            record: puts on record that all is done; given the files that are there now.
        """
        if not self._grown:
            record(())
            return
        names = (ca.INDEX,)
        self._workspace.commit(
            publish=names, retire=(), private=(), record=lambda: record(names), last=True
        )
        self._grown = False

    def _catch_up(self, some: Sequence[Client], authority: str) -> None:
        good = set(self._signed(some, authority))
        for one in some:
            if one.name in good and one.described is not None:
                self.add(line(one.described))
                self.entered += 1
            else:
                self.strangers.append(one.name)

    def _signed(self, some: Sequence[Client], authority: str) -> Iterator[str]:
        """The names of those whose certificate the authority has signed."""
        files = {f"found-{number}.pem": one for number, one in enumerate(some) if one.described}
        if not files:
            return
        for name, one in files.items():
            (self._works.stage / name).write_text(f"{one.pem}\n", "ascii")
        said = self._works.ask(
            Command(
                verify.issued_by(authority, tuple(files)),
                _("check what the authority has issued"),
                Kind.LOOK,
                reads=(authority, *files),
                verdict=True,
            )
        ).finished.stdout
        for name, one in files.items():
            if verify.is_ok(said, name):
                yield one.name
            (self._works.stage / name).unlink()


def line(described: Description) -> str:
    """A certificate's line in the register, as openssl would write it."""
    serial, subject = ca.plain(described.serial), oneline(described.subject)
    return ca.line(Entry(Status.VALID, described.not_after, None, "", serial, subject))
