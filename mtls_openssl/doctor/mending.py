"""The commands that mend what was found, as they are typed here."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.doctor.patient import Patient
from mtls_openssl.errors import MtlsError
from mtls_openssl.language import _
from mtls_openssl.manifest import Role
from mtls_openssl.openssl import extensions
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.plan import CHAIN
from mtls_openssl.scripting import prompt

_WINDOWS = sys.platform == "win32"
_ATTRIBUTES = {"C": "country", "ST": "state", "L": "city", "O": "org"}


def ours(patient: Patient, *words: str) -> str:
    """A command of ours for the folder of the set.

    Args:
        patient: whose folder it is.
        words: the command and its options.
    """
    return prompt.ours(patient.folder.absolute(), *words)


def restored(patient: Patient, name: str) -> str:
    """The command that brings a file back from the backup; empty if none there fits."""
    spare = patient.spares.get(name, Path())
    if spare == Path():
        return ""
    kept = str(spare.relative_to(patient.folder))
    return prompt.line("copy" if _WINDOWS else "cp", _path(patient, kept), _path(patient, name))


def converted(patient: Patient, name: str) -> str:
    """The command that writes a certificate or a key anew, as PEM without a password."""
    plain = ("--no-encryption",) if name.endswith(".key") else ()
    path = _path(patient, name)
    return prompt.line(
        "python", "-m", "mtls_openssl", "convert", path, path, "--to", "pem", *plain, "--force"
    )  # fmt: skip


def _path(patient: Patient, name: str) -> str:
    return name if prompt.is_here(patient.folder) else str(patient.folder.absolute() / name)


def swapped(patient: Patient, first: str, second: str) -> str:
    """The command by which two files change places."""
    one, other = _path(patient, first), _path(patient, second)
    move = "move" if _WINDOWS else "mv"
    steps = ((one, f"{one}.tmp"), (other, one), (f"{one}.tmp", other))
    return " && ".join(prompt.line(move, source, target) for source, target in steps)


def begun(patient: Patient) -> str:
    """The command that makes a set where there is none."""
    return ours(patient, "apply" if patient.members.loaded else "all")


def made_again(patient: Patient, owner: str) -> str:
    """What makes the certificate of an owner anew, for the same names; of an authority, all.

    Args:
        patient: whose set it is.
        owner: what its files are called.
    """
    members = patient.members
    if owner in members.authorities:
        if members.usual:
            return issued_again(patient, "all")
        anew = ours(patient, "apply", "--replace", owner)
        if members.loaded:
            return anew
        return _("describe the set in mtls.toml; then: {command}", command=anew)
    if members.loaded and members.loaded.manifest.leaf(owner):
        return ours(patient, "apply")
    if owner in {role.value for role in Role} and not (members.loaded or members.layered):
        return issued_again(patient, owner)
    return ours(patient, "renew", owner)


def certified_again(patient: Patient, owner: str) -> str:
    """What renews an authority below the root, so that all that it has issued stays good."""
    loaded = patient.members.loaded
    if loaded and loaded.manifest.intermediate:
        return ours(patient, "renew", owner)
    return made_again(patient, owner)


def replaced(patient: Patient, owner: str) -> str:
    """The command that makes another certificate for an owner, though nothing is wrong with it."""
    if patient.members.usual:
        return made_again(patient, owner)
    return ours(patient, "renew", owner)


def packed_again(patient: Patient, file: str) -> str:
    """The command that makes a PKCS#12 file anew."""
    owner = patient.members.bundles[file]
    if file == f"{owner}.p12":
        return ours(patient, "p12", *((owner,) if owner != Role.CLIENT.value else ()))
    return made_again(patient, owner) if patient.members.loaded else ours(patient, "renew", owner)


def joined_again(patient: Patient, file: str) -> str:
    """What writes a chain file anew."""
    owner = file.removesuffix(CHAIN).rstrip(".")
    if patient.members.loaded is None and owner:
        return ours(patient, "renew", owner)
    again = ours(patient, "apply")
    if patient.members.loaded:
        return again
    return _("describe the set in mtls.toml; then: {command}", command=again)


def for_name(patient: Patient, owner: str, name: str) -> str:
    """What makes the certificate of a server that is for one more name or address."""
    if patient.members.loaded:
        return _(
            "add {name} to its names in mtls.toml; then: {command}",
            name=name,
            command=ours(patient, "apply"),
        )
    if owner == Role.SERVER.value and not patient.members.layered:
        return issued_again(patient, owner, names=(name,))
    option = "--ip" if is_address(name) else "--dns"
    return ours(patient, "server", "add", "NAME", option, name)


def issued_again(patient: Patient, owner: str, *, names: tuple[str, ...] = ()) -> str:
    """The command of the batch file's set that makes an owner's key and certificate anew.

    Args:
        patient: whose set it is.
        owner: `server` or `client`; `all` for everything, with the server's names.
        names: further names and addresses for the server.
    """
    leaf = "client" if owner == "client" else "server"
    try:
        return ours(patient, owner, *_options(patient, leaf, names))
    except MtlsError:  # the file of settings is refused, or a name can't stand on a line
        return ours(patient, owner)


def _options(patient: Patient, leaf: str, names: tuple[str, ...]) -> Iterator[str]:
    """What has to be said so that the new certificate is for the same names as the old."""
    from mtls_openssl.settings import load  # noqa: PLC0415 - where something is to be made again

    old = patient.certificate(leaf)
    config = patient.folder / "mtls.toml"
    modern = old is not None and old.key is not None and old.key.kind == "EC"
    profile = {"profile": "modern"} if modern else {}
    settings = load(
        profile, environ=os.environ, config=config if config.exists() else None
    ).settings
    if modern:
        yield from ("--profile", "modern")
    if old is None or Role(leaf).usage not in _purposes(old):
        for name in names:
            yield from ("--server-ip" if is_address(name) else "--server-dns", name)
        return
    usual = dict(settings.server_subject if leaf == "server" else settings.client_subject)
    for attribute, value in old.subject:
        option = _ATTRIBUTES.get(attribute) or (f"{leaf}-cn" if attribute == "CN" else "")
        if option and usual.get(attribute) != value:
            yield from (f"--{option}", value)
    if leaf == "server":
        more: tuple[list[str], list[str]] = ([], [])
        for name in names:
            more[is_address(name)].append(name)
        wanted = tuple((*new, *had) for new, had in zip(more, alternatives(old), strict=True))
        made = (tuple(settings.server_dns), tuple(map(str, settings.server_ip)))
        for option, ours_, theirs in zip(
            ("--server-dns", "--server-ip"), wanted, made, strict=True
        ):
            if ours_ != theirs:
                yield from (word for value in ours_ for word in (option, value))


def _purposes(certificate: Description) -> tuple[str, ...]:
    return extensions.usages(certificate.extensions.get(extensions.EXTENDED_KEY_USAGE))


def alternatives(certificate: Description) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The DNS names and the IP addresses that a certificate is for (RFC 5280, 4.2.1.6)."""
    found = certificate.extensions.get(extensions.ALTERNATIVE_NAME)
    values = found.values if found else ()
    return (
        tuple(value[4:] for value in values if value.startswith("DNS:")),
        tuple(
            str(ipaddress.ip_address(value.partition(":")[2]))
            for value in values
            if value.startswith("IP Address:")
        ),
    )


def is_address(name: str) -> bool:
    """Whether it is an IP address and not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def clock() -> str:
    """The command that sets this computer's clock by the network."""
    if _WINDOWS:
        return "w32tm /resync"
    return (
        "sudo sntp -sS time.apple.com"
        if sys.platform == "darwin"
        else ("sudo timedatectl set-ntp true")
    )
