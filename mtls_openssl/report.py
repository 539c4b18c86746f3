"""What a run has done, for a person or for a program. Pure: it returns text and data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtls_openssl.errors import MtlsError
from mtls_openssl.language import _, joined, padded, spoken, width
from mtls_openssl.locate import Candidate, Search
from mtls_openssl.openssl import pkcs12, readers
from mtls_openssl.pipeline import Result
from mtls_openssl.plan import made_by

DESCRIPTIONS = {
    "ca.key": _("CA private key (KEEP SECRET!)"),
    "ca.crt": _("CA certificate"),
    "server.key": _("Server private key"),
    "server.crt": _("Server certificate"),
    "client.key": _("Client private key"),
    "client.crt": _("Client certificate"),
    "client.p12": _("PKCS#12 bundle"),
    "server.p12": _("PKCS#12 bundle of the server, without the root"),
    "truststore.p12": _("PKCS#12 truststore for Java"),
    **{
        bundle.password_file: _("Password of {file}, made for you (KEEP SECRET!)", file=bundle.file)
        for bundle in pkcs12.BUNDLES
    },
    "dhparam.pem": _("Diffie-Hellman parameters"),
}
"""What each file of a set is, in the batch file's words."""


def text(result: Result) -> Iterator[str]:
    """The lines that a person reads at the end of a run."""
    count = len(result.checks)
    subject = _("this set") if result.plan.name in {"all", "verify"} else _("the result")
    proven = _(
        "Proven: {count} checks of {subject} passed, by OpenSSL {version}",
        count=count,
        subject=subject,
        version=result.version,
    )
    yield spoken(proven)
    yield from (spoken(_("  Note: {note}", note=note)) for note in result.notes)
    if result.files:
        yield ""
        yield spoken(_("Files created:"))
        columns = max(width(str(result.folder / name)) for name in result.files)
        for name in result.files:
            path = padded(str(result.folder / name), columns)
            yield f"  {path} - {spoken(DESCRIPTIONS.get(name, _('kept on request')))}"
    for file, contents in result.packed.items():
        yield ""
        yield from _readers(file, contents)
    if result.backup:
        yield ""
        yield spoken(_("What was there before is in {folder}", folder=result.backup))
    steps = tuple(_next_steps(result))
    if steps:
        yield ""
        yield spoken(_("=== Next Steps ==="))
        yield from (f"{number}. {spoken(step)}" for number, step in enumerate(steps, start=1))


def data(result: Result) -> dict[str, Any]:
    """The same for a program."""
    return {
        "command": result.plan.name,
        "ok": True,
        "folder": str(result.folder),
        "openssl": {"path": str(result.openssl), "version": result.version},
        "files": {name: str(result.folder / name) for name in result.files},
        "backup": str(result.backup) if result.backup else None,
        "checks": [
            {"file": check.subject, "claim": check.claim, "passed": not check.fault}
            for check in result.checks
        ],
        "p12": [_packed(file, contents) for file, contents in result.packed.items()],
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
    }


def error_text(error: MtlsError) -> Iterator[str]:
    """The lines that a person reads when a run ended badly."""
    yield spoken(_("Error: {what}", what=error.what))
    if error.cause:
        yield spoken(_("Cause: {cause}", cause=error.cause))
    if error.fix:
        yield spoken(_("To mend it: {fix}", fix=error.fix))


def error_data(error: MtlsError) -> dict[str, Any]:
    """The same for a program."""
    return {
        **error.data,
        "ok": False,
        "exit": int(error.code),
        "error": error.what,
        "cause": error.cause,
        "fix": error.fix,
    }


def candidates_data(search: Search) -> list[dict[str, Any]]:
    """Every openssl that was found, for a program."""
    return [
        {
            "path": str(candidate.path),
            "origin": candidate.origin,
            "version": str(candidate.version) if candidate.version else None,
            "platform": candidate.platform,
            "usable": candidate.usable,
            "taken": candidate is search.chosen,
            "reason": reason(candidate, search),
        }
        for candidate in search.candidates
    ]


def reason(candidate: Candidate, search: Search) -> str:
    """Why a candidate was taken or passed over."""
    if candidate is search.chosen:
        taken = _("taken")
        return joined(_("; "), (taken, candidate.note)) if candidate.note else taken
    unused = _("works; it is not the one asked for")
    if search.chosen:
        unused = _("works; one found before it was taken")
    return candidate.problem or candidate.note or unused


def _next_steps(result: Result) -> Iterator[str]:
    folder = result.folder
    match result.plan.name:
        case "all":
            yield _(
                "Import {path} into Windows Certificate Store (double-click)",
                path=folder / "client.p12",
            )
            yield _("Export CA certificate ({path}) to trusted root CAs", path=folder / "ca.crt")
            yield _("Configure your web server (IIS/Nginx) for mTLS")
        case "ca":
            yield _(
                "Make the server's certificate: {command}", command="python -m mtls_openssl server"
            )
            yield _(
                "Make the client's certificate: {command}", command="python -m mtls_openssl client"
            )
        case "server":
            yield _(
                "Make the client's certificate: {command}", command="python -m mtls_openssl client"
            )
        case "client":
            yield _(
                "Pack it for Windows, browsers and Java: {command}",
                command="python -m mtls_openssl p12",
            )
        case "p12":
            yield _(
                "Import {path} into Windows Certificate Store (double-click)",
                path=folder / "client.p12",
            )
        case "p12 server":
            yield _(
                "Import {path} into Personal of the local computer (certlm.msc)",
                path=folder / "server.p12",
            )
            yield _(
                "It holds no root: import {path} into Trusted Root Certification Authorities of"
                " the local computer",
                path=folder / "ca.crt",
            )
        case "p12 truststore":
            yield _("Let Java trust the CA: {option}", option=_trusting(folder / "truststore.p12"))
            yield _("Its password goes to javax.net.ssl.trustStorePassword")
        case "dhparam":
            yield f'nginx: ssl_dhparam "{(folder / "dhparam.pem").as_posix()}";'
            yield _("It is used by DHE cipher suites of TLS 1.2 only; ECDHE and TLS 1.3 need none")


def _trusting(truststore: Path) -> str:
    return (
        f'java "-Djavax.net.ssl.trustStore={truststore}" -Djavax.net.ssl.trustStoreType=PKCS12 ...'
    )


def _readers(file: str, contents: pkcs12.Contents) -> Iterator[str]:
    """The real algorithms of a PKCS#12 file, and who can read it."""
    can, can_not = readers.who(contents)
    yield spoken(_("{file} is made with:", file=file))
    yield from (f"  {algorithm}" for algorithm in dict.fromkeys(contents.algorithms))
    names = joined(_("; "), [one.name for one in can]) if can else _("nobody that is known")
    yield spoken(_("  It is read by: {readers}", readers=names))
    if can_not:
        yield spoken(_("  It is not read by:"))
    for one in can_not:
        command = f"python -m mtls_openssl {made_by(file)} --for {one.profile}"
        yield spoken(_("    {reader} (make one: {command})", reader=one.name, command=command))


def _packed(file: str, contents: pkcs12.Contents) -> dict[str, Any]:
    can, can_not = readers.who(contents)
    return {
        "file": file,
        "algorithms": dict(contents.parts),
        "read_by": [str(reader.name) for reader in can],
        "not_read_by": [{"reader": str(reader.name), "for": reader.profile} for reader in can_not],
    }
