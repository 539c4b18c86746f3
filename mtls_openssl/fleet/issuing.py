"""The run that issues or renews a fleet: batch after batch, each proven and put in place whole.

While one batch is signed and proven, the keys of the next ones are being made. A client is there
if and only if its folder is, so that the same command goes on wherever a run was stopped.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime

from mtls_openssl import register
from mtls_openssl.audit import LOG, AuditLog, recording
from mtls_openssl.errors import Exit, FolderUnavailableError, InterruptedRunError, MtlsError
from mtls_openssl.fleet import passwords, steps
from mtls_openssl.fleet.batch import Batch, Item
from mtls_openssl.fleet.book import Book
from mtls_openssl.fleet.choosing import Choosing
from mtls_openssl.fleet.nouns import Done, Order, Watcher
from mtls_openssl.fleet.works import Works
from mtls_openssl.interrupts import held
from mtls_openssl.language import Text, _
from mtls_openssl.life import ending
from mtls_openssl.locate import Found
from mtls_openssl.pipeline import make_up_for, published_in
from mtls_openssl.plan import CHAIN, CONFIG, pieces
from mtls_openssl.process import Door
from mtls_openssl.revocation.work import Order as RegisterOrder
from mtls_openssl.revocation.work import at_work
from mtls_openssl.runner import Room
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.workspace import Workspace
from mtls_openssl.workspace.causes import unavailable

_BATCH = 100
_LIGHT = 1024
"""Bits: so many times as much an RSA key counts in a batch, so that no batch takes too long."""
_AHEAD = 2


# Ctrl-C waits until it is asked for: come at any instruction, it would leave commands without
# their line, or a batch half in place.
@held
def issue(order: Order, found: Found, *, door: Door, watcher: Watcher) -> Done:
    """Issue the clients that are wanted and not there yet, or renew those who are.

    Args:
        order: what the run is given.
        found: the openssl to use, and what was asked of which on the way to it.
        door: what starts the processes; not used again.
        watcher: who is told how it goes on.

    Raises:
        CommandFailedError: an openssl command failed.
        NotProvenError: a client did not pass its proof.
        FolderUnavailableError: the folder is busy, can't be written, or lacks a file.
        InterruptedRunError: KeyboardInterrupt came. In each case whoever was put in place before
            is there, whole and in the register, and nobody else.
    """
    begun = time.perf_counter()
    _require(order)
    if not register.is_kept(order.folder):
        _begin_register(order, found)
    with contextlib.ExitStack() as stack:
        purpose = "renew" if order.renews else "issue"
        workspace = stack.enter_context(Workspace.open(order.folder, command=purpose))
        make_up_for(workspace)
        log = stack.enter_context(
            AuditLog.open(workspace.directory / LOG, reserve_in=workspace.stage)
        )
        executor = concurrent.futures.ThreadPoolExecutor(order.jobs)
        run = _Run(order, found, workspace, Works(
            Room(
                found.chosen.path, workspace.stage, CONFIG,
                secrets=order.passphrases, limit=order.limit, jobs=order.jobs,
            ),
            door, log, executor, lambda: _meanwhile(workspace, watcher), away=order.executor,
        ), watcher)  # fmt: skip
        try:
            recording.searched(log, found)
            run.everything()
            executor.shutdown()
            run.close(Exit.DONE, _("done"))
        except OSError as error:
            what = _("{path} can't be written", path=error.filename or workspace.stage)
            _end_badly(unavailable(what, error), run, door, executor)
        except BaseException as error:  # noqa: BLE001 - it is raised again, whatever it is
            _end_badly(error, run, door, executor)
        outlived = ending.outlived(order.folder, order.manifest.authorities, run.ends)
        others = (workspace.recovered, found.chosen.note, *workspace.warnings)
        run.done.notes = (*filter(None, others), *outlived)
        run.done.hosts = run.hosts
        run.done.seconds = time.perf_counter() - begun
        return run.done


def _meanwhile(workspace: Workspace, watcher: Watcher) -> None:
    workspace.heed()
    watcher.tick()


def _end_badly(error: BaseException, run: _Run, door: Door, executor: Executor) -> None:
    """Let nothing run on, and have register, log and clients agree."""
    stopped = isinstance(error, KeyboardInterrupt)
    code, how = Exit.OUR_FAULT, _("failed: {what}", what=type(error).__name__)
    if isinstance(error, MtlsError):
        code, how = error.code, _("failed: {what}", what=error.what)
    if stopped:
        code, how = Exit.INTERRUPTED, _("interrupted")
    else:
        door.close()
    run.give_up()
    executor.shutdown(cancel_futures=True)
    door.close()
    run.close(code, how)
    if not stopped:
        raise error
    raise InterruptedRunError(
        _(
            "The run was interrupted: {made} of {count} are there.",
            made=run.done.there + run.done.made,
            count=run.done.wanted,
        ),
        fix=_("run the same command again: it goes on where it was stopped"),
    ) from None


class _Run:
    """What a run knows of itself."""

    def __init__(
        self, order: Order, found: Found, workspace: Workspace, works: Works, watcher: Watcher
    ) -> None:
        self.done = Done(workspace.directory, order.whom.count)
        self._order = order
        self._found = found
        self._workspace = workspace
        self._works = works
        self._watcher = watcher
        self._book = Book(workspace, works)
        self._configured: set[str] = set()
        self.ends: set[datetime] = set()
        replaces = order.renews or order.reissues
        self._known = passwords.known(workspace.directory) if replaces else {}

    def everything(self) -> None:
        """Make everybody who is to be made."""
        manifest, folder = self._order.manifest, self._workspace.directory
        passwords.tidy(folder)
        issuer = manifest.issuer
        needed = dict.fromkeys(
            (manifest.root.certificate_file, issuer.certificate_file, issuer.key_file)
        )
        self._workspace.bring(*needed, *((CHAIN,) if manifest.intermediate else ()))
        self._works.render(pieces.configuration())
        self._book.open(issuer.name)
        self.done.entered, self.done.strangers = self._book.entered, self._book.strangers
        waiting: deque[Batch] = deque()
        for some in self._batches():
            waiting.append(Batch(some, manifest, self._works, self._known))
            while self._are_enough(waiting):
                self._finish(waiting.popleft())
        while waiting:
            self._finish(waiting.popleft())

    def _are_enough(self, waiting: Collection[Batch]) -> bool:
        """Whether there is work for all, so that the first of these is to be finished."""
        behind = [len(batch.leaves) for batch in waiting][1:]
        return len(behind) >= _AHEAD and sum(behind) >= _AHEAD * self._order.hands

    def give_up(self) -> None:
        """Wait for nothing that was sent away any more."""
        self._works.give_up()

    @property
    def hosts(self) -> Mapping[str, int]:
        """How many keys each other host has made."""
        return self._works.hosts

    def close(self, code: int, how: Text) -> None:
        """Put the register in place, and the end of the run on record.

        Raises:
            FolderUnavailableError: it can't be done; the next run makes up for it.
        """
        log, folder = self._works.log, self._workspace.directory

        def record(names: Sequence[str]) -> None:
            log.end(code, how, published_in(folder, (*names, *self._password_file())))

        if code == Exit.DONE:
            self._book.put_in_place(record)
            return
        try:
            passwords.tidy(folder)
            self._book.put_in_place(record)
        except MtlsError:
            # The next run enters what is there; why this one failed is what has to be told.
            record(())

    def _password_file(self) -> tuple[str, ...]:
        there = self.done.passwords and (self._workspace.directory / passwords.FILE).is_file()
        return (passwords.FILE,) if there else ()

    def _batches(self) -> Iterator[Sequence[Item]]:
        """Those who are to be made, some at a time."""
        choosing = Choosing(self._workspace.directory, self._order, self.done)
        some: list[Item] = []
        weight = 0
        for leaf in self._order.whom.leaves():
            self._workspace.heed()
            item = choosing.item(leaf)
            if item is None:
                continue
            if (config := steps.config_of(item.leaf)) not in self._configured:
                self._works.render(steps.configuration(self._order.manifest, item.leaf))
                self._configured.add(config)
            some.append(item)
            weight += 1 if item.key else max(leaf.key.bits // _LIGHT, 1)
            if weight >= _BATCH:
                yield some
                some, weight = [], 0
        if some:
            yield some

    def _finish(self, batch: Batch) -> None:
        batch.finish()
        folder, names = self._workspace.directory, batch.names
        if batch.passwords:
            passwords.add(folder, batch.passwords)
            self.done.passwords = folder / passwords.FILE
        backup = self._workspace.commit(
            publish=names,
            retire=batch.replaced,
            private=(),
            record=lambda: self._works.log.publish(
                _("{count} client{count:|s} {count:is|are} in place", count=len(names)),
                published_in(folder, names),
            ),
            last=False,
        )
        self.done.backup = backup or self.done.backup
        self._book.add(batch.lines)
        if batch.ends:
            self.ends.add(batch.ends)
        self.done.made += len(names)
        left = self.done.wanted - self.done.there - self.done.made
        self._watcher.progress(self.done.made, left)


def _require(order: Order) -> None:
    issuer = order.manifest.issuer
    for file in dict.fromkeys(("ca.crt", issuer.certificate_file, issuer.key_file)):
        if not (order.folder / file).is_file():
            fix = _(
                "name the folder of the set with --out, or make one: {command}",
                command=ours(order.folder, "all"),
            )
            if file == issuer.key_file:  # it may be kept elsewhere: the set is here
                certificate = issuer.certificate_file
                fix = _(
                    "put {file} beside {certificate} for this", file=file, certificate=certificate
                )
            raise FolderUnavailableError(
                _("{name} is not in {folder}.", name=file, folder=order.folder.absolute()),
                cause=_("it takes the authority of a set to issue certificates"),
                fix=fix,
            )
    ending.require_in_date(order.manifest.authorities, order.folder)


def _begin_register(order: Order, found: Found) -> None:
    """Begin a register with all that was issued so far, by a run of its own."""
    to_do = RegisterOrder(order.folder, "issue", order.passphrases, order.limit)
    with at_work(to_do, found, door=Door()) as work:
        work.commit(*register.NAMES)
