"""What this user may not read: whose it is, and who can have it examined."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mtls_openssl.audit import LOG
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.language import Text, _
from mtls_openssl.plan import is_private
from mtls_openssl.scripting import prompt
from mtls_openssl.workspace.commit import CLIENTS

_IN_USE = 32
"""ERROR_SHARING_VIOLATION, which Python calls a matter of permission too."""


def is_closed(error: BaseException | None) -> bool:
    """Whether a file could not be read since this user may not; what is in use is not meant."""
    in_use = getattr(error, "winerror", 0) == _IN_USE
    return isinstance(error, PermissionError) and not in_use


def finding(patient: Patient, code: str, name: str, what: Text | None = None) -> Finding:
    """What there is to say of a file of the folder, or of the folder of a fleet, that is closed.

    Args:
        patient: whose file it is.
        code: what the finding is called.
        name: the name of the file.
        what: what is closed, in a sentence, where that is more than the file.
    """
    barred = _barred(patient.folder.absolute() / name)
    if is_ours(barred):
        mode = "700" if barred.is_dir() else "600" if is_kept(name) else "644"
        return Finding(
            code,
            Severity.ERROR,
            name,
            what or _("{file} is yours, and its permissions keep you from reading it.", file=name),
            _("what can't be read can't be used either"),
            prompt.line("chmod", mode, str(barred)),
        )
    owner = _owner(barred)
    if what is None and owner:
        what = _("You may not read {file}: it belongs to {owner}.", file=name, owner=owner)
    what = what or _("You may not read {file}: it belongs to another user.", file=name)
    examined = ("doctor", "--out", str(patient.folder.absolute()))
    by_owner = as_owner(barred, sys.executable, "-m", "mtls_openssl", *examined)
    if is_kept(name):
        return Finding(
            code,
            Severity.NOTE,
            name,
            what,
            _("that is as it should be; but what is in it was not examined"),
            by_owner,
        )
    return Finding(
        code,
        Severity.ERROR,
        name,
        what,
        _("it is no secret, and whoever may not read it can verify nothing with it"),
        # A folder that is closed may have keys in it besides.
        by_owner if barred.is_dir() else as_owner(barred, "chmod", "644", str(barred)),
    )


def is_kept(name: str) -> bool:
    """Whether a file is for its owner alone: a secret, the log, or the folder of a fleet."""
    return is_private(name) or name == LOG or name.partition("/")[0] == CLIENTS


def as_owner(path: Path, *command: str) -> str | Text:
    """How a command is run by whom a file belongs to: as it is, where that is us.

    Args:
        path: the file, or a link to it.
        command: the words of the command.
    """
    if is_ours(path):
        return prompt.line(*command)
    if owner := _owner(path):
        return prompt.line("sudo", "-u", owner, *command)
    return _("run the command as the user who owns the file")


def is_ours(path: Path) -> bool:
    """Whether a file, or what a link leads to, belongs to this user; never so on Windows."""
    return sys.platform != "win32" and path.stat().st_uid == os.geteuid()


def may_change(path: Path) -> bool:
    """Whether this user may say who reads a file (chmod(2)); on Windows it is to be tried."""
    return sys.platform == "win32" or os.geteuid() in (0, path.stat().st_uid)


def _barred(path: Path) -> Path:
    """What is closed: a file, or a folder on the way to where a link leads."""
    while True:
        try:
            path.stat()
        except PermissionError:
            path = path.resolve().parent
        else:
            return path


def _owner(barred: Path) -> str:
    """Who a file belongs to, as sudo knows them; empty on Windows."""
    if sys.platform == "win32":
        return ""
    try:
        return barred.owner()
    except KeyError:  # a user of another computer
        return f"#{barred.stat().st_uid}"
