"""The checks of a finished set, made again now: those of `proof`, and of every further leaf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mtls_openssl import proof
from mtls_openssl.desk import Desk
from mtls_openssl.errors import MtlsError
from mtls_openssl.inspection.content import taken_apart
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.inventory.survey import flat
from mtls_openssl.inventory.things import Node, Role, State, Stock
from mtls_openssl.language import Text, _
from mtls_openssl.openssl import pkcs12, verify
from mtls_openssl.proof import Check
from mtls_openssl.steps import Command, Kind

_ROOT, _MIDDLE = "ca.crt", "intermediate.crt"
_PURPOSES = {Role.SERVER: "sslserver", Role.CLIENT: "sslclient", Role.BOTH: "sslserver"}
_AT_ONCE = 100
"""Certificates for one openssl: a command line of Windows has room for so many names."""


def prove(
    desk: Desk, folder: Path, stock: Stock, password: str | None
) -> tuple[tuple[Check, ...], tuple[Text, ...]]:
    """Make the checks.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        stock: what is in it.
        password: that of the PKCS#12 files; None if nobody has said it.

    Returns:
        The checks, passed or not; and what could not be checked, and why.

    Raises:
        FolderUnavailableError: the log can't be written.
    """
    left_out = list[Text]()
    files = list(_files(folder, password, left_out))
    secrets = {pkcs12.PASSWORD_VARIABLE: password or ""}
    commands = proof.commands(files, None)
    outcomes = [
        desk.ask(one, folder=folder, secrets=secrets if one.secrets else None) for one in commands
    ]
    judged = proof.judge(outcomes, None, folder)
    known = {check.subject for check in judged}
    further = [node for node in flat(stock) if _is_further(node, folder, known)]
    revoked = [node for node in further if node.verdict.state is State.REVOKED]
    left_out += [
        _("{file} was not checked: it is revoked", file=node.places[0].file) for node in revoked
    ]
    further = [node for node in further if node not in revoked]
    return (*judged, *_verified(desk, folder, further)), tuple(left_out)


def _files(folder: Path, password: str | None, left_out: list[Text]) -> Iterator[str]:
    bundles = {bundle.file for bundle in pkcs12.BUNDLES}
    if not (folder / _ROOT).is_file():
        left_out.append(_("without ca.crt no chain can be checked"))
        return
    # With an authority in between, `_verified` has to show openssl its certificate as well.
    between = (folder / _MIDDLE).is_file()
    for path in sorted(folder.iterdir()):
        name = path.name
        if not path.is_file() or (between and path.suffix == ".crt" and name != _ROOT):
            continue
        if name in bundles and password is None:
            left_out.append(_("{file} was not opened: no password is known for it", file=name))
        elif path.suffix == ".key" and _is_encrypted(path):
            left_out.append(_("{file} was not compared: it has a password", file=name))
        else:
            yield name


def _is_encrypted(path: Path) -> bool:
    try:
        parts = taken_apart(bytes_of(path)).parts
    except MtlsError:
        return True  # not ours to read, and so not to compare
    return any(part.cipher or part.label == "ENCRYPTED PRIVATE KEY" for part in parts)


def _is_further(node: Node, folder: Path, known: set[str]) -> bool:
    place = node.places[0]
    return (
        node.role in {*_PURPOSES, Role.INTERMEDIATE}
        and place.alone
        and place.file not in known
        and not place.file.startswith("-")
        and (folder / place.file).is_file()
        and (folder / _ROOT).is_file()
    )


def _verified(desk: Desk, folder: Path, nodes: Sequence[Node]) -> Iterator[Check]:
    claim = _("the strictest validators accept it (RFC 5280)")
    for purpose in dict.fromkeys(_PURPOSES.get(node.role, "") for node in nodes):
        names = [node.places[0].file for node in nodes if _PURPOSES.get(node.role, "") == purpose]
        for at in range(0, len(names), _AT_ONCE):
            several = names[at : at + _AT_ONCE]
            printed = _asked(desk, folder, purpose, several)
            for name in several:
                if verify.is_ok(printed, name):
                    yield Check(name, claim)
                    continue
                alone = _asked(desk, folder, purpose, [name])
                yield Check(name, claim, verify.reason(alone) or _("openssl did not say why"))


def _asked(desk: Desk, folder: Path, purpose: str, names: Sequence[str]) -> str:
    between = ("-untrusted", _MIDDLE) if (folder / _MIDDLE).is_file() else ()
    wanted = ("-purpose", purpose) if purpose else ()
    *head, first = verify.strict(names[0], *wanted, *between)
    command = Command(
        (*head, first, *names[1:]),
        _("prove {count} certificates to the strictest validators (RFC 5280)", count=len(names)),
        Kind.PROOF,
        reads=tuple(dict.fromkeys((_ROOT, *between[1:], *names))),
        verdict=True,
    )
    finished = desk.ask(command, folder=folder).finished
    return f"{finished.stdout}\n{finished.stderr}"
