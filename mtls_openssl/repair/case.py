"""What is to be repaired: a CA as it is, and what it has issued."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import (
    FolderUnavailableError,
    NotProvenError,
    SettingRefusedError,
    UsageError,
    system_said,
)
from mtls_openssl.inspection import objections as inspection
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT, passphrase_variable
from mtls_openssl.openssl import extensions, pkey, verify, x509
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.plan import CHAIN
from mtls_openssl.plan.naming import is_certificate, owner_of
from mtls_openssl.scripting import prompt
from mtls_openssl.steps import Command, Kind
from mtls_openssl.workspace import commit

OLD = "ca.old.crt"
"""What the certificate to be repaired is called while it is at work beside the new one."""

_PEM_HEADER = 200
_KEPT = frozenset(
    {
        extensions.BASIC_CONSTRAINTS,
        extensions.KEY_USAGE,
        extensions.SUBJECT_KEY_IDENTIFIER,
        extensions.AUTHORITY_KEY_IDENTIFIER,
        extensions.NAME_CONSTRAINTS,
    }
)
_LIMITED = re.compile(r"(DNS|IP|email|URI):[^,;\s]+")
_LIMITS = {"Permitted:": "permitted", "Excluded:": "excluded"}
_PURPOSES = {"serverAuth": "sslserver", "clientAuth": "sslclient"}


_MENDED = frozenset(
    {"ca-key-usage", "ca-cert-sign", "ca-constraints-critical", "ca-subject-key-identifier"}
)
"""The objections, by their codes, that a new certificate for the same key puts right."""


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A certificate that the CA has issued.

    Args:
        name: the name of its file.
        purposes: what it is for, as `verify -purpose` calls it.
        by_serial: whether it names its issuer by serial number too, so that the CA keeps its own.
        fault: what strict validators have against it, whoever its CA is, in openssl's words.
        by: the file of the intermediate authority that issued it; empty for the root.
    """

    name: str
    purposes: tuple[str, ...]
    by_serial: bool
    fault: str = ""
    by: str = ""

    @property
    def owner(self) -> str:
        """What its files are called."""
        return owner_of(self.name)


@dataclasses.dataclass(frozen=True)
class Case:
    """A CA as it is.

    Args:
        ca: its certificate.
        leaves: what it has issued, of the folder; what an authority below it has issued too.
        encrypted: whether its key has a pass phrase.
        chained: whether its certificate is in the file with the chain as well.
    """

    ca: Description
    leaves: tuple[Leaf, ...]
    encrypted: bool = False
    chained: bool = False

    @property
    def passphrase_variable(self) -> str:
        """The environment variable that openssl reads the pass phrase from; empty for none."""
        return passphrase_variable(ROOT) if self.encrypted else ""


def objections(ca: Description) -> tuple[Text, ...]:
    """What strict validators have against the certificate of a CA that another one can mend.

    Asked of the certificate itself, since `verify -x509_strict` of OpenSSL 1.1.1 asks for less.
    """
    if not inspection.is_ca(ca):
        return (_("it does not say that it is a CA's (no basicConstraints)"),)
    return tuple(found.what for found in inspection.objections(ca) if found.code in _MENDED)


def limits(ca: Description) -> str:
    """The names that a CA may certify, as openssl.cnf has them; empty for no limit.

    Raises:
        ValueError: there is one that can't be written there.
    """
    found = ca.extensions.get(extensions.NAME_CONSTRAINTS)
    if found is None:
        return ""
    parts, kind = list[str](["critical"] if found.critical else []), ""
    for value in found.values:
        if value in _LIMITS:
            kind = _LIMITS[value]
        elif kind and _LIMITED.fullmatch(value):
            parts.append(f"{kind};{value}")
        else:
            raise ValueError(value)
    return ", ".join(parts)


def examine(
    desk: Desk,
    folder: Path,
    days: int | None,
    now: datetime | None = None,
    *,
    passphrase: Callable[[], str] | None = None,
) -> Case | None:
    """Look at the CA of a folder and at what it has issued.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        days: the days that it is to last from now; None to leave its dates as they are.
        now: the time; the computer's unless given.
        passphrase: gives the pass phrase of the CA's key; asked only where it takes one.

    Returns:
        What is to be repaired; None if nothing is.

    Raises:
        FolderUnavailableError: ca.crt or ca.key is not there, or is not what its name says.
        NotProvenError: it has expired, and its dates are to stay.
        UsageError: it would end sooner than it does, or the CA is one that can't be repaired in
            this way.
    """
    _require("ca.crt", folder, _("name the folder of the set with --out"))
    ca = _read(desk, folder, "ca.crt")
    if ca is None:
        raise FolderUnavailableError(
            _("{file} can't be read as a certificate.", file=folder / "ca.crt"),
            cause=_("it is damaged, or not a certificate in PEM"),
            fix=_(
                "see what is wrong with the set: {command}", command=prompt.ours(folder, "doctor")
            ),
        )
    _refuse_dates(ca, days, now or datetime.now(UTC), folder)
    if days is None and not objections(ca):
        return None
    _refuse_what_would_be_lost(ca, folder)
    _require(
        "ca.key", folder, _("the new certificate is signed with it: put it beside ca.crt for this")
    )
    encrypted = _is_encrypted(folder / "ca.key")
    secret = passphrase() if encrypted and passphrase else None
    public = desk.ask(
        Command(
            pkey.describe("ca.key", encrypted=secret is not None),
            _("read the public half of ca.key"),
            Kind.LOOK,
            reads=("ca.key",),
            secrets=(pkey.PASSWORD_VARIABLE,) if secret is not None else (),
            verdict=True,
        ),
        folder=folder,
        secrets={pkey.PASSWORD_VARIABLE: secret} if secret is not None else None,
    ).finished
    if encrypted and public.exit:
        raise SettingRefusedError(
            _("{file} does not open with its pass phrase.", file=folder / "ca.key"),
            cause=_("the pass phrase is not the one of the key"),
            fix=_("give the right one in {variable}", variable=passphrase_variable(ROOT)),
        )
    if public.exit or pkey.parse_pem(public.stdout) != ca.public_key:
        raise FolderUnavailableError(
            _("{key} is not the key of {file}.", key=folder / "ca.key", file="ca.crt"),
            cause=_("it is damaged, or the key of another CA, such as one made anew since"),
            fix=_("put the key that ca.crt was made with beside it; look for it in backup/"),
        )
    names = sorted(path.name for path in folder.glob("*.crt") if commit.is_bare(path.name))
    middle = f"{INTERMEDIATE}.crt"
    below = _leaf(desk, folder, middle) if middle in names else None
    by = middle if below else ""
    others = [name for name in names if name not in {"ca.crt", middle, OLD}]
    leaves = [_leaf(desk, folder, name, by) for name in others if is_certificate(name)]
    return Case(
        ca,
        tuple(leaf for leaf in (below, *leaves) if leaf),
        encrypted,
        chained=below is not None and CHAIN in names,
    )


def _refuse_dates(ca: Description, days: int | None, now: datetime, folder: Path) -> None:
    """Refuse a period that would leave the CA worse off than it is.

    Args:
        ca: its certificate.
        days: the days that it is to last from now; None to leave its dates as they are.
        now: the time.
        folder: the folder of the set.

    Raises:
        NotProvenError: it has expired, and its dates are to stay.
        UsageError: it would end sooner than it does.
    """
    end = f"{ca.not_after:%Y-%m-%d}"
    if days is None and ca.not_after <= now:
        raise NotProvenError(
            _("The CA's certificate has expired on {date}.", date=end),
            cause=_("a repair leaves its dates as they are, unless it is told otherwise"),
            fix=prompt.ours(folder, "repair-ca", "--ca-days", "3650"),
        )
    if days is not None and now + timedelta(days=days) < ca.not_after:
        raise UsageError(
            _("With --ca-days {days} the CA would end sooner than it does now.", days=days),
            cause=_("its certificate is valid until {date}", date=end),
            fix=_("give more days, or leave --ca-days out to keep its dates"),
        )


def _require(name: str, folder: Path, fix: Text) -> None:
    if not (folder / name).is_file():
        raise FolderUnavailableError(
            _("{name} is not in {folder}.", name=name, folder=folder.absolute()), fix=fix
        )


def _is_encrypted(key: Path) -> bool:
    try:
        return b"ENCRYPTED" in key.read_bytes()[:_PEM_HEADER]
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be read: {why}.", file=key, why=system_said(error)),
            fix=_("run the command as the user who owns it"),
        ) from None


def _refuse_what_would_be_lost(ca: Description, folder: Path) -> None:
    constraints = ca.extensions.get(extensions.BASIC_CONSTRAINTS)
    if constraints and "CA:TRUE" not in constraints.values:
        raise UsageError(
            _("{file} is not the certificate of a CA.", file=folder / "ca.crt"),
            cause=_("it says of itself: {value}", value=", ".join(constraints.values)),
            fix=_("put the CA's certificate in its place"),
        )
    if ca.subject != ca.issuer:
        raise UsageError(
            _("{file} is not a root: another CA has issued it.", file=folder / "ca.crt"),
            fix=_("have {issuer} issue it again, with keyUsage", issuer=ca.issuer[-1][1]),
        )
    others = set(ca.extensions) - _KEPT
    try:
        limits(ca)
    except ValueError:
        others.add(extensions.NAME_CONSTRAINTS)
    if others:
        raise UsageError(
            _("{file} holds what a repair would lose.", file=folder / "ca.crt"),
            cause=_(
                "besides what the batch file gave it: {names}", names=", ".join(sorted(others))
            ),
            fix=_("have it issued again with the program that made it, with keyUsage"),
        )


def _read(desk: Desk, folder: Path, name: str) -> Description | None:
    outcome = desk.ask(reading(name, Kind.LOOK), folder=folder)
    try:
        return x509.parse_text(outcome.finished.stdout)
    except ValueError:
        return None


def _leaf(desk: Desk, folder: Path, name: str, by: str = "") -> Leaf | None:
    # What is said against the CA is what is to be repaired.
    if _own_fault(desk, folder, verifying(name, Kind.LOOK, by)):
        return None
    read = _read(desk, folder, name)
    if read is None:
        return None
    authority = read.extensions.get(extensions.AUTHORITY_KEY_IDENTIFIER)
    usages = extensions.usages(read.extensions.get(extensions.EXTENDED_KEY_USAGE))
    leaf = Leaf(
        name,
        tuple(_PURPOSES[usage] for usage in usages if usage in _PURPOSES),
        any(value.startswith("serial:") for value in (authority.values if authority else ())),
        by=by,
    )
    faults = (_own_fault(desk, folder, command) for command in strictly(leaf, Kind.LOOK))
    return dataclasses.replace(leaf, fault="; ".join(dict.fromkeys(filter(None, faults))))


def _own_fault(desk: Desk, folder: Path, command: Command) -> str:
    """What `verify` has against a certificate itself, and not against its CA."""
    finished = desk.ask(command, folder=folder).finished
    said = finished.stdout + "\n" + finished.stderr
    own = "; ".join(dict.fromkeys(words for depth, words in verify.faults(said) if depth == 0))
    return own or ("" if finished.exit == 0 or verify.faults(said) else said.strip())


def key_identifier(certificate: Description) -> str:
    """The subject key identifier of a certificate, in hex; empty if it has none."""
    return extensions.key_identifier(certificate.extensions.get(extensions.SUBJECT_KEY_IDENTIFIER))


def reading(name: str, kind: Kind) -> Command:
    """The command that reads all that a certificate says."""
    return Command(
        x509.inspect(name),
        _("read all that {file} says", file=name),
        kind,
        reads=(name,),
        verdict=True,
    )


def verifying(name: str, kind: Kind, by: str = "") -> Command:
    """The command that tells whether a certificate is of the CA."""
    # Whether it is in date does not matter: an expired leaf is still one of this CA.
    return Command(
        verify.chain_at_any_time(name, by=by), _("check that the CA issued {file}", file=name),
        kind, reads=_read_with(name, by), verdict=True,
    )  # fmt: skip


def _read_with(name: str, by: str) -> tuple[str, ...]:
    return ("ca.crt", *((by,) if by else ()), name)


def strictly(leaf: Leaf, kind: Kind) -> tuple[Command, ...]:
    """The commands that tell whether strict validators accept a certificate of the CA."""
    # What is wrong with the leaf itself, no certificate of its CA can mend.
    if leaf.fault:
        return ()
    options: list[tuple[str, ...]] = [("-purpose", purpose) for purpose in leaf.purposes]
    return tuple(
        Command(
            verify.strict(leaf.name, "-no_check_time", *purpose, by=leaf.by),
            _("prove {file} to the strictest validators, whatever its age", file=leaf.name),
            kind,
            reads=_read_with(leaf.name, leaf.by),
            verdict=True,
        )
        for purpose in options or [()]
    )
