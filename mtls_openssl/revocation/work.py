"""A run over the register: all of it happens in the stage, and is put in place whole."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from mtls_openssl.audit import LOG, AuditLog, recording, sha256_of
from mtls_openssl.desk import Desk
from mtls_openssl.errors import (
    CommandFailedError,
    Exit,
    FolderUnavailableError,
    NotProvenError,
)
from mtls_openssl.inspection.files import is_encrypted
from mtls_openssl.inventory.entered import oneline
from mtls_openssl.language import _, joined
from mtls_openssl.locate import Found
from mtls_openssl.manifest import passphrase_variable
from mtls_openssl.openssl import ca, crl, diagnosis
from mtls_openssl.openssl.ca import Entry
from mtls_openssl.pipeline import make_up_for
from mtls_openssl.process import Door
from mtls_openssl.proof import Check
from mtls_openssl.register import (
    CONFIG,
    LIST,
    NAMES,
    Findings,
    Issued,
    Standing,
    configured,
    first,
    gather,
    is_kept,
    issuer_of,
    standing,
)
from mtls_openssl.register import entries as entries_of
from mtls_openssl.register import keeping as steps
from mtls_openssl.register.files import parsed
from mtls_openssl.runner import Room
from mtls_openssl.steps import Command, Kind, Outcome, Render
from mtls_openssl.workspace import Workspace


@dataclasses.dataclass(frozen=True)
class Order:
    """What a run over the register is given.

    Args:
        folder: the folder of the set.
        command: the command of ours.
        passphrases: those of the authorities' keys, by the names of
            `manifest.passphrase_variable`; one that is not needed does no harm.
        limit: seconds that any one openssl command may take, instead of its own limit.
        heard: who is told of each command, once it has ended.
        only: whose certificates are needed, of the clients of a fleet; empty for all of them.
    """

    folder: Path
    command: str
    passphrases: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    limit: float | None = None
    heard: Callable[[Outcome], None] = lambda _outcome: None
    only: str = ""


class Work:
    """A run that is on; made by `at_work`.

    Attributes:
        folder: the folder of the set.
        desk: where openssl is asked; its scratch folder is the stage.
        issuer: the authority that issues, as its files are called before the dot.
        findings: what it has issued.
        before: the CRLs that are there; None if there are none.
        entered: how many certificates were not in the register until now.
        taken_over: how many were revoked by the CRL in place, and not by the register.
    """

    def __init__(self, order: Order, workspace: Workspace, desk: Desk, log: AuditLog) -> None:
        self.folder = workspace.directory
        self.desk = desk
        self.issuer = issuer_of(self.folder)
        self.findings = Findings(())
        self.before: Standing | None = None
        self.entered = 0
        self.taken_over = 0
        self.warnings = workspace.warnings
        self._order = order
        self._workspace = workspace
        self._log = log
        self._committed = False

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the register says by now."""
        return parsed(self.desk.scratch / ca.INDEX)

    def secret(self, authority: str) -> tuple[str, ...]:
        """The variable with the pass phrase of an authority's key; none if it has none."""
        key = self.folder / f"{authority}.key"
        return steps.secret(authority, encrypted=key.is_file() and is_encrypted(key))

    def can_sign(self, authority: str) -> bool:
        """Whether an authority's key is here, and can be opened."""
        return (self.folder / f"{authority}.key").is_file() and all(
            variable in self._order.passphrases for variable in self.secret(authority)
        )

    def bring(self, *names: str) -> None:
        """Copy files of the set to where all work happens."""
        self._workspace.bring(*names)

    def run(self, command: Command) -> Outcome:
        """Run a command where all work happens.

        Raises:
            CommandFailedError: it failed, and its answer is not a verdict.
        """
        self._workspace.heed()
        given = {name: self._order.passphrases[name] for name in command.secrets}
        outcome = self.desk.ask(command, secrets=given)
        if outcome.problem and not command.verdict:
            raise _failed(outcome, self.folder)
        return outcome

    def render(self, *renders: Render) -> None:
        """Write files where all work happens."""
        for one in renders:
            self.desk.render(one)

    def certificate(self, issued: Issued) -> str:
        """The file, where all work happens, of a certificate that was issued."""
        name = f"{issued.serial}.pem"
        if not (self.desk.scratch / name).exists():
            purpose = _("the certificate of {name} with this serial number", name=issued.name)
            self.render(steps.text(name, f"{issued.pem}\n", purpose))
        return name

    def commit(self, *names: str) -> Path | None:
        """Put the register and the CRLs in place, so far as they are others than before.

        Returns:
            The folder that what they replaced went to; None if they replaced nothing.
        """
        changed = [name for name in names if not self._is_there(name)]
        if not changed:
            return None
        backup = self._workspace.commit(
            publish=changed,
            retire=(),
            private=(),
            record=lambda: self._record(changed),
        )
        self._committed = True
        return backup

    def finish(self) -> None:
        """Put on record that all is done, where nothing was put in place."""
        if not self._committed:
            self._log.end(Exit.DONE, "done", {})

    def _record(self, names: Sequence[str]) -> None:
        published = {name: sha256_of(self.folder / name) for name in names}
        self._log.end(Exit.DONE, "done", published)

    def _is_there(self, name: str) -> bool:
        there = self.folder / name
        return there.is_file() and there.read_bytes() == (self.desk.scratch / name).read_bytes()

    def begin(self) -> None:
        """Bring the register here, or make it, with all in it that the authority has issued."""
        self._require(self.issuer)
        self.bring(f"{self.issuer}.crt", f"{self.issuer}.key")
        self.findings = self._found()
        self.before = standing(self.desk, self.folder)
        self.render(configured(self.issuer))
        there = [name for name in NAMES if (self.folder / name).is_file()]
        self.render(*(one for one in first(self._next_number()) if one.name not in there))
        self.bring(*there)
        self._normalise()
        known = {entry.serial for entry in self.entries}
        for issued in self.findings.issued:
            if issued.serial not in known:
                file = self.certificate(issued)
                self.run(steps.enter(file, self.issuer, encrypted=bool(self.secret(self.issuer))))
                self.entered += 1
        lacking = {one.serial for one in self.findings.issued} - {
            entry.serial for entry in self.entries
        }
        if lacking:
            raise NotProvenError(
                _(
                    "openssl did not change the register as it should have: {serials}.",
                    serials=", ".join(sorted(lacking)),
                ),
                fix=_("what openssl said is in {log}", log=self.folder / LOG),
            )
        self._take_over()

    def _found(self) -> Findings:
        """What the authority has issued; of a large fleet only what is needed, where that will do.

        Whoever else is not in the register is entered by the run that needs them.
        """
        name = self._order.only
        if name and is_kept(self.folder):
            some = gather(self.desk, self.folder, self.issuer, name)
            theirs = {one.serial for one in some.of(name)}
            subjects = {oneline(one.described.subject) for one in some.of(name)}
            entries = entries_of(self.folder)
            subjects |= {entry.subject for entry in entries if entry.serial in theirs}
            known = {one.serial for one in some.issued}
            # Else somebody else has one of the same subject, or nobody any more.
            if theirs and all(
                entry.serial in known for entry in entries if entry.subject in subjects
            ):
                return some
        return gather(self.desk, self.folder, self.issuer)

    def _take_over(self) -> None:
        """Revoke whom the CRL in place has revoked, so that no lost register lets them in again."""
        own = self.before.of(self.findings.authority) if self.before else None
        revoked = {one.serial for one in self.entries if one.status is ca.Status.REVOKED}
        lost = [one for one in own.revoked if ca.plain(one.serial) not in revoked] if own else []
        if not lost or not self.is_signed(LIST, self.issuer, self.folder):
            return
        index = (self.desk.scratch / ca.INDEX).read_text("utf-8")
        self.render(
            steps.text(
                ca.INDEX,
                steps.taken_over(index, lost),
                _("the register, with what the CRL in place has revoked"),
            )
        )
        self.taken_over = len(lost)

    def is_signed(self, file: str, authority: str, folder: Path | None = None) -> bool:
        """Whether a CRL is signed by an authority, both where all work happens or in a folder."""
        certificate = f"{authority}.crt"
        command = Command(
            crl.check(file, certificate),
            _("check that {file} is signed by {authority}", file=file, authority=certificate),
            Kind.LOOK,
            reads=(file, certificate),
            verdict=True,
        )
        finished = self.desk.ask(command, folder=folder).finished
        return crl.is_ok(f"{finished.stdout}\n{finished.stderr}")

    def _next_number(self) -> int:
        numbers = [one.number or 0 for one in self.before.lists] if self.before else []
        return max(numbers, default=0) + 1

    def _normalise(self) -> None:
        """Have an openssl that is not Windows' read what one of Windows wrote."""
        file = self.desk.scratch / ca.INDEX
        content = file.read_bytes()
        if b"\r\n" in content:
            file.write_bytes(content.replace(b"\r\n", b"\n"))

    def _require(self, authority: str) -> None:
        require_authority(self.folder, authority)
        for variable in self.secret(authority):
            if variable not in self._order.passphrases:
                raise FolderUnavailableError(
                    _("{file} has a pass phrase.", file=self.folder / f"{authority}.key"),
                    cause=_("every change of the register and every CRL is made with this key"),
                    fix=_("put it into the variable {variable}", variable=variable),
                )


def require_authority(folder: Path, authority: str) -> None:
    """See that the files of an authority are there.

    Raises:
        FolderUnavailableError: they are not.
    """
    certificate, key = f"{authority}.crt", f"{authority}.key"
    if not (folder / certificate).is_file():
        raise FolderUnavailableError(
            _("{name} is not in {folder}.", name=certificate, folder=folder.absolute()),
            cause=_("there is no set in it, or it is another folder"),
            fix=_("name the folder of the set with --out"),
        )
    if not (folder / key).is_file():
        raise FolderUnavailableError(
            _("{name} is not in {folder}.", name=key, folder=folder.absolute()),
            cause=_("the authority that has issued a certificate is the one that can revoke it"),
            fix=_("put the key beside {file} for this, or name its folder with --out",
                  file=certificate),
        )  # fmt: skip


@contextlib.contextmanager
def at_work(order: Order, found: Found, *, door: Door) -> Iterator[Work]:
    """A run over the register of a folder, with all in it that was issued.

    Args:
        order: what it is given.
        found: the openssl to use, and what was asked of which on the way to it.
        door: what starts the processes; closed at the end.

    Raises:
        FolderUnavailableError: the folder is busy, can't be written, or lacks a file.
        InterruptedRunError: KeyboardInterrupt came. In each case the folder is as it was.
    """
    require_authority(order.folder, issuer_of(order.folder))
    with contextlib.ExitStack() as stack:
        stack.callback(door.close)
        workspace = stack.enter_context(Workspace.open(order.folder, command=order.command))
        make_up_for(workspace)
        log = stack.enter_context(
            AuditLog.open(workspace.directory / LOG, reserve_in=workspace.stage)
        )
        with recording.changing(log):
            recording.searched(log, found)
            room = Room(found.chosen.path, workspace.stage, os.devnull, limit=order.limit)
            desk = Desk(room, log, door, found.chosen.version)
            desk.heard = order.heard
            work = Work(order, workspace, desk, log)
            work.begin()
            yield work
            work.finish()


def raise_for(checks: Sequence[Check], log: Path) -> None:
    """Refuse what did not pass its proof.

    Raises:
        NotProvenError: a check has a fault.
    """
    refused = [check for check in checks if check.fault]
    if refused:
        faults = joined(
            _("; "),
            [
                _(
                    "{file}: {fault} (wanted: {claim})",
                    file=check.subject,
                    fault=check.fault,
                    claim=check.claim,
                )
                for check in refused
            ],
        )
        raise NotProvenError(
            _("The result did not pass its proof: {faults}.", faults=faults),
            fix=_("what openssl said is in {log}", log=log),
        )


def _failed(outcome: Outcome, folder: Path) -> CommandFailedError:
    said = outcome.finished.stderr.strip()
    cause, fix = diagnosis.cause(said)
    if outcome.command.secrets and ("bad decrypt" in said or "rror while decrypting" in said):
        cause = _("the pass phrase is not the one of the key")
        fix = _("give the right one in {variable}", variable=outcome.command.secrets[0])
    words = " | ".join(line for line in said.splitlines() if "Using configuration" not in line)
    quoted = _("{program} said: {words}", program="openssl", words=words)
    return CommandFailedError(
        _(
            "openssl {command} ({purpose}) {problem}.",
            command=outcome.command.argv[0],
            purpose=outcome.command.purpose,
            problem=outcome.problem,
        ),
        cause=_("{cause} ({quoted})", cause=cause, quoted=quoted) if cause else quoted,
        fix=fix or _("its line in {log} has all that it said", log=folder / LOG),
    )


__all__ = ["CONFIG", "Order", "Work", "at_work", "passphrase_variable", "raise_for"]
