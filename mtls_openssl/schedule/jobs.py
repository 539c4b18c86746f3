"""What is run for a folder, by which program, and when."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import mtls_openssl
from mtls_openssl.language import Text, _

MARK = "mtls-openssl"
"""What all that we put into a schedule bears, so that it is found again."""

WEEK = 7


@dataclasses.dataclass(frozen=True)
class Job:
    """One command of ours that is run regularly.

    Args:
        name: of the command.
        purpose: what it is for.
        argv: the whole command, the program first.
        every: after how many days it is run again: 1 or 7.
        fine: exit codes besides 0 that are no failure.
    """

    name: str
    purpose: Text
    argv: tuple[str, ...]
    every: int
    fine: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is run for a folder.

    Args:
        folder: the folder of the set, with its whole path.
        hour: when, in the computer's own time.
        minute: likewise.
        jobs: what.
    """

    folder: Path
    hour: int
    minute: int
    jobs: tuple[Job, ...]

    def called(self, job: Job) -> str:
        """A name for a job of this folder: the same each time, and of no other folder."""
        place = os.path.normcase(self.folder).encode("utf-8", "surrogateescape")
        return f"{job.name}-{hashlib.sha256(place).hexdigest()[:8]}"


def jobs(folder: Path, within: str, openssl: Path | None) -> tuple[Job, ...]:
    """What keeps a set alive: renewal in time, and a CRL that has not ended.

    Args:
        folder: the folder of the set, with its whole path.
        within: what `renew --within` is given; empty for nothing.
        openssl: the openssl to use, with its whole path; None for the one that is found.
    """
    shared = ["--quiet", "--out", str(folder)]
    if openssl:
        shared += ["--openssl", str(openssl)]
    us = ourselves()
    return (
        Job(
            "renew",
            _("renew what ends soon"),
            (*us, "renew", *(("--within", within) if within else ()), *shared),
            every=1,
            fine=(10,),
        ),
        Job(
            "crl",
            _("make the list of revoked certificates anew before it ends"),
            (*us, "crl", *shared),
            every=WEEK,
        ),
    )


def ourselves(
    python: str = sys.executable, archive: str = sys.argv[0], package: Path | None = None
) -> Sequence[str]:
    """How this program is started from any folder.

    Args:
        python: the Python that runs it.
        archive: what was started: a zip archive (.pyz), or something else.
        package: the folder of the package; None for that of this one.
    """
    if archive.endswith(".pyz"):
        return (python, os.path.abspath(archive))  # noqa: PTH100 - a link keeps its name
    package = package or Path(mtls_openssl.__file__).parent
    installed = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    # -P: a file in the folder where cron happens to stand is never taken for a module of ours.
    return (python, "-P", "-m", package.name) if package.parent in installed else (
        python, str(package),
    )  # fmt: skip
