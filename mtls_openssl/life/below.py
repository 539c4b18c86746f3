"""What stands below the authority of a folder that issues, and must be good when that is renewed.

Whoever has a certificate of it goes on with it; so each of the set and some of its fleet are held
against the new certificate of the authority, and compared with the old one.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.inspection import order
from mtls_openssl.inventory import certificate, clients
from mtls_openssl.inventory.der import NotDerError
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca, verify
from mtls_openssl.openssl.x509 import Description, Name
from mtls_openssl.plan import CHAIN, Plan
from mtls_openssl.proof import Check, Proving
from mtls_openssl.steps import Command, Ending, Kind, Outcome, Render

_ROOT, _MIDDLE = f"{ROOT}.crt", f"{INTERMEDIATE}.crt"
_FEW = 3
_AT_ONCE = 100


@dataclasses.dataclass(frozen=True)
class Held:
    """A certificate that stands below an authority.

    Args:
        file: what it is called where openssl looks at it.
        path: where it is in the folder of the set.
        pem: the certificate.
    """

    file: str
    path: str
    pem: str


def read(file: Path) -> Description | None:
    """What a file says that begins with a certificate; None where that can't be read."""
    return _described(_text(file))


def issuing(folder: Path, leaves: Sequence[str]) -> Name:
    """The name of the intermediate authority that there is or was; empty if none is known.

    Args:
        folder: the folder of the set.
        leaves: what the files of its certificates are called that are no authority's.
    """
    there = read(folder / _MIDDLE) or read(folder / CHAIN)
    if there:
        return there.subject
    root = read(folder / _ROOT)
    issued = (one.issuer for name in leaves if (one := read(folder / f"{name}.crt")))
    named = collections.Counter(name for name in issued if root is None or name != root.subject)
    return next((name for name, _count in named.most_common(1)), ())


def others(
    folder: Path, leaves: Sequence[str], described: Collection[str], revoked: Collection[str]
) -> tuple[str, ...]:
    """Whose certificates no run makes again that makes the authority anew which issues.

    They are those for the keys of others: good still, and only that one can revoke them. What is
    not described any more, with its key here, is in nobody else's hands.

    Args:
        folder: the folder of the set.
        leaves: as for `issuing`.
        described: the names of the certificates that mtls.toml describes.
        revoked: the serial numbers of those that are revoked already.
    """
    issuer = read(folder / _MIDDLE) or read(folder / CHAIN) or read(folder / _ROOT)
    there = {name: one for name in leaves if (one := read(folder / f"{name}.crt"))}
    known = {one.serial for name, one in there.items() if name in described}
    now = datetime.now(UTC)
    return tuple(
        name
        for name, one in there.items()
        if issuer
        and order.issued(issuer, one)
        and one.subject != one.issuer
        and one.not_after > now
        and name not in described
        and not (folder / f"{name}.key").exists()
        and one.serial not in known
        and ca.plain(one.serial) not in revoked
    )


def gather(
    desk: Desk, folder: Path, leaves: Sequence[str], makes: Collection[str]
) -> tuple[Held, ...]:
    """What is good below the intermediate authority as it is, whatever its age.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        leaves: as for `issuing`.
        makes: the names of the files that a run makes, which have a proof of their own.

    Returns:
        The certificates of the set, and of its fleet the first and the last by name.

    Raises:
        OSError: the fleet can't be looked into.
    """
    found = (*_of_set(folder, leaves, makes), *_of_fleet(folder))
    before = next((pem for file in (_MIDDLE, CHAIN) if (pem := _pem(folder / file))), "")
    if not before:
        name = issuing(folder, leaves)
        return tuple(one for one in found if _names(one, name))
    texts = {_ROOT: _pem(folder / _ROOT), _MIDDLE: before, **{one.file: one.pem for one in found}}
    for file, text in texts.items():
        (desk.scratch / file).write_text(f"{text}\n", "ascii")
    faults = _faults([desk.ask(one) for one in _commands(found, Kind.LOOK)])
    return tuple(one for one in found if faults.get(one.file) == "")


def held(plan: Plan, below: Sequence[Held]) -> Plan:
    """A plan that has what must be good below the authority that it makes anew.

    Args:
        plan: the plan.
        below: what `gather` found.
    """
    written = tuple(
        Render(
            "openssl/text.j2", one.file, _("a copy of {file}", file=one.path),
            {"text": f"{one.pem}\n"},
        )
        for one in below
        if one.file != one.path
    )  # fmt: skip
    brought = [one.file for one in below if one.file == one.path]
    return dataclasses.replace(
        plan,
        steps=(*plan.steps, *written),
        needs=tuple(dict.fromkeys((*plan.needs, *brought))),
    )


def proving(below: Sequence[Held], mend: Text) -> Proving:
    """That it is good below the new certificate of its authority as well.

    Args:
        below: what `gather` found.
        mend: what is to be done where it is not.
    """
    return Proving(
        tuple(_commands(below, Kind.PROOF)), lambda outcomes: _judge(below, mend, outcomes)
    )


def _judge(below: Sequence[Held], mend: Text, outcomes: Sequence[Outcome]) -> Iterator[Check]:
    faults = _faults(outcomes)
    for one in below:
        if one.file in faults:
            claim = _("it is good below the new certificate of its authority")
            yield Check(one.path, claim, faults[one.file], mend)


def _commands(below: Sequence[Held], kind: Kind) -> Iterator[Command]:
    for at in range(0, len(below), _AT_ONCE):
        files = [one.file for one in below[at : at + _AT_ONCE]]
        yield Command(
            verify.chain_at_any_time(*files, by=_MIDDLE),
            _("check what stands below {file}, whatever its age", file=_MIDDLE),
            kind,
            reads=(_ROOT, _MIDDLE, *files),
            verdict=True,
        )


def _faults(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """What openssl has against each certificate, by its file; empty where nothing."""
    found = dict[str, str]()
    for outcome in outcomes:
        command, finished = outcome.command, outcome.finished
        files = command.reads[2:]
        if command.argv != verify.chain_at_any_time(*files, by=_MIDDLE):
            continue
        if finished.ending is Ending.EXITED:
            said = verify.reasons(finished.stdout, finished.stderr, files)
            found.update(zip(files, said, strict=True))
    return found


def _of_set(folder: Path, leaves: Sequence[str], makes: Collection[str]) -> Iterator[Held]:
    for file in (f"{name}.crt" for name in leaves):
        if file not in makes and (pem := _pem(folder / file)):
            yield Held(file, file, pem)


def _of_fleet(folder: Path) -> Iterator[Held]:
    names = clients.names(folder)
    for number, name in enumerate(dict.fromkeys((*names[:_FEW], *names[-_FEW:])), start=1):
        one = clients.one(folder, name)
        if one.pem:
            # No certificate of a set can be called so: a name begins with a letter or a digit.
            path = one.path.relative_to(folder).as_posix()
            yield Held(f"_{number}.pem", path, one.pem)


def _names(one: Held, issuer: Name) -> bool:
    described = _described(one.pem)
    return described is not None and described.issuer == issuer


def _described(text: str) -> Description | None:
    try:
        return certificate.read(clients.der_of(text))[0]
    except NotDerError:
        return None


def _pem(file: Path) -> str:
    text = _text(file)
    return clients.block_of(text) if _described(text) else ""


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""
