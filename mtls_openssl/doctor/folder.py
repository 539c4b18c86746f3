"""The folder: what a run left in it that was cut off, and who may read and write there."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.doctor import closed, mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.language import _
from mtls_openssl.life.condition import files_in
from mtls_openssl.plan import PRIVATE
from mtls_openssl.plan import is_private as is_secret
from mtls_openssl.workspace import commit
from mtls_openssl.workspace.permissions import is_private

_SECRET_ENDINGS = {".key", ".p12", ".pfx", ".password", ".zip"}
_PASSWORDS = "clients.passwords.csv"


def unfinished(patient: Patient) -> Iterator[Finding]:
    """Whether a run was cut off here."""
    if os.path.lexists(patient.folder / commit.JOURNAL):
        yield Finding(
            "unfinished",
            Severity.ERROR,
            commit.JOURNAL,
            _("A run was cut off while it moved its set into place."),
            _("the folder holds a part of the old set and a part of the new one"),
            mending.ours(patient, "doctor", "--fix"),
            safe=True,
        )
    elif os.path.lexists(patient.folder / commit.STAGE):
        yield Finding(
            "left-behind",
            Severity.WARNING,
            commit.STAGE,
            _("A run was cut off before its set was finished, and its files are still here."),
            _("there may be private keys among them"),
            mending.ours(patient, "doctor", "--fix"),
            safe=True,
        )


def writable(patient: Patient) -> Iterator[Finding]:
    """Who may write in the folder: its owner, and nobody else."""
    if sys.platform != "win32":
        mode = patient.folder.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield Finding(
                "folder-open",
                Severity.ERROR,
                str(patient.folder),
                _("Everyone on this computer may write in the folder."),
                _("who can replace ca.crt or server.key is trusted in their place"),
                mending.ours(patient, "doctor", "--fix"),
                safe=True,
            )
    if not os.access(patient.folder, os.W_OK):
        yield Finding(
            "folder-read-only",
            Severity.NOTE,
            str(patient.folder),
            _("You may not write in the folder."),
            _("nothing in it can be renewed or repaired by you"),
            _("run the command as the folder's owner when something is to be renewed"),
        )


def readable(patient: Patient) -> Iterator[Finding]:
    """Who may read the private keys: their owner, and nobody else."""
    for path in _secrets(patient.folder):
        name = path.relative_to(patient.folder).as_posix()
        if sys.platform != "win32":
            mode = path.stat().st_mode
            if mode & stat.S_IRWXG and not mode & stat.S_IRWXO:
                yield Finding(
                    "key-group",
                    Severity.NOTE,
                    name,
                    _("The group of {file} may read it.", file=name),
                    _("that is right if a web server of this group reads it, and only then"),
                    closed.as_owner(path, "chmod", "600", str(path.absolute())),
                )
                continue
        if not is_private(path):
            safe = closed.may_change(path)
            yield Finding(
                "key-open",
                Severity.ERROR,
                name,
                _("Others on this computer may read {file}.", file=name),
                _("who has a private key is taken for its owner; a .p12 is as safe as its"
                  " password"),
                mending.ours(patient, "doctor", "--fix")
                if safe
                else closed.as_owner(path, "chmod", "600", str(path.absolute())),
                safe=safe,
            )  # fmt: skip


def _secrets(folder: Path) -> Iterator[Path]:
    names = sorted(files_in(folder))
    usual = [name for name in PRIVATE if name in names]
    for name in dict.fromkeys((*usual, *filter(is_secret, names))):
        if _is_reached(folder / name):
            yield folder / name
    for within in (folder / commit.BACKUP, folder / commit.CLIENTS):
        if not os.path.isdir(within) or is_private(within):  # noqa: PTH112 - no, if it is closed
            continue
        for path in sorted((*within.glob("*/*"), *within.glob("*.zip"))):
            if path.suffix in _SECRET_ENDINGS and _is_reached(path):
                yield path


def _is_reached(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        return False  # a link to where we may not look: whoever reads it tells
