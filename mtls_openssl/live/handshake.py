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
from mtls_openssl.life import choosing
from mtls_openssl.live import alerts, revoked, strangers, verification
from mtls_openssl.live.attempts import EXPIRED, REVOKED, Attempt, Parties, always
from mtls_openssl.manifest import Role
from mtls_openssl.openssl import diagnosis, s_client, s_server, x509
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.plan import CHAIN, chain_of
from mtls_openssl.plan.naming import owner_of
from mtls_openssl.scripting.prompt import line, ours
from mtls_openssl.steps import Command, Ending, Kind, Outcome

VERSIONS = ("1.2", "1.3")

_STARTING = 20.0
_TALKING = 10.0
_ENDING = 5.0
_TICK = 0.05
_GREETING = "let me in"


@dataclasses.dataclass(frozen=True)
class _Bench:
    """Where everything is tried.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        parties: who takes part.
        own: the options by which a client asks for the server's own name.
        crls: whether the server has CRLs.
    """

    desk: Desk
    folder: Path
    parties: Parties
    own: tuple[str, ...]
    crls: bool


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


def handshakes(
    desk: Desk, folder: Path, server: str = "", client: str = ""
) -> tuple[tuple[Verdict, ...], tuple[Text, ...]]:
    """Try all that must and must not get through.

    Args:
        desk: where openssl is asked; what is made for the purpose is in its scratch folder.
        folder: the folder of the set, in which nothing changes.
        server: which server's certificate; empty for the usual one, or the only one.
        client: which client's.

    Returns:
        A verdict for each attempt, and what was left out and why.

    Raises:
        FolderUnavailableError: a file is missing, or can't be read.
        UsageError: there are several certificates for a side, and none is named.
        CommandFailedError: an openssl command failed, or the server could not start.
    """
    parties = _parties(desk, folder, server, client)
    _require(folder, parties)
    own = _own_name(desk, folder, parties.server_pair[0])
    (desk.scratch / "ca.crt").write_bytes(bytes_of(folder / "ca.crt"))
    strangers.make(desk)
    attempts, left_out = [*always(parties)], list[Text]()
    if why := strangers.expire(desk, folder):
        left_out.append(why)
    else:
        attempts.append(EXPIRED)
    lists = revoked.prepare(desk, folder)
    if lists.left_out:
        left_out.append(lists.left_out)
    elif lists.crl:
        attempts.append(REVOKED)
    parties = dataclasses.replace(parties, trusted=lists.trusted.as_posix())
    bench = _Bench(desk, folder, parties, own, crls=lists.crl)
    signed = int(time.time())
    verdicts = []
    for attempt in attempts:
        if attempt is EXPIRED:
            # Issued for 0 days, it is good to the end of that second.
            while int(time.time()) <= signed:
                time.sleep(_TICK)
        verdicts += [_try(bench, attempt, version) for version in VERSIONS]
    return tuple(verdicts), tuple(left_out)


def _parties(desk: Desk, folder: Path, server: str, client: str) -> Parties:
    server = choosing.chosen(desk, folder, Role.SERVER, server, option="--server")
    client = choosing.chosen(desk, folder, Role.CLIENT, client, option="--client")
    between = (folder / CHAIN).is_file()
    return Parties(
        server,
        client,
        CHAIN if between else "ca.crt",
        server_chain=_chain(desk, folder, server, "server-chain.pem"),
        client_chain=_chain(desk, folder, client, "client-chain.pem"),
    )


def _chain(desk: Desk, folder: Path, name: str, file: str) -> str:
    """Who issued a certificate, as its own side would send it; empty for nobody but the root."""
    sent = folder / chain_of(name)
    above = s_client.split_pem(bytes_of(sent).decode("latin-1"))[1:] if sent.is_file() else ()
    if not above:
        return ""
    (desk.scratch / file).write_text("\n".join((*above, "")), "ascii")
    return (desk.scratch / file).as_posix()


def _require(folder: Path, parties: Parties) -> None:
    missing = [name for name in parties.files if not (folder / name).is_file()]
    if missing:
        raise FolderUnavailableError(
            _(
                "A handshake needs {files} in {folder}.",
                files=joined(", ", missing),
                folder=folder.absolute(),
            ),
            cause=_("they were never made, or are in another folder"),
            fix=_(
                "make a set: {command}; or name its folder with --out",
                command=ours(folder, "all"),
            ),
        )
    for _certificate, name in (parties.server_pair, parties.client_pair):
        if is_encrypted(folder / name):
            raise FolderUnavailableError(
                _("{file} has a password, so no server can start with it.", file=folder / name),
                fix=_(
                    "try a copy of the set whose keys have none: python -m mtls_openssl key decrypt"
                ),
            )


def _own_name(desk: Desk, folder: Path, file: str) -> tuple[str, ...]:
    """The options by which a client asks for the server's own name."""
    command = Command(
        x509.describe(file), _("read {file}", file=file), Kind.LOOK, reads=(file,), verdict=True
    )
    outcome = desk.ask(command, folder=folder)
    try:
        described = x509.parse(outcome.finished.stdout)
    except ValueError as error:
        raise CommandFailedError(
            _("{file} can't be read: {words}", file=file, words=error),
            cause=_("it is damaged, or no certificate"),
            fix=_(
                "have it issued again: {command}",
                command=choosing.made_again(folder, owner_of(file)),
            ),
        ) from None
    names = [
        one.partition(":")[::2]
        for one in ext.alternatives(described.extensions.get(ext.ALTERNATIVE_NAME))
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


def _try(bench: _Bench, attempt: Attempt, version: str) -> Verdict:
    desk, folder, parties = bench.desk, bench.folder, bench.parties
    certificate, key = parties.server_pair
    server_command = Command(
        s_server.serve_one(
            parties.server_pair,
            trusted=parties.trusted,
            chain=parties.server_chain,
            crls=bench.crls,
        ),
        _(
            "serve with {file}: {attempt}, TLS {version}",
            file=certificate,
            attempt=attempt.title,
            version=version,
        ),
        Kind.LOOK,
        reads=("ca.crt", certificate, key),
        verdict=True,
    )
    with desk.serving(server_command, folder=folder) as server:
        ready = server.hear(s_server.READY, _STARTING)
        if not ready:
            raise _not_started(folder, server.end().stderr, certificate, key)
        asked = ("-servername", attempt.name, "-verify_hostname", attempt.name)
        said = f"{_GREETING}\n{s_server.LAST_LINE}\n".encode()
        client_command = Command(
            s_client.prove(
                f"127.0.0.1:{ready[1]}",
                *(asked if attempt.name else bench.own),
                client=attempt.client,
                version=version,
                chain=attempt.chain,
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
            raise _not_started(folder, talked.finished.stderr, *(attempt.client or ("ca.crt",)))
        judgement = s_server.parse(server.end(_ENDING).stderr)
    return _judged(bench, attempt, version, judgement, talked)


def _judged(
    bench: _Bench, attempt: Attempt, version: str, server: s_server.Judgement, talked: Outcome
) -> Verdict:
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
    cause, fix = _why(bench, attempt, client_errors, server_errors)
    return Verdict(attempt, version, happened, good=False, cause=cause, fix=fix)


def _why(
    bench: _Bench,
    attempt: Attempt,
    client_errors: tuple[tuple[int, str], ...],
    server_errors: tuple[tuple[int, str], ...],
) -> tuple[str, str]:
    """What is at fault when an attempt does not end as it should, and what mends it."""
    server, client = bench.parties.server, bench.parties.client
    if client_errors:
        return (
            _("{file}: {why}", file=f"{server}.crt", why=_meaning(client_errors)),
            choosing.made_again(bench.folder, server),
        )
    if any(code in verification.CRL for code, _words in server_errors):
        return _meaning(server_errors), ours(bench.folder, "crl")
    if server_errors:
        return (
            _("{file}: {why}", file=f"{client}.crt", why=_meaning(server_errors)),
            choosing.made_again(bench.folder, client),
        )
    if verification.WRONG_PURPOSE in attempt.server_says:
        return (
            _(
                "{file} may be used by clients as well: its extended key usage says so, or none",
                file=f"{server}.crt",
            ),
            choosing.made_again(bench.folder, server),
        )
    return "", ours(bench.folder, "doctor")


def _among(errors: tuple[tuple[int, str], ...], wanted: frozenset[int]) -> bool:
    return any(code in wanted for code, _words in errors)


def _meaning(errors: tuple[tuple[int, str], ...]) -> str:
    return verification.verification(*errors[0]).meaning


def _words(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if "error" in line or "errno" in line]
    return lines[0] if lines else "-"


def _not_started(folder: Path, said: str, *files: str) -> MtlsError:
    cause, fix = diagnosis.cause(said)
    paths = [str(folder / file) for file in files]
    command = line("python", "-m", "mtls_openssl", "match", *paths)
    return NotProvenError(
        _(
            "No connection can be made with {files}: {words}",
            files=joined(_(" and "), files),
            words=_words(said),
        ),
        cause=cause,
        fix=fix or _("look what they are: {command}", command=command),
    )
