"""Who may read what: private keys for their owner alone, certificates for everyone.

Not every file system keeps permissions (FAT, some network shares). Nothing fails there: each
function says whether what it made is private, and the caller tells the user.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(path: Path) -> bool:
    """Make a folder that nobody else can look into, from the moment it exists.

    Args:
        path: the folder to make.

    Returns:
        Whether the file system keeps it private.

    Raises:
        OSError: it can't be made, or is there already.
    """
    if sys.platform == "win32":
        from mtls_openssl.workspace import acl  # noqa: PLC0415 - Windows only

        return acl.private_folder(path)
    path.mkdir(0o700)
    return is_private(path)


def make_private(path: Path) -> bool:
    """Let only its owner read and write a file: 0600, or on Windows an ACL of its own.

    Args:
        path: the file.

    Returns:
        Whether the file system keeps it private.
    """
    if sys.platform == "win32":
        from mtls_openssl.workspace import acl  # noqa: PLC0415 - Windows only

        return acl.make_private(path)
    try:
        path.chmod(0o600)
        return is_private(path)
    except OSError:
        return False


def make_public(path: Path) -> None:
    """Let everyone read a file: 0644, or on Windows what its folder grants.

    A file moved on NTFS keeps the ACL that it was born with, so it is called after the move.

    Args:
        path: the file; where the file system refuses, it stays as it is.
    """
    if sys.platform == "win32":
        from mtls_openssl.workspace import acl  # noqa: PLC0415 - Windows only

        acl.inherit(path)
        return
    try:
        path.chmod(0o644)
    except OSError:
        return  # no permissions here: it is readable as it is


def is_private(path: Path) -> bool:
    """Whether nobody but its owner can read a file, or look into a folder.

    On Windows SYSTEM and the Administrators can too.

    Args:
        path: the file or the folder.

    Raises:
        OSError: there is none, or it can't be asked.
    """
    if sys.platform == "win32":
        from mtls_openssl.workspace import acl  # noqa: PLC0415 - Windows only

        return acl.is_private(path)
    return not path.stat().st_mode & _OTHERS
