"""What a run has done, for a person or for a program. Pure: it returns text and data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mtls_openssl.errors import MtlsError
from mtls_openssl.locate import Candidate, Search
from mtls_openssl.pipeline import Result
from mtls_openssl.plan import PASSWORD_FILE

DESCRIPTIONS = {
    "ca.key": "CA private key (KEEP SECRET!)",
    "ca.crt": "CA certificate",
    "server.key": "Server private key",
    "server.crt": "Server certificate",
    "client.key": "Client private key",
    "client.crt": "Client certificate",
    "client.p12": "PKCS#12 bundle",
    PASSWORD_FILE: "Password of client.p12, made for you (KEEP SECRET!)",
    "dhparam.pem": "Diffie-Hellman parameters",
}
"""What each file of a set is, in the batch file's words."""


def text(result: Result) -> Iterator[str]:
    """The lines that a person reads at the end of a run."""
    count = len(result.checks)
    subject = "this set" if result.plan.name in {"all", "verify"} else "the result"
    yield f"Proven: {count} checks of {subject} passed, by OpenSSL {result.version}"
    yield from (f"  Note: {note}" for note in result.notes)
    if result.files:
        yield ""
        yield "Files created:"
        width = max(len(str(result.folder / name)) for name in result.files)
        for name in result.files:
            path = str(result.folder / name)
            yield f"  {path:{width}} - {DESCRIPTIONS.get(name, 'kept on request')}"
    if result.backup:
        yield ""
        yield f"What was there before is in {result.backup}"
    steps = tuple(_next_steps(result))
    if steps:
        yield ""
        yield "=== Next Steps ==="
        yield from (f"{number}. {step}" for number, step in enumerate(steps, start=1))


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
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
    }


def error_text(error: MtlsError) -> Iterator[str]:
    """The lines that a person reads when a run ended badly."""
    yield f"Error: {error.what}"
    if error.cause:
        yield f"Cause: {error.cause}"
    if error.fix:
        yield f"To mend it: {error.fix}"


def error_data(error: MtlsError) -> dict[str, Any]:
    """The same for a program."""
    return {
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
        return "taken" + (f"; {candidate.note}" if candidate.note else "")
    unused = "one found before it was taken" if search.chosen else "it is not the one asked for"
    return candidate.problem or candidate.note or f"works; {unused}"


def _next_steps(result: Result) -> Iterator[str]:
    folder = result.folder
    match result.plan.name:
        case "all":
            yield f"Import {folder / 'client.p12'} into Windows Certificate Store (double-click)"
            yield f"Export CA certificate ({folder / 'ca.crt'}) to trusted root CAs"
            yield "Configure your web server (IIS/Nginx) for mTLS"
        case "ca":
            yield "Make the server's certificate: python -m mtls_openssl server"
            yield "Make the client's certificate: python -m mtls_openssl client"
        case "server":
            yield "Make the client's certificate: python -m mtls_openssl client"
        case "client":
            yield "Pack it for Windows, browsers and Java: python -m mtls_openssl p12"
        case "p12":
            yield f"Import {folder / 'client.p12'} into Windows Certificate Store (double-click)"
        case "dhparam":
            yield f'nginx: ssl_dhparam "{(folder / "dhparam.pem").as_posix()}";'
            yield "It is used by DHE cipher suites of TLS 1.2 only; ECDHE and TLS 1.3 need none"
