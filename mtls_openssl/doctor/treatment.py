"""What can be mended without a risk: permissions, and what a run left that was cut off."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl.audit import LOG, AuditLog
from mtls_openssl.doctor.finding import Finding
from mtls_openssl.errors import Exit
from mtls_openssl.language import Text, _
from mtls_openssl.pipeline import make_up_for
from mtls_openssl.workspace import Workspace
from mtls_openssl.workspace.permissions import make_private


def treat(folder: Path, findings: Sequence[Finding]) -> tuple[Text, ...]:
    """Do what of the findings is safe, under the lock of the folder, and put it on record.

    Args:
        folder: the folder of the set.
        findings: what was found.

    Returns:
        What was done, a sentence each.

    Raises:
        FolderUnavailableError: somebody is at work in the folder, or it can't be written.
    """
    safe = [finding for finding in findings if finding.safe]
    if not safe:
        return ()
    done: list[Text] = []
    # To enter it is to put in order what a run left behind.
    with Workspace.open(folder, command="doctor --fix") as workspace:
        make_up_for(workspace)
        if workspace.recovered:
            done.append(_("{what}", what=workspace.recovered))
        for finding in safe:
            if finding.code == "key-open" and make_private(folder / finding.subject):
                done.append(_("{file}: its owner alone may read it now.", file=finding.subject))
            if finding.code == "folder-open" and sys.platform != "win32":
                folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~stat.S_IWOTH)
                done.append(_("{folder}: others may not write in it any more.", folder=folder))
        if (workspace.directory / LOG).is_file():
            with AuditLog.open(workspace.directory / LOG) as log:
                log.end(Exit.DONE, f"done: doctor --fix: {'; '.join(map(str, done))}", {})
    return tuple(done)
