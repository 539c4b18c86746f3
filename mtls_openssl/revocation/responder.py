"""Answers by OCSP, for trying: on loopback, and one openssl a request (RFC 6960)."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import http.server
import os
import socketserver
import sys
import urllib.parse
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from pathlib import Path

from mtls_openssl import desk, register
from mtls_openssl.desk import Desk
from mtls_openssl.errors import (
    CommandFailedError,
    FolderUnavailableError,
    OpensslNotFoundError,
    UsageError,
    system_said,
)
from mtls_openssl.inspection.files import is_encrypted
from mtls_openssl.language import _
from mtls_openssl.locate import Found, Search, Version
from mtls_openssl.manifest import ROOT
from mtls_openssl.openssl import ca, diagnosis, ocsp, pkey
from mtls_openssl.process import Door
from mtls_openssl.register import keeping
from mtls_openssl.revocation.work import require_authority
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Command, Kind

LOOPBACK = "127.0.0.1"
PURPOSE = "ocsp serve"

_LONGEST = 16384
_PATIENCE = 5.0
_TICK = 0.5
_TAKES_A_PASSPHRASE = Version(3, 0, 0)
_TYPE = "application/ocsp-response"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What was answered.

    Args:
        response: the answer, DER.
        statuses: of whom it says what: serial number, and good, revoked or unknown.
    """

    response: bytes
    statuses: tuple[tuple[str, str], ...] = ()


class Responder:
    """Answers from the register of a folder, as it is at that moment.

    Args:
        folder: the folder of the set.
        found: the openssl to use.
        passphrases: those of the authorities' keys, by their variables.
        limit: seconds that any one command may take, instead of its own limit.

    Raises:
        FolderUnavailableError: there is no register, or the key is not there.
        OpensslNotFoundError: this openssl can't open the key.
    """

    def __init__(
        self, folder: Path, found: Found, passphrases: Mapping[str, str], limit: float | None
    ) -> None:
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - a link keeps its name
        self.authority = register.issuer_of(folder)
        self._search = Search((), found.chosen)
        self._limit = limit
        require_authority(folder, self.authority)
        if not register.is_kept(folder):
            raise FolderUnavailableError(
                _("{folder} has no register to answer from.", folder=folder),
                cause=_("nothing was revoked here, and no CRL was made"),
                fix=ours(folder, "crl"),
            )
        encrypted = is_encrypted(folder / f"{self.authority}.key")
        self._variables = keeping.secret(self.authority, encrypted=encrypted)
        self._secrets = {name: passphrases[name] for name in self._variables if name in passphrases}
        version = found.chosen.version
        for variable in self._variables:
            if variable not in passphrases:
                raise FolderUnavailableError(
                    _("{file} has a pass phrase.", file=folder / f"{self.authority}.key"),
                    cause=_("each answer is signed with this key"),
                    fix=_("put it into the variable {variable}", variable=variable),
                )
            if version is None or version < _TAKES_A_PASSPHRASE:
                raise OpensslNotFoundError(
                    _("OpenSSL {version} can't answer with a key that has a pass phrase.",
                      version=version),
                    cause=_("its command ocsp takes one from 3.0 on"),
                    fix=_("name a newer openssl with --openssl"),
                )  # fmt: skip

    def see_that_it_works(self) -> None:
        """Answer a request of our own, before anybody else asks.

        Raises:
            CommandFailedError: it could not be answered.
        """
        with self._desk() as one:
            certificate = f"{self.authority}.crt"
            wanted = (one.scratch / "own.der").as_posix()
            outcome = one.ask(
                Command(
                    ocsp.request(certificate, certificate, wanted),
                    _("make a request to try it with"),
                    Kind.LOOK,
                    reads=(certificate,),
                ),
                folder=self.folder,
            )
            if not outcome.problem:
                self._asked(one, Path(wanted).read_bytes())

    def answer(self, request: bytes) -> Answer:
        """Answer a request.

        Args:
            request: DER.
        """
        try:
            with self._desk() as one:
                return self._asked(one, request)
        except CommandFailedError as error:
            malformed = "OCSP request" in f"{error.cause}"
            return Answer(ocsp.MALFORMED if malformed else ocsp.INTERNAL_ERROR)
        except FolderUnavailableError:
            return Answer(ocsp.INTERNAL_ERROR)

    def to_try(self, url: str) -> tuple[str, ...]:
        """The arguments of openssl by which somebody asks, in the folder of the set."""
        others = {f"{ROOT}.crt", f"{self.authority}.crt"}
        names = sorted(path.name for path in self.folder.glob("*.crt"))
        certificate = next(
            (name for name in names if name not in others and not name.endswith(".chain.crt")),
            f"{self.authority}.crt",
        )
        return ocsp.ask(certificate, f"{self.authority}.crt", f"{ROOT}.crt", url)

    def _desk(self) -> AbstractContextManager[Desk]:
        # One a request: a log that is held for hours would keep others out, `revoke` first of all.
        return desk.at(self.folder, self._search, door=Door(), purpose=PURPOSE, limit=self._limit)

    def _asked(self, one: Desk, request: bytes) -> Answer:
        asked, answered = one.scratch / "request.der", one.scratch / "response.der"
        asked.write_bytes(request)
        secret = pkey.unlocking("".join(self._variables))
        files = (f"{self.authority}.crt", f"{self.authority}.key", ca.INDEX)
        outcome = one.ask(
            Command(
                ocsp.answer(asked.as_posix(), answered.as_posix(), self.authority, *secret),
                _("answer a request by OCSP"),
                Kind.LOOK,
                reads=files,
                secrets=self._variables,
                verdict=True,
            ),
            folder=self.folder,
            secrets=self._secrets,
        )
        said = outcome.finished.stderr.strip()
        if outcome.problem or not answered.is_file():
            cause, fix = diagnosis.cause(said)
            raise CommandFailedError(
                _("openssl ocsp could not answer."),
                cause=cause or said.partition("\n")[0],
                fix=fix or _("see what is wrong with the set: {command}",
                             command=ours(self.folder, "doctor")),
            )  # fmt: skip
        return Answer(answered.read_bytes(), ocsp.statuses(outcome.finished.stdout))


class Listener(socketserver.TCPServer):
    """Listens on loopback, and hands each request to a responder, one after the other.

    Args:
        port: the port; 0 for one that is free.
        responder: who answers.
        told: who hears of each answer.

    Raises:
        UsageError: the port is taken.
    """

    # On Windows it would let two programs have one port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, port: int, responder: Responder, told: Callable[[Answer], None]) -> None:
        self.responder = responder
        self.told = told
        self.timeout = _TICK
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise UsageError(
                _("Port {port} can't be listened on: {why}.", port=port, why=system_said(error)),
                fix=_("choose another with --port, or 0 for one that is free"),
            ) from None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Somebody went away before the answer; the next one is waiting."""
        del request, client_address


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Listener
    timeout = _PATIENCE

    def do_POST(self) -> None:
        """A request in the body (RFC 6960, appendix A.1)."""
        length = self.headers.get("Content-Length", "")
        if not (length.isdigit() and int(length) <= _LONGEST):
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        self._answer(self.rfile.read(int(length)))

    def do_GET(self) -> None:
        """A request in the path, in Base64 (RFC 6960, appendix A.1)."""
        try:
            request = base64.b64decode(urllib.parse.unquote(self.path[1:]), validate=True)
        except (binascii.Error, ValueError):
            request = b""
        if not request:
            self.send_error(HTTPStatus.BAD_REQUEST, "an OCSP request is wanted")
            return
        self._answer(request)

    def _answer(self, request: bytes) -> None:
        answer = self.server.responder.answer(request)
        self.server.told(answer)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", _TYPE)
        self.send_header("Content-Length", str(len(answer.response)))
        self.end_headers()
        self.wfile.write(answer.response)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Nothing: who is told is told of the answer."""
