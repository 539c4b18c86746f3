"""Client certificates that a set's server must refuse: of another CA, and an expired one."""

from __future__ import annotations

import secrets
from pathlib import Path

from mtls_openssl import templating
from mtls_openssl.desk import Desk
from mtls_openssl.errors import CommandFailedError, MtlsError
from mtls_openssl.inspection.files import is_encrypted
from mtls_openssl.language import Text, _
from mtls_openssl.openssl import diagnosis, genpkey, req, x509
from mtls_openssl.register import issuer_of
from mtls_openssl.steps import Command, Kind, Outcome, Render

STRANGER = ("stranger.crt", "stranger.key")
"""A client certificate of a CA that the set does not know, and its key."""

EXPIRED = ("expired.crt", STRANGER[1])
"""One of the set's own CA that has expired when the next second begins, and its key."""

_KEY, _CSR = STRANGER[1], "stranger.csr"
_CONFIG = "openssl.cnf"
_EXTENSIONS = "v3_client.ext"
_STRANGE_CA = (("CN", "A CA that this set does not know"),)
_NAME = (("CN", "mtls-openssl handshake"),)


def make(desk: Desk) -> None:
    """Make a key of our own, and for it a certificate of a CA that the set does not know.

    Raises:
        CommandFailedError: an openssl command failed.
    """
    extensions = {
        "critical_key_usage": True, "san": "", "names": [], "crl_url": "", "ocsp_url": "",
    }  # fmt: skip
    for template, name, values in (
        ("openssl/openssl.cnf.j2", _CONFIG, {}),
        ("openssl/v3_client.ext.j2", _EXTENSIONS, extensions),
    ):
        text = templating.render(Render(template, name, _("what openssl reads"), values))
        (desk.scratch / name).write_text(text, "utf-8")
    config = ("-config", _CONFIG)
    own = ("stranger-ca.crt", "stranger-ca.key")
    for purpose, file, argv in (
        (_("make the key of another CA"), own[1], genpkey.generate(own[1], genpkey.P_256)),
        (_("make another CA"), own[0], (*req.self_sign(own[1], own[0], _STRANGE_CA, 1), *config)),
        (_("make a stranger's key"), _KEY, genpkey.generate(_KEY, genpkey.P_256)),
        (_("make a stranger's request"), _CSR, (*req.request(_KEY, _CSR, _NAME), *config)),
        (
            _("issue a stranger's certificate"),
            STRANGER[0],
            x509.issue(_CSR, STRANGER[0], _EXTENSIONS, 1, ca=own, serial="1"),
        ),
    ):
        outcome = desk.ask(Command(argv, purpose, Kind.LOOK, writes=(file,)))
        if outcome.problem:
            raise failed(outcome)


def expire(desk: Desk, folder: Path) -> Text | None:
    """Let the set's CA issue a certificate that expires at once.

    Args:
        desk: where `make` was called before.
        folder: the folder of the set, in which nothing changes.

    Returns:
        Why it can't be; None if it was done.
    """
    issuer = issuer_of(folder)
    certificate, key = f"{issuer}.crt", f"{issuer}.key"
    if not (folder / key).is_file():
        return _("an expired certificate was not tried: {key} is not here to issue one", key=key)
    if is_encrypted(folder / key):
        return _("an expired certificate was not tried: {key} has a password", key=key)
    # Only a CA's files must go by a bare name: openssl opens the others by any (bio_open_default).
    scratch = desk.scratch.as_posix()
    argv = x509.issue(
        f"{scratch}/{_CSR}",
        f"{scratch}/{EXPIRED[0]}",
        f"{scratch}/{_EXTENSIONS}",
        0,
        ca=(certificate, key),
        serial=secrets.token_hex(15),
    )
    purpose = _("issue a certificate that expires at once")
    command = Command(argv, purpose, Kind.LOOK, reads=(certificate, key), verdict=True)
    outcome = desk.ask(command, folder=folder)
    if outcome.problem:
        said = outcome.finished.stderr.strip().splitlines() or [outcome.problem]
        return _(
            "an expired certificate was not tried: {key} and {certificate} can't issue one"
            " ({words})",
            key=key,
            certificate=certificate,
            words=said[-1],
        )
    return None


def failed(outcome: Outcome) -> MtlsError:
    """The error that a command has ended with which had no reason to fail."""
    said = outcome.finished.stderr.strip()
    cause, fix = diagnosis.cause(said)
    return CommandFailedError(
        _(
            "openssl {command} ({purpose}) {problem}.",
            command=outcome.command.argv[0],
            purpose=outcome.command.purpose,
            problem=outcome.problem,
        ),
        cause=cause or said.partition("\n")[0],
        fix=fix or _("look at what this openssl is: python -m mtls_openssl locate"),
    )
