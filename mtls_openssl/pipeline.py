"""A run from a plan to a proven set in its folder: stage, run, prove, commit.

Nothing here prints or asks. Whatever happens, the folder holds the old set or the new one, whole,
and the audit log says which commands ran and how the run ended.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mtls_openssl.audit import LOG, AuditLog, recording, sha256_of
from mtls_openssl.errors import (
    CommandFailedError,
    Exit,
    FolderUnavailableError,
    NotProvenError,
)
from mtls_openssl.frozen import dataclass
from mtls_openssl.interrupts import held
from mtls_openssl.language import _, joined
from mtls_openssl.life import ending
from mtls_openssl.locate import Found
from mtls_openssl.manifest import Manifest
from mtls_openssl.openssl import diagnosis, pkcs12
from mtls_openssl.plan import CONFIG, Plan, is_private, made_by
from mtls_openssl.plan.naming import is_certificate, issues, owner_of
from mtls_openssl.process import Door
from mtls_openssl.proof import NOTHING_BESIDES, Check, Proof, Proving
from mtls_openssl.runner import Room, Watcher, run
from mtls_openssl.steps import Ending, Outcome
from mtls_openssl.workspace import Workspace
from mtls_openssl.workspace.causes import unavailable

_NEXT_TO_NOTHING = 128 * 1024
"""Bytes of room on a disk: with no more than this, what went wrong was most likely the room."""


@dataclass(frozen=True)
class Target:
    """Where a set goes, and how the run is to go about it.

    Args:
        folder: the folder of the set.
        jobs: how many openssl processes may run at the same time.
        limit: seconds that any one openssl command may take, instead of its own limit.
        keep: whether requests, serial and extension files stay.
        passwords: the password of each PKCS#12 file that is made, by its name.
        passphrases: those of the authorities' keys, by the variable that openssl reads.
    """

    folder: Path
    jobs: int
    limit: float | None = None
    keep: bool = False
    passwords: Mapping[str, pkcs12.Password] = dataclasses.field(default_factory=dict)
    passphrases: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)


class Handing(Protocol):
    """Who hands over elsewhere what a run has made: all of it, or the run has made nothing."""

    def prepare(self, stage: Path, log: AuditLog) -> None:
        """Bring it there, so that the last step can't fail for want of anything."""

    def finish(self) -> None:
        """Put it in place there. Here it is in place by now, and is taken back if this raises."""


@dataclass(frozen=True)
class Result:
    """What a run that ended well has done.

    Args:
        plan: what was to be done.
        folder: the folder of the set.
        openssl: the program that did it.
        version: its version.
        files: the names of the files that were put there.
        backup: the folder that what they replaced went to, if they replaced anything.
        checks: what was proven.
        packed: what each PKCS#12 file holds that was opened again, by its name.
        notes: what a person should know besides.
        seconds: how long it took.
    """

    plan: Plan
    folder: Path
    openssl: Path
    version: str
    files: tuple[str, ...]
    backup: Path | None
    checks: tuple[Check, ...]
    packed: Mapping[str, pkcs12.Contents]
    notes: tuple[str, ...]
    seconds: float


# Ctrl-C waits for `heed`: come at any instruction, it would leave commands without their line.
@held
def make(
    plan: Plan,
    manifest: Manifest | None,
    target: Target,
    found: Found,
    *,
    door: Door,
    watcher: Watcher,
    proving: Proving = NOTHING_BESIDES,
    handing: Handing | None = None,
) -> Result:
    """Run `plan` in `target`, prove what it made, and put it in place.

    Args:
        plan: what to do.
        manifest: what the plan was made from; None where it was not made from any.
        target: where, and how.
        found: the openssl to use, and what was asked of which on the way to it.
        door: what starts the processes; not used again.
        watcher: who is told how it goes on.
        proving: what must be proven besides what every set must pass.
        handing: who hands it over elsewhere, once it is proven.

    Raises:
        CommandFailedError: an openssl command failed.
        NotProvenError: the result did not pass its proof.
        FolderUnavailableError: the folder is busy, can't be written, or lacks a file.
        InterruptedRunError: KeyboardInterrupt came. In each case the folder is as it was.
    """
    begun = time.perf_counter()
    with Workspace.open(target.folder, command=plan.name) as workspace:
        make_up_for(workspace)
        _require(plan, workspace.directory)
        above = ending.above(plan, manifest)
        ending.require_in_date(above, workspace.directory)
        with (
            AuditLog.open(workspace.directory / LOG, reserve_in=workspace.stage) as log,
            recording.changing(log),
        ):
            recording.searched(log, found)
            checks, packed, files, backup = _run(
                plan, manifest, target, found, workspace=workspace, log=log, door=door,
                watcher=watcher, proving=proving, handing=handing,
            )  # fmt: skip
        notes = tuple(
            note for note in (workspace.recovered, found.chosen.note, *workspace.warnings) if note
        )
        issued = (workspace.directory / name for name in files if is_certificate(name))
        ends = filter(None, map(ending.of, issued)) if above else ()
        return Result(
            plan,
            workspace.directory,
            found.chosen.path,
            str(found.chosen.version),
            files,
            backup,
            checks,
            packed,
            (*notes, *ending.outlived(workspace.directory, above, ends)),
            time.perf_counter() - begun,
        )


def make_up_for(workspace: Workspace) -> None:
    """Put on record what an earlier run could not: the set that it had moved into place."""
    if workspace.finished:
        with AuditLog.open(workspace.directory / LOG) as log:
            published = published_in(workspace.directory, workspace.finished)
            log.end(Exit.DONE, _("finished the move of the run that was cut off"), published)


def published_in(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """SHA-256 of each file of `names` in a folder, and of each file in a folder of them."""
    hashes: dict[str, str] = {}
    for name in names:
        path = folder / name
        if path.is_dir():
            within = sorted(file.name for file in path.iterdir())
            hashes |= {f"{name}/{file}": sha256_of(path / file) for file in within}
        else:
            hashes[name] = sha256_of(path)
    return hashes


def _require(plan: Plan, folder: Path) -> None:
    missing = [name for name in plan.needs if not (folder / name).is_file()]
    if missing:
        makers = dict.fromkeys(made_by(name) for name in missing)
        said: dict[str, object] = {
            "command": plan.name,
            "files": _listed(plan.needs),
            "folder": folder,
            "missing": _listed(missing),
        }
        needed = _("`{command}` needs {files} in {folder}, and {missing} are not there.", **said)
        if len(missing) == 1:
            needed = _("`{command}` needs {files} in {folder}, and {missing} is not there.", **said)
        from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415 - for who has to be told

        if lost := [name for name in missing if _has_other_half(folder, name)]:
            raise FolderUnavailableError(
                needed,
                cause=_("a new CA would make worthless what the one that is there has issued"),
                fix=_(
                    "put {files} there for this; what may bring it back: {command}",
                    files=_listed(lost),
                    command=ours(folder, "doctor"),
                ),
            )
        commands = [ours(folder, *maker.split()) for maker in makers]
        raise FolderUnavailableError(needed, fix=joined(_(" and then "), commands))


def _has_other_half(folder: Path, name: str) -> bool:
    """Whether a file is an authority's certificate or key, and the other of both is there."""
    owner = owner_of(name)
    return issues(owner) and any((folder / f"{owner}.{half}").is_file() for half in ("crt", "key"))


def _listed(names: Sequence[str]) -> str:
    *several, last = names
    return joined(_(" and "), (joined(_(", "), several), last)) if several else last


def _run(
    plan: Plan,
    manifest: Manifest | None,
    target: Target,
    found: Found,
    *,
    workspace: Workspace,
    log: AuditLog,
    door: Door,
    watcher: Watcher,
    proving: Proving,
    handing: Handing | None,
) -> tuple[tuple[Check, ...], Mapping[str, pkcs12.Contents], tuple[str, ...], Path | None]:
    workspace.bring(*plan.needs)
    room = Room(
        found.chosen.path,
        workspace.stage,
        CONFIG,
        secrets={**_secrets(plan, target), **target.passphrases},
        limit=target.limit,
        jobs=target.jobs,
    )
    proof = Proof(plan.proven, manifest, plan.bundles, plan.java)
    steps = (*plan.steps, *proof.commands, *proving.commands)
    outcomes = tuple(
        run(
            steps, room, door=door, log=log, watcher=watcher,
            heed=workspace.heed,
        )
    )  # fmt: skip
    checks = (*proof.judge(outcomes, workspace.stage), *proving.judge(outcomes))
    raise_for(outcomes, checks, workspace.directory / LOG)
    if not plan.makes:
        log.end(Exit.DONE, _("done"), {})
        return checks, {}, (), None
    files = plan.makes
    for bundle in plan.bundles:
        password = target.passwords[bundle.file]
        if password.keep:
            _write_password(workspace.stage / bundle.password_file, password.value)
            files = (*files, bundle.password_file)
    if target.keep:
        files = (*files, *plan.scratch)
    if handing:
        handing.prepare(workspace.stage, log)

    def record() -> None:
        if handing:
            handing.finish()
        log.end(Exit.DONE, _("done"), published_in(workspace.directory, files))

    backup = workspace.commit(
        publish=files,
        retire=[name for name in plan.retires if name not in files],
        private=[name for name in files if is_private(name)],
        record=record,
    )
    return checks, proof.packed(outcomes), files, backup


def _secrets(plan: Plan, target: Target) -> dict[str, str]:
    return {bundle.variable: target.passwords[bundle.file].value for bundle in plan.bundles}


def _write_password(file: Path, password: str) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as stream:
            stream.write(password + "\n")
    except OSError as error:
        raise unavailable(_("{path} can't be written", path=file), error) from error


def raise_for(outcomes: Sequence[Outcome], checks: Sequence[Check], log: Path) -> None:
    """Refuse what failed, or did not pass its proof.

    Args:
        outcomes: what came of the commands.
        checks: what was proven.
        log: the log that has all of it.

    Raises:
        CommandFailedError: a command failed.
        NotProvenError: a check has a fault.
    """
    refused = [check for check in checks if check.fault]
    for outcome in sorted(outcomes, key=lambda outcome: outcome.step):
        if outcome.problem and outcome.finished.ending is not Ending.STOPPED:
            if refused and outcome.command.verdict and (outcome.finished.exit or 0) > 0:
                break
            raise _command_failed(outcome, log)
    if refused:
        raise _not_proven(refused, log)


def _command_failed(outcome: Outcome, log: Path) -> CommandFailedError:
    command, finished = outcome.command, outcome.finished
    program = command.program.stem if command.program else "openssl"
    called = program if command.program else f"openssl {command.argv[0]}"
    # keytool says what is wrong on its standard output.
    said = f"{finished.stdout if command.program else ''}\n{finished.stderr}".strip()
    reason, mend = diagnosis.DISK_FULL if _is_full(log.parent) else diagnosis.cause(said)
    if said and finished.exit and not command.reveals_key:
        words = " | ".join(said.splitlines()[:3])
        quoted = _("{program} said: {words}", program=program, words=words)
        reason = _("{cause} ({quoted})", cause=reason, quoted=quoted) if reason else quoted
    if finished.ending is Ending.TIMED_OUT:
        mend = _("if this machine is only slow, give it longer: --timeout SECONDS")
    return CommandFailedError(
        _(
            "{program} (step {number}: {purpose}) {problem}.",
            program=called,
            number=outcome.step,
            purpose=command.purpose,
            problem=outcome.problem,
        ),
        cause=reason,
        fix=mend or _("its line in {log} has all that it said", log=log),
    )


def _not_proven(refused: Sequence[Check], log: Path) -> NotProvenError:
    faults = joined(
        _("; "),
        dict.fromkeys(
            _(
                "{file}: {fault} (wanted: {claim})",
                file=check.subject,
                fault=check.fault,
                claim=check.claim,
            )
            for check in refused
        ),
    )
    cause: str = ""
    fix: str = _("what openssl said is in {log}", log=log)
    if all(check.mend for check in refused):
        fix = joined(_("; "), dict.fromkeys(check.mend for check in refused))
    if _is_full(log.parent):
        cause, fix = diagnosis.DISK_FULL
    elif "key usage extension" in faults or "not marked critical" in faults:
        cause = _(
            "the CA was made without the extensions that strict validators ask for, as the"
            " batch file's was"
        )
        from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415 - as above

        fix = ours(log.parent, "repair-ca")
    what = _("The result did not pass its proof: {faults}.", faults=faults)
    return NotProvenError(what, cause=cause, fix=fix)


def _is_full(folder: Path) -> bool:
    # openssl says nothing of a file that it could not write to its end, and exits with 0.
    try:
        return shutil.disk_usage(folder).free < _NEXT_TO_NOTHING
    except OSError:
        return False
