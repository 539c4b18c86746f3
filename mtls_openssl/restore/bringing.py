"""Puts what was examined in place, as one commit that can be undone like any other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.audit import LOG, AuditLog, recording, sha256_of
from mtls_openssl.errors import (
    Exit,
    FolderUnavailableError,
    NotProvenError,
)
from mtls_openssl.interrupts import held
from mtls_openssl.language import _, joined
from mtls_openssl.pipeline import make_up_for, published_in
from mtls_openssl.restore import fleet, telling
from mtls_openssl.restore.case import Case, Client, Fate
from mtls_openssl.workspace import Workspace, permissions
from mtls_openssl.workspace.causes import unavailable

_MOST_TOLD = 10
_SECRET = (".key", ".p12", ".pfx", ".jks", ".password")


def refuse_incoherent(case: Case) -> None:
    """Refuse what does not fit together.

    Raises:
        NotProvenError: it does not, and nothing was changed.
    """
    if not case.refused:
        return
    some = case.refused[:_MOST_TOLD]
    faults = [_("{file}: {fault}", file=one.subject, fault=one.fault) for one in some]
    if more := len(case.refused) - len(some):
        faults.append(_("and {count} more", count=more))
    error = NotProvenError(
        _(
            "What would come out of backup {name} does not fit together: {faults}.",
            name=case.backup.name,
            faults=joined(_("; "), faults),
        ),
        cause=_("they were made at another time, or by another CA; nothing was changed"),
        fix=joined(_("; or "), case.ways),
    )
    error.data = {**telling.data(case), **telling.proof_data(case)}
    raise error


@held
def bring_back(case: Case) -> tuple[Path | None, tuple[str, ...]]:
    """Do what was examined.

    Args:
        case: what would change, and was proven to fit together.

    Returns:
        The folder of the new backup, of what is replaced, or None if nothing is; and what the user
        should know besides.

    Raises:
        NotProvenError: it does not fit together.
        FolderUnavailableError: the folder is busy, can't be written, or was changed meanwhile.
        InterruptedRunError: KeyboardInterrupt came. In each case the folder is as it was.
    """
    refuse_incoherent(case)
    with Workspace.open(case.folder, command="restore") as workspace:
        make_up_for(workspace)
        with (
            AuditLog.open(workspace.directory / LOG, reserve_in=workspace.stage) as log,
            recording.changing(log),
        ):
            backup = _bring(case, workspace, log)
        return backup, tuple(filter(None, (workspace.recovered, *workspace.warnings)))


def _bring(case: Case, workspace: Workspace, log: AuditLog) -> Path | None:
    _refuse_changed(case)
    for name, source in case.sources.items():
        workspace.heed()
        workspace.bring(source.name, source=source.parent)
        (workspace.stage / source.name).rename(workspace.stage / name)
        if sha256_of(workspace.stage / name) != case.digests[source]:
            raise _changed(source)
    for name, content in case.contents.items():
        _write(workspace.stage / name, content)
    for client in case.coming:
        workspace.heed()
        workspace.bring(client.entry, source=case.backup.path)
        _refuse_others(client, workspace, case)
    names = (*case.sources, *case.contents, *(client.entry for client in case.coming))
    return workspace.commit(
        publish=names,
        retire=[
            *(one.name for one in case.entries if one.fate is Fate.LEAVES),
            *(place for client in case.coming for place in client.before),
        ],
        private=tuple(_private(case)),
        record=lambda: log.end(
            Exit.DONE,
            _("done: {purpose}", purpose=f"restore {case.backup.name}"),
            published_in(workspace.directory, names),
        ),
    )


def _refuse_others(client: Client, workspace: Workspace, case: Case) -> None:
    """Refuse a client that is not the one that was looked at, here or in the backup."""
    brought = fleet.digests(workspace.stage / client.entry)
    expected = {
        case.backup.path / path.relative_to(workspace.stage): digest
        for path, digest in brought.items()
    }
    for place in client.before:
        expected |= fleet.digests(case.folder / place)
    if expected != client.digests:
        raise _changed(case.folder / client.entry)


def _refuse_changed(case: Case) -> None:
    for path, digest in case.digests.items():
        if path.parent != case.folder or digest:
            try:
                now = sha256_of(path)
            except OSError:
                now = ""
        else:
            now = "there" if os.path.lexists(path) else ""
        if now != digest:
            raise _changed(path)


def _changed(path: Path) -> FolderUnavailableError:
    return FolderUnavailableError(
        _("{file} was changed meanwhile, and nothing was restored.", file=path),
        cause=_("another program is at work in the folder"),
        fix=_("run the same command again"),
    )


def _private(case: Case) -> Iterator[str]:
    for name, source in case.sources.items():
        if name.endswith(_SECRET) or _is_private(source):
            yield name
    for name in case.contents:
        if _is_private(case.folder / name):
            yield name


def _is_private(path: Path) -> bool:
    try:
        return permissions.is_private(path)
    except OSError:
        return False


def _write(file: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(file, flags, 0o600), "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise unavailable(_("{path} can't be written", path=file), error) from error
