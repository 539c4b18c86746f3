"""What a run has done, for a person or for a program. Pure: it returns text and data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtls_openssl.errors import MtlsError
from mtls_openssl.language import Text, _, joined, padded, spoken, width
from mtls_openssl.locate import Candidate, Search
from mtls_openssl.openssl import ca, pkcs12, readers
from mtls_openssl.pipeline import Result
from mtls_openssl.plan.naming import PASSWORD_ENDING, made_by
from mtls_openssl.scripting.prompt import ours

DESCRIPTIONS = {
    "ca.key": _("CA private key (KEEP SECRET!)"),
    "ca.crt": _("CA certificate"),
    "intermediate.key": _("Intermediate CA private key (KEEP SECRET!)"),
    "intermediate.crt": _("Intermediate CA certificate"),
    "chain.crt": _("Intermediate CA certificate, then the root's"),
    "server.key": _("Server private key"),
    "server.crt": _("Server certificate"),
    "client.key": _("Client private key"),
    "client.crt": _("Client certificate"),
    "client.p12": _("PKCS#12 bundle"),
    "server.p12": _("PKCS#12 bundle of the server, without the root"),
    "truststore.p12": _("PKCS#12 truststore for Java"),
    "dhparam.pem": _("Diffie-Hellman parameters"),
    ca.INDEX: _("Register of what the CA has issued"),
    ca.ATTRIBUTES: _("Settings of the register"),
    ca.CRL_NUMBER: _("Number of the next CRL"),
}
"""What each file of the batch file's set is, in its words, and what there is once in a set."""

_BY_ENDING = {
    ".chain.crt": _("Certificate, then the intermediate CA's"),
    ".key": _("Private key"),
    ".csr": _("Certificate signing request"),
    ".crt": _("Certificate"),
    ".p12": _("PKCS#12 bundle"),
}
_BUNDLES_TOLD_ALONE = 2


def description(name: str) -> Text:
    """What a file of a set is."""
    if name in DESCRIPTIONS:
        return DESCRIPTIONS[name]
    if name.endswith(PASSWORD_ENDING):
        file = name.removesuffix(PASSWORD_ENDING)
        return _("Password of {file}, made for you (KEEP SECRET!)", file=file)
    kept = _("kept on request")
    return next((said for ending, said in _BY_ENDING.items() if name.endswith(ending)), kept)


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
            yield f"  {path} - {spoken(description(name))}"
    for files, contents in _alike(result.packed):
        yield ""
        yield from _readers(result.folder, files, contents)
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
            yield _(
                "Export CA certificate ({path}) to trusted root CAs: {command}",
                path=folder / "ca.crt",
                command=ours(folder, "trust", "install"),
            )
            yield _(
                "Configure your web server (IIS/Nginx) for mTLS: {nginx} or {iis}",
                nginx=ours(folder, "nginx"),
                iis=ours(folder, "iis"),
            )
        case "ca":
            yield _("Make the server's certificate: {command}", command=ours(folder, "server"))
            yield _("Make the client's certificate: {command}", command=ours(folder, "client"))
        case "server":
            yield _("Make the client's certificate: {command}", command=ours(folder, "client"))
        case "client":
            yield _(
                "Pack it for Windows, browsers and Java: {command}",
                command=ours(folder, "p12"),
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
            yield _(
                "Or have a script do both, and set up IIS: {command}", command=ours(folder, "iis")
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


def _alike(packed: Mapping[str, pkcs12.Contents]) -> Iterator[tuple[list[str], pkcs12.Contents]]:
    """PKCS#12 files that are made alike, together where there are many."""
    groups: dict[object, list[str]] = {}
    for file, contents in packed.items():
        alone = len(packed) <= _BUNDLES_TOLD_ALONE
        groups.setdefault(file if alone else contents.algorithms, []).append(file)
    for files in groups.values():
        yield files, packed[files[0]]


def _readers(folder: Path, files: Sequence[str], contents: pkcs12.Contents) -> Iterator[str]:
    """The real algorithms of PKCS#12 files, and who can read them."""
    can, can_not = readers.who(contents)
    file, *more = files
    made = _("{file} is made with:", file=file)
    if more:
        made = _("{files} are made with:", files=", ".join(files))
    yield spoken(made)
    yield from (f"  {algorithm}" for algorithm in dict.fromkeys(contents.algorithms))
    names = joined(_("; "), [one.name for one in can]) if can else _("nobody that is known")
    yield spoken(_("  It is read by: {readers}", readers=names))
    if can_not:
        yield spoken(_("  It is not read by:"))
    for one in can_not:
        command = ours(folder, *made_by(file).split(), "--for", one.profile)
        yield spoken(_("    {reader} (make one: {command})", reader=one.name, command=command))


def _packed(file: str, contents: pkcs12.Contents) -> dict[str, Any]:
    can, can_not = readers.who(contents)
    return {
        "file": file,
        "algorithms": dict(contents.parts),
        "read_by": [str(reader.name) for reader in can],
        "not_read_by": [{"reader": str(reader.name), "for": reader.profile} for reader in can_not],
    }
