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

_IN_USE = 32
"""ERROR_SHARING_VIOLATION, which Python calls a matter of permission too."""


def is_closed(error: BaseException | None) -> bool:
    """Whether a file could not be read since this user may not; what is in use is not meant."""
    in_use = getattr(error, "winerror", 0) == _IN_USE
    return isinstance(error, PermissionError) and not in_use


def finding(patient: Patient, code: str, name: str) -> Finding:
    """What there is to say of a file of the folder that may not be read.

    Args:
        patient: whose file it is.
        code: what the finding is called.
        name: the name of the file.
    """
    path = patient.folder.absolute() / name
    if _is_ours(path):
        mode = "600" if is_kept(name) else "644"
        return Finding(
            code,
            Severity.ERROR,
            name,
            _("{file} is yours, and its permissions keep you from reading it.", file=name),
            _("what can't be read can't be used either"),
            prompt.line("chmod", mode, str(path)),
        )
    owner = _owner(path)
    what = _("You may not read {file}: it belongs to {owner}.", file=name, owner=owner)
    if not owner:
        what = _("You may not read {file}: it belongs to another user.", file=name)
    if is_kept(name):
        examined = ("doctor", "--out", str(patient.folder.absolute()))
        return Finding(
            code,
            Severity.NOTE,
            name,
            what,
            _("that is as it should be; but what is in it was not examined"),
            _as_owner(owner, sys.executable, "-m", "mtls_openssl", *examined),
        )
    return Finding(
        code,
        Severity.ERROR,
        name,
        what,
        _("it is no secret, and whoever may not read it can verify nothing with it"),
        _as_owner(owner, "chmod", "644", str(path)),
    )


def is_kept(name: str) -> bool:
    """Whether a file is for its owner alone: a secret, or the log."""
    return is_private(name) or name == LOG


def _as_owner(owner: str, *command: str) -> str | Text:
    if not owner:
        return _("run the command as the user who owns the file")
    return prompt.line("sudo", "-u", owner, *command)


def _is_ours(path: Path) -> bool:
    return sys.platform != "win32" and path.lstat().st_uid == os.geteuid()


def _owner(path: Path) -> str:
    """Who a file belongs to, as sudo knows them; empty on Windows."""
    if sys.platform == "win32":
        return ""
    try:
        return path.owner()
    except KeyError:  # a user of another computer
        return f"#{path.lstat().st_uid}"
