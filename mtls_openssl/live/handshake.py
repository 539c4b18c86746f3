"""A set proven by live connections on loopback, each between a new s_server and an s_client.

What counts is what both sides say, never an exit code: in TLS 1.3 the client has finished before
the server judges its certificate, and hears of it only when it reads (RFC 8446 section 4.4.3).
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import (
    CommandFailedError,
    FolderUnavailableError,
    MtlsError,
    NotProvenError,
)
from mtls_openssl.inspection import telling
from mtls_openssl.inspection.files import bytes_of, is_encrypted
from mtls_openssl.language import Text, _, joined
from mtls_openssl.live import alerts, revoked, strangers, verification
from mtls_openssl.openssl import diagnosis, s_client, s_server, x509
from mtls_openssl.openssl.extensions import ALTERNATIVE_NAME
from mtls_openssl.steps import Command, Ending, Kind, Outcome

FILES = ("ca.crt", "server.key", "server.crt", "client.key", "client.crt")
"""The files of a set that take part."""

LACKING = "not-in-the-certificate.invalid"
"""A name that no certificate has (RFC 6761 section 6.4)."""

VERSIONS = ("1.2", "1.3")

_STARTING = 20.0
_TALKING = 10.0
_ENDING = 5.0
_TICK = 0.05
_GREETING = "let me in"
_CONFIG = "openssl.cnf"
_EXTENSIONS = "v3_client.ext"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One way to knock at the server.

    Args:
        title: what is tried.
        expected: what must come of it.
        name: the name that the client asks for and wants in the certificate; empty for the
            certificate's own.
        client: the client's certificate and key; None to go without.
        apart: whether these are in the scratch folder, and not in the set's.
        server_says: verify codes of which the server must give one as its reason.
        client_says: verify codes of which the client must.
    """

    title: Text
    expected: Text
    name: str = ""
    client: tuple[str, str] | None = None
    apart: bool = False
    server_says: frozenset[int] = frozenset()
    client_says: frozenset[int] = frozenset()

    @property
    def is_let_in(self) -> bool:
        """Whether it must be let in."""
        return not self.server_says and not self.client_says


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of an attempt.

    Args:
        attempt: what was tried.
        version: of TLS.
        happened: what came of it.
        good: whether that is what was expected.
        cause: why it did not, where it is known.
        fix: the command that mends it.
    """

    attempt: Attempt
    version: str
    happened: Text
    good: bool
    cause: str = ""
    fix: str = ""


_REFUSED = _("refused")

_ALWAYS = (
    Attempt(_("client.crt"), _("let in"), client=("client.crt", "client.key")),
    Attempt(_("no certificate"), _REFUSED, server_says=frozenset({verification.NO_CERTIFICATE})),
    Attempt(
        _("a certificate of another CA"),
        _REFUSED,
        client=strangers.STRANGER,
        apart=True,
        server_says=verification.UNKNOWN_CA,
    ),
    Attempt(
        _("server.crt as the client's"),
        _REFUSED,
        client=("server.crt", "server.key"),
        server_says=frozenset({verification.WRONG_PURPOSE}),
    ),
    Attempt(
        _("a name that server.crt lacks"),
        _("refused by the client"),
        name=LACKING,
        client=("client.crt", "client.key"),
        client_says=verification.WRONG_NAME,
    ),
)
_EXPIRED = Attempt(
    _("an expired certificate"),
    _REFUSED,
    client=strangers.EXPIRED,
    apart=True,
    server_says=frozenset({verification.EXPIRED}),
)
_REVOKED = Attempt(
    _("a revoked client"),
    _REFUSED,
    client=revoked.REVOKED,
    apart=True,
    server_says=frozenset({verification.REVOKED}),
)


def handshakes(desk: Desk, folder: Path) -> tuple[tuple[Verdict, ...], tuple[Text, ...]]:
    """Try all that must and must not get through.

    Args:
        desk: where openssl is asked; what is made for the purpose is in its scratch folder.
        folder: the folder of the set, in which nothing changes.

    Returns:
        A verdict for each attempt, and what was left out and why.

    Raises:
        FolderUnavailableError: a file is missing, or can't be read.
        CommandFailedError: an openssl command failed, or the server could not start.
    """
    _require(folder)
    own = _own_name(desk, folder)
    (desk.scratch / "ca.crt").write_bytes(bytes_of(folder / "ca.crt"))
    strangers.make(desk)
    attempts, left_out = [*_ALWAYS], list[Text]()
    if why := strangers.expire(desk, folder):
        left_out.append(why)
    else:
        attempts.append(_EXPIRED)
    lists = revoked.prepare(desk, folder)
    if lists.left_out:
        left_out.append(lists.left_out)
    elif lists.crl:
        attempts.append(_REVOKED)
    signed = int(time.time())
    verdicts = []
    for attempt in attempts:
        if attempt is _EXPIRED:
            # Issued for 0 days, it is good to the end of that second.
            while int(time.time()) <= signed:
                time.sleep(_TICK)
        verdicts += [
            _try(desk, folder, attempt, own, version=version, lists=lists) for version in VERSIONS
        ]
    return tuple(verdicts), tuple(left_out)


def _require(folder: Path) -> None:
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise FolderUnavailableError(
            _("A handshake needs {files} in {folder}.", files=joined(", ", missing), folder=folder),
            cause=_("they were never made, or are in another folder"),
            fix=_("make a set: python -m mtls_openssl all; or name its folder with --out"),
        )
    for name in ("server.key", "client.key"):
        if is_encrypted(folder / name):
            raise FolderUnavailableError(
                _("{file} has a password, so no server can start with it.", file=folder / name),
                fix=_(
                    "try a copy of the set whose keys have none: python -m mtls_openssl key decrypt"
                ),
            )


def _own_name(desk: Desk, folder: Path) -> tuple[str, ...]:
    """The options by which a client asks for the server's own name."""
    command = Command(
        x509.describe("server.crt"), _("read server.crt"), Kind.LOOK, reads=("server.crt",),
        verdict=True,
    )  # fmt: skip
    outcome = desk.ask(command, folder=folder)
    try:
        described = x509.parse(outcome.finished.stdout)
    except ValueError as error:
        raise CommandFailedError(
            _("server.crt can't be read: {words}", words=error),
            cause=_("it is damaged, or no certificate"),
            fix=_("have it issued again: python -m mtls_openssl server"),
        ) from None
    names = [
        one.partition(":")[::2]
        for one in telling.alternatives(described.extensions.get(ALTERNATIVE_NAME))
    ]
    # Without a name there, the common name counts for openssl (X509_check_host(3)).
    hosts = [value for kind, value in names if kind == "DNS"] or [
        value for kind, value in described.subject if kind == "CN"
    ]
    addresses = [value for kind, value in names if kind == "IP"]
    if addresses and not any(kind == "DNS" for kind, _value in names):
        return ("-noservername", "-verify_ip", addresses[0])
    host = hosts[0].replace("*", "any", 1) if hosts else "localhost"
    return ("-servername", host, "-verify_hostname", host)


def _try(
    desk: Desk,
    folder: Path,
    attempt: Attempt,
    own: tuple[str, ...],
    *,
    version: str,
    lists: revoked.Lists,
) -> Verdict:
    server_command = Command(
        s_server.serve_one(lists.trusted.as_posix(), crl=lists.crl),
        _(
            "serve with server.crt: {attempt}, TLS {version}",
            attempt=attempt.title,
            version=version,
        ),
        Kind.LOOK,
        reads=("ca.crt", "server.crt", "server.key"),
        verdict=True,
    )
    with desk.serving(server_command, folder=folder) as server:
        ready = server.hear(s_server.READY, _STARTING)
        if not ready:
            raise _not_started(server.end().stderr, "server.crt", "server.key")
        checks = (
            ("-servername", attempt.name, "-verify_hostname", attempt.name) if attempt.name else own
        )
        said = f"{_GREETING}\n{s_server.LAST_LINE}\n".encode()
        client_command = Command(
            s_client.prove(
                f"127.0.0.1:{ready[1]}", *checks, client=attempt.client, version=version
            ),
            f"knock with {attempt.title}, TLS {version}",
            Kind.LOOK,
            reads=("ca.crt", *(attempt.client or ())),
            verdict=True,
            reveals_key=True,  # the session's
            limit=_TALKING,
            stdin=said if attempt.is_let_in else None,
        )

        def send_away() -> None:
            # Who is let in against the rule has nothing to say, and would wait for an answer.
            if not attempt.is_let_in and server.has_said(s_server.LET_IN):
                server.end()

        talked = desk.ask(
            client_command,
            folder=desk.scratch if attempt.apart else folder,
            meanwhile=send_away,
        )
        if talked.finished.ending is Ending.NOT_STARTED:
            raise strangers.failed(talked)
        if talked.finished.exit and "CONNECTED(" not in talked.finished.stdout:
            raise _not_started(talked.finished.stderr, *(attempt.client or ("ca.crt",)))
        judgement = s_server.parse(server.end(_ENDING).stderr)
    return _judged(attempt, version, judgement, talked)


def _judged(attempt: Attempt, version: str, server: s_server.Judgement, talked: Outcome) -> Verdict:
    finished = talked.finished
    client_errors = s_server.verify_errors(finished.stderr)
    told = s_server.alert_number(finished.stderr)
    server_errors = server.errors
    if server.lacked:
        server_errors = ((verification.NO_CERTIFICATE, ""),)
    answered = _GREETING[::-1] in finished.stdout
    if attempt.is_let_in:
        good = server.let_in and answered and not client_errors
    elif attempt.client_says:
        good = _among(client_errors, attempt.client_says) and not server.let_in
    else:
        good = _among(server_errors, attempt.server_says) and not server.let_in and told is not None
    if server.let_in:
        client = telling.name(x509.parse_name(server.client)) or _("nobody")
        happened = _("let in as {client}", client=client)
    elif client_errors:
        happened = _("refused by the client: {why}", why=_meaning(client_errors))
    elif server_errors and told is not None:
        happened = _(
            "refused: {why} (alert {number}, {name})",
            why=_meaning(server_errors),
            number=told,
            name=alerts.alert(told).name,
        )
    else:
        happened = _("no connection: {words}", words=_words(finished.stderr))
    if good:
        return Verdict(attempt, version, happened, good=True)
    cause, fix = _why(attempt, client_errors, server_errors)
    return Verdict(attempt, version, happened, good=False, cause=cause, fix=fix)


def _why(
    attempt: Attempt,
    client_errors: tuple[tuple[int, str], ...],
    server_errors: tuple[tuple[int, str], ...],
) -> tuple[str, str]:
    """What is at fault when an attempt does not end as it should, and what mends it."""
    if client_errors:
        return (
            _("server.crt: {why}", why=_meaning(client_errors)),
            "python -m mtls_openssl server",
        )
    if any(code in verification.CRL for code, _words in server_errors):
        return _meaning(server_errors), "python -m mtls_openssl crl"
    if server_errors:
        return (
            _("client.crt: {why}", why=_meaning(server_errors)),
            "python -m mtls_openssl client",
        )
    if verification.WRONG_PURPOSE in attempt.server_says:
        return (
            _("server.crt may be used by clients as well: its extended key usage says so, or none"),
            "python -m mtls_openssl server",
        )
    return "", "python -m mtls_openssl doctor"


def _among(errors: tuple[tuple[int, str], ...], wanted: frozenset[int]) -> bool:
    return any(code in wanted for code, _words in errors)


def _meaning(errors: tuple[tuple[int, str], ...]) -> str:
    return verification.verification(*errors[0]).meaning


def _words(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if "error" in line or "errno" in line]
    return lines[0] if lines else "-"


def _not_started(said: str, *files: str) -> MtlsError:
    cause, fix = diagnosis.cause(said)
    return NotProvenError(
        _(
            "No connection can be made with {files}: {words}",
            files=joined(_(" and "), files),
            words=_words(said),
        ),
        cause=cause,
        fix=fix
        or _("look what they are: python -m mtls_openssl match {files}", files=" ".join(files)),
    )
