"""Holds the certificates of a set against its CRLs, as a server does that has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inventory import reading
from mtls_openssl.language import Text, _
from mtls_openssl.life import authority
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import verify
from mtls_openssl.proof import Check, Proving
from mtls_openssl.register import LIST
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Command, Ending, Kind, Outcome

_ENDED = "CRL has expired"
_LACKING = "unable to get certificate CRL"
_REVOKED = "certificate revoked"
_MEANT: dict[str, Text] = {
    _ENDED: _(
        "the CRL has expired, and whoever checks with it refuses everybody now; make the next one:"
        " {command}"
    ),
    _LACKING: _(
        "crl.pem lacks the CRL of an authority in its chain, and whoever checks with it refuses"
        " everybody; make it anew: {command}"
    ),
}


def files(folder: Path) -> tuple[str, ...]:
    """The files of a set that such a check needs; none where there is no CRL."""
    return (LIST,) if (folder / LIST).is_file() else ()


def proving(
    folder: Path, certificates: Sequence[str], lists: Sequence[str], by: str = ""
) -> Proving:
    """What `verify` proves besides where there is a CRL.

    Args:
        folder: the folder of the set.
        certificates: the files of the certificates.
        lists: what `files` gave.
        by: the file of the intermediate authority that issued them; empty for the root.
    """
    if not lists:
        return Proving()
    commands = {name: _command(name, by) for name in certificates}
    again = ours(folder, "crl")
    return Proving(
        tuple(commands.values()), lambda outcomes: _judge(folder, commands, outcomes, again)
    )


def _command(name: str, by: str) -> Command:
    return Command(
        verify.unrevoked(LIST, name, intermediate=by),
        _("check that nobody has revoked {file}", file=name),
        Kind.PROOF,
        reads=("ca.crt", *((by,) if by else ()), LIST, name),
        verdict=True,
    )


def _judge(
    folder: Path, commands: dict[str, Command], outcomes: Sequence[Outcome], again: str
) -> Iterator[Check]:
    answers = {
        outcome.command.argv: outcome.finished
        for outcome in outcomes
        if outcome.finished.ending is Ending.EXITED
    }
    for name, command in commands.items():
        if finished := answers.get(command.argv):
            good = finished.exit == 0 and verify.is_ok(finished.stdout, name)
            said = f"{finished.stderr}\n{finished.stdout}"
            words = verify.reason(said)
            if _REVOKED in words:
                above = any(depth for depth, why in verify.faults(said) if _REVOKED in why)
                yield _above(folder) if above else _revoked(folder, name)
                continue
            meant = [Text(text, command=again) for said, text in _MEANT.items() if said in words]
            fault = meant[0] if meant else words or finished.stderr.strip()
            yield Check(name, _("nobody has revoked it"), "" if good else fault)


def _revoked(folder: Path, name: str) -> Check:
    day = _since(folder, name)
    fault = _("its CA has revoked it")
    if day:
        fault = _("its CA has revoked it, on {date}", date=day)
    mend = _(
        "have a new one issued, with a new key: {command}; or, if {file} is to stay out, move its"
        " files to another folder",
        file=name,
        command=ours(folder, "renew", name.removesuffix(".crt"), "--rekey"),
    )
    return Check(name, _("nobody has revoked it"), fault, mend)


def _above(folder: Path) -> Check:
    """That the authority between the root and a certificate is revoked."""
    name = f"{INTERMEDIATE}.crt"
    anew = authority.anew(ROOT, folder)
    if not (folder / "mtls.toml").is_file():
        anew = _("describe the set in mtls.toml; then: {command}", command=anew)
    return Check(
        name,
        _("nobody has revoked it"),
        _("the root has revoked it, and with it all that it has issued"),
        _("have a new root, and with it all certificates: {command}", command=anew),
    )


def _since(folder: Path, name: str) -> str:
    """The day from which the CRL calls a certificate revoked; empty if that can't be read."""
    try:
        lists = reading.read(folder / LIST, LIST).lists
        certificates = reading.read(folder / name, name).certificates
    except FolderUnavailableError:
        return ""
    days = [
        f"{entry.date:%Y-%m-%d}"
        for listed in lists
        for entry in listed.described.revoked
        for one in certificates[:1]
        if (listed.described.issuer, entry.serial) == (one.described.issuer, one.described.serial)
    ]
    return days[0] if days else ""
