"""Every way a run can end badly, with the exit code of each.

An error is written for the person who meets it: what happened and to which file or setting,
the likely cause, and the command that mends it. `cli` is the only place that catches them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mtls_openssl.language import Text, _


class Exit(enum.IntEnum):
    """What the process returns; the one list of exit codes."""

    DONE = 0
    OUR_FAULT = 1
    USAGE = 2
    NO_OPENSSL = 3
    COMMAND_FAILED = 4
    NOT_PROVEN = 5
    SETTING_REFUSED = 6
    FOLDER_UNAVAILABLE = 7
    NOTHING_TO_DO = 10
    INTERRUPTED = 130


_SAID = (
    _("File exists"),
    _("File name too long"),
    _("Input/output error"),
    _("Invalid argument"),
    _("Is a directory"),
    _("No such file or directory"),
    _("No such process"),
    _("No space left on device"),
    _("Not a directory"),
    _("Operation not permitted"),
    _("Permission denied"),
    _("Read-only file system"),
    _("Too many open files"),
)
"""What systems say most, so that it has its place in the catalogue (strerror(3))."""


def system_said(error: OSError) -> Text:
    """The system's own word for what went wrong."""
    return Text((error.strerror or str(error)).rstrip("."))


class MtlsError(Exception):
    """Something the user can understand and mend.

    Args:
        what: what happened, to which file or setting, in one sentence.
        cause: the likely cause, where it is known.
        fix: the command or the edit that mends it.
    """

    code = Exit.OUR_FAULT
    data: Mapping[str, Any] = MappingProxyType({})
    """What a program is told besides, where there is more to tell than the error."""

    def __init__(self, what: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause
        self.fix = fix


class UsageError(MtlsError):
    """Options that do not go together."""

    code = Exit.USAGE


class OpensslNotFoundError(MtlsError):
    """No openssl on this machine that the tool can use."""

    code = Exit.NO_OPENSSL


class CommandFailedError(MtlsError):
    """An openssl command failed, hung, was killed, or did not write what it should have."""

    code = Exit.COMMAND_FAILED


class NotProvenError(MtlsError):
    """The commands ran, and what they made did not pass its proof."""

    code = Exit.NOT_PROVEN


class SettingRefusedError(MtlsError):
    """A setting has a value that can't be put into a certificate as it stands."""

    code = Exit.SETTING_REFUSED


class UnreachableError(MtlsError):
    """A server that can't be reached, or does not answer."""

    code = Exit.FOLDER_UNAVAILABLE


class FolderUnavailableError(MtlsError):
    """The folder of the set is busy, can't be written, or lacks a file that a step needs."""

    code = Exit.FOLDER_UNAVAILABLE


class InterruptedRunError(MtlsError):
    """The user, or the system, asked the run to stop."""

    code = Exit.INTERRUPTED
