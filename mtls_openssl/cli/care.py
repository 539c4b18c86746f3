"""The commands that look after a set: repair-ca, doctor."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console, making, options
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.passphrase import PASSPHRASE, of
from mtls_openssl.errors import (
    Exit,
    FolderUnavailableError,
    MtlsError,
    OpensslNotFoundError,
    UsageError,
)
from mtls_openssl.language import Text, _, spoken
from mtls_openssl.manifest import ROOT
from mtls_openssl.profiles import P12_FOR

if TYPE_CHECKING:
    from mtls_openssl.doctor import Finding, Patient, Request
    from mtls_openssl.locate import Search
    from mtls_openssl.pipeline import Result
    from mtls_openssl.plan import Plan
    from mtls_openssl.repair import Case

_SERIAL_BITS = 159
"""A serial number has 20 octets at most, and is positive (RFC 5280, section 4.1.2.2)."""

REPAIR = (
    option(
        int | None, "--ca-days", min=1, metavar="DAYS",
        help="Days that the CA lasts from now.", show_default="its dates stay",
    ),
    option(bool, "--dry-run", default=False, help="Print what would be run."),
)  # fmt: skip
EXAMINED = (
    option(
        str | None, "--domain", metavar="NAME",
        help="Host or domain that the server must be valid for.",
    ),
    option(
        str | None, "--p12-for", "--for", metavar="READER",
        help=_(
            "Who must be able to read the PKCS#12 files: {readers}.", readers=", ".join(P12_FOR)
        ),
    ),
    option(
        bool, "--fix", default=False,
        help="Mend what is safe: permissions, and what a run left that was cut off.",
    ),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(doctor)
    app.command("repair-ca")(repair_ca)


@takes(options.LOOK, REPAIR, PASSPHRASE)
def repair_ca(choices: Choices) -> None:
    """Give the CA a certificate that strict validators accept; its key and all it issued stay."""
    import secrets  # noqa: PLC0415 - as all below: what a command needs, when it does

    from mtls_openssl import repair  # noqa: PLC0415

    folder: Path = choices["out"]
    days: int | None = choices["ca_days"]

    @functools.cache
    def passphrase() -> str:
        return of(choices, ROOT, _source(folder))

    with desk(choices, "repair-ca") as examining:
        case = repair.examine(examining, folder, days, passphrase=passphrase)
    if case is None:
        _say_that_nothing_is_to_be_done(choices)
        return
    plan = repair.plan(case, days, secrets.randbits(_SERIAL_BITS) | 1)
    if choices["dry_run"]:
        making.show({**choices, "format": options.Format.TEXT}, plan, None)
        return
    passphrases = {case.passphrase_variable: passphrase()} if case.encrypted else {}
    result = _repaired(choices, plan, case, passphrases)
    console.be_deaf()
    _tell(choices, result, case)


def _say_that_nothing_is_to_be_done(choices: Choices) -> None:
    what = _("The CA of this set is one that strict validators accept; nothing was changed.")
    if choices["json"]:
        console.print_data({"command": "repair-ca", "ok": True, "files": {}, "notes": [what]})
    elif not choices["quiet"]:
        typer.echo(spoken(what))


def _source(folder: Path) -> str:
    """Where mtls.toml says that the pass phrase of the CA's key is; empty where it does not."""
    from mtls_openssl.settings import load  # noqa: PLC0415

    config = folder / "mtls.toml"
    try:
        loaded = load({}, environ={}, config=config if config.is_file() else None)
    except MtlsError:
        return ""  # what is wrong with it is told where something is made by it
    return loaded.passphrases.get(ROOT, "")


def _repaired(choices: Choices, plan: Plan, case: Case, passphrases: Mapping[str, str]) -> Result:
    from mtls_openssl import pipeline, repair  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    door = Door()
    quiet = choices["quiet"] or choices["json"]
    progress = console.Progress(plan.stages, plan.commands, quiet=quiet, verbose=choices["verbose"])
    try:
        return pipeline.make(
            plan,
            None,
            pipeline.Target(
                folder=choices["out"], jobs=1, limit=choices["timeout"], passphrases=passphrases
            ),
            find(choices["openssl"], door),
            door=door,
            watcher=progress,
            proving=repair.proving(case),
        )
    finally:
        progress.close()


def _tell(choices: Choices, result: Result, case: Case) -> None:
    from mtls_openssl import repair, report  # noqa: PLC0415

    advice = (*repair.advice(result.folder, case), *repair.left_to_mend(case))
    if choices["json"]:
        console.print_data({**report.data(result), "advice": [str(text) for text in advice]})
    elif not choices["quiet"]:
        for line in report.text(result):
            typer.echo(spoken(line))
        typer.echo()
        for text in advice:
            typer.echo(f"- {spoken(text)}")


@takes(options.LOOK, EXAMINED, options.P12_PASSWORD)
def doctor(choices: Choices) -> None:
    """Say what is the matter with a set, why, and what mends it; exit code 5 for an error."""
    from mtls_openssl import doctor  # noqa: PLC0415
    from mtls_openssl.doctor import Severity  # noqa: PLC0415

    request = _request(choices)
    patient, done = _looked_at(choices, request), list[Text]()
    findings = doctor.examine(patient)
    if choices["fix"]:
        done += doctor.treat(request.folder, findings)
        patient = _looked_at(choices, request)
        findings = doctor.examine(patient)
    console.be_deaf()
    if choices["json"]:
        console.print_data(_data(patient, findings, done))
    else:
        _print(choices, patient, findings, done)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(Exit.NOT_PROVEN)


def _request(choices: Choices) -> Request:
    from mtls_openssl.doctor import Request  # noqa: PLC0415

    folder: Path = choices["out"]
    if not folder.is_dir():
        raise FolderUnavailableError(
            _("There is no folder {folder}.", folder=folder),
            fix=_("name the folder of the set with --out"),
        )
    reader = choices["p12_for"] or ""
    if reader and reader not in P12_FOR:
        raise UsageError(
            _("{reader} is nobody that a PKCS#12 file can be made for.", reader=reader),
            fix=_("give --for one of {readers}", readers=", ".join(P12_FOR)),
        )
    return Request(
        folder,
        datetime.now(UTC),
        _domain(choices["domain"]),
        reader,
        _known_passwords(choices, folder),
        named=bool(choices["openssl"] or os.environ.get("MTLS_OPENSSL")),
    )


def _domain(typed: str | None) -> str:
    """The name or address that was asked for, as a certificate has it."""
    from mtls_openssl.settings import values  # noqa: PLC0415

    if not typed:
        return ""
    try:
        return values.ip_address(typed)
    except values.UnfitError:
        pass
    try:
        return values.server_name(typed)
    except values.UnfitError as error:
        raise UsageError(
            _("--domain '{name}' {why}", name=typed, why=error.why),
            fix=_("give the name or the address that clients ask for, such as www.example.com"),
        ) from None


def _known_passwords(choices: Choices, folder: Path) -> dict[str, str]:
    """The passwords of the bundles, if somebody has said them: the doctor asks nobody.

    What was given is the client's, as where it is made; others may have one of their own, which
    was made up for them.
    """
    from mtls_openssl.cli.changing import kept  # noqa: PLC0415
    from mtls_openssl.cli.password import password  # noqa: PLC0415
    from mtls_openssl.life.condition import files_in  # noqa: PLC0415
    from mtls_openssl.openssl.pkcs12 import CLIENT, PASSWORD_VARIABLE  # noqa: PLC0415
    from mtls_openssl.plan.naming import PASSWORD_ENDING  # noqa: PLC0415

    files = [name for name in files_in(folder) if name.endswith(".p12")]
    known = {name: made for name in files if (made := kept(folder / f"{name}{PASSWORD_ENDING}"))}
    if PASSWORD_VARIABLE in os.environ or any(choices[one.name] for one in options.P12_PASSWORD):
        given = password(choices).value
        known = {**dict.fromkeys(files, given), **known, CLIENT.file: given}
    return known


def _looked_at(choices: Choices, request: Request) -> Patient:
    from mtls_openssl import doctor  # noqa: PLC0415
    from mtls_openssl.desk import at  # noqa: PLC0415
    from mtls_openssl.locate import Search, find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    door = Door()
    absence: MtlsError | None = None
    try:
        search: Search = find(choices["openssl"], door)
    except OpensslNotFoundError as error:
        search, absence = Search((), None), error
    # Before the desk has a line of its own in it.
    log = doctor.proven_log(request.folder)
    with at(request.folder, search, door=door, purpose="doctor", limit=choices["timeout"]) as desk:
        return doctor.look(desk, request, search, absence, log)


def _print(
    choices: Choices, patient: Patient, findings: Sequence[Finding], done: Sequence[Text]
) -> None:
    from mtls_openssl.doctor import Severity, not_opened, not_trusted  # noqa: PLC0415

    for what in done:
        typer.echo(spoken(_("Mended: {what}", what=what)))
    for finding in findings:
        if choices["quiet"] and finding.severity is not Severity.ERROR:
            continue
        told = _("{severity}: {what}", severity=finding.severity.title, what=finding.what)
        typer.echo(spoken(told))
        typer.echo("  " + spoken(_("Why it matters: {why}", why=finding.why)))
        typer.echo("  " + spoken(_("To mend it: {fix}", fix=finding.mend)))
    if choices["quiet"]:
        return
    for what in not_trusted(patient):
        typer.echo(spoken(_("Good to know: {what}", what=what)))
    for what in not_opened(patient):
        typer.echo(spoken(_("Not examined: {what}", what=what)))
    typer.echo(spoken(_summary(patient, findings)))


def _summary(patient: Patient, findings: Sequence[Finding]) -> Text:
    from mtls_openssl.doctor import EXAMINATIONS, Severity  # noqa: PLC0415

    chosen = patient.search.chosen
    known = {
        "count": EXAMINATIONS,
        "folder": patient.folder.absolute(),
        "version": chosen.version if chosen else "-",
    }
    if not findings:
        return _(
            "Healthy: {count} examinations of {folder} found nothing (OpenSSL {version})", **known
        )
    errors, warnings, notes = (
        sum(finding.severity is severity for finding in findings) for severity in Severity
    )
    return _(
        "{count} examinations of {folder}: errors {errors}, warnings {warnings}, notes {notes}"
        " (OpenSSL {version})",
        errors=errors,
        warnings=warnings,
        notes=notes,
        **known,
    )


def _data(patient: Patient, findings: Sequence[Finding], done: Sequence[Text]) -> dict[str, Any]:
    from mtls_openssl.doctor import Severity, not_opened  # noqa: PLC0415

    chosen = patient.search.chosen
    return {
        "command": "doctor",
        "ok": all(finding.severity is not Severity.ERROR for finding in findings),
        "folder": str(patient.folder.absolute()),
        "openssl": chosen and {"path": str(chosen.path), "version": str(chosen.version)},
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.name.lower(),
                "subject": finding.subject,
                "what": str(finding.what),
                "why": str(finding.why),
                "mend": str(finding.mend),
                "safe": finding.safe,
            }
            for finding in findings
        ],
        "mended": [str(what) for what in done],
        "trusted_by": [str(title) for title in patient.surroundings.trusted],
        "not_examined": [str(what) for what in not_opened(patient)],
    }
