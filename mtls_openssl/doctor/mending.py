"""The commands that mend what was found, as they are typed here."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mtls_openssl.doctor.members import CONFIG
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.errors import MtlsError
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.language import _
from mtls_openssl.life import below
from mtls_openssl.life.describing import leaf_from
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Leaf, Role
from mtls_openssl.openssl import extensions
from mtls_openssl.openssl.x509 import Description, Name
from mtls_openssl.plan import CHAIN
from mtls_openssl.proof.certificates import kind_of
from mtls_openssl.scripting import prompt

if TYPE_CHECKING:
    from mtls_openssl.settings import Loaded

_WINDOWS = sys.platform == "win32"
_ATTRIBUTES = {"C": "country", "ST": "state", "L": "city", "O": "org"}
_NAMES = {"DNS": "--dns", "IP": "--ip", "email": "--email", "URI": "--uri"}
_TAKEN_BY_ALL = "P-256"


def ours(patient: Patient, *words: str) -> str:
    """A command of ours for the folder of the set.

    Args:
        patient: whose folder it is.
        words: the command and its options.
    """
    return prompt.ours(patient.folder.absolute(), *words)


def converted(patient: Patient, name: str) -> str:
    """The command that writes a certificate or a key anew, as PEM without a password."""
    plain = ("--no-encryption",) if name.endswith(".key") else ()
    return conversion(patient, name, name, "--to", "pem", *plain, "--force")


def left_alone(patient: Patient, name: str) -> str:
    """The command that leaves the first certificate alone in a file; the backup has what it had."""
    return conversion(patient, name, name, "--only", "certificate", "--force")


def conversion(patient: Patient, source: str, result: str, *options: str) -> str:
    """The command that writes a file of the set from another one."""
    files = path_of(patient, source), path_of(patient, result)
    return prompt.line("python", "-m", "mtls_openssl", "convert", *files, *options)


def path_of(patient: Patient, name: str) -> str:
    """How a file of the set is named in a command."""
    return name if prompt.is_here(patient.folder) else str(patient.folder.absolute() / name)


def swapped(patient: Patient, first: str, second: str) -> str:
    """The command by which two files change places."""
    one, other = path_of(patient, first), path_of(patient, second)
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
        if members.usual and not _has_fleet(patient):  # `all` would leave it without its CA
            return issued_again(patient, "all")
        if owner == INTERMEDIATE and _holds_others(patient):
            owner = ROOT  # else what they have would be good still, and nobody could revoke it
        anew = ours(patient, "apply", "--replace", owner)
        if members.loaded:
            return anew
        return _("describe the set in mtls.toml; then: {command}", command=anew)
    if members.loaded and members.loaded.manifest.leaf(owner):
        return ours(patient, "apply")
    if owner in {role.value for role in Role} and not (members.loaded or members.layered):
        ca_key = patient.files[f"{ROOT}.key"].key
        if ca_key is None or not ca_key.protection:
            return issued_again(patient, owner)
        return _with_pass_phrase(patient, owner)
    return ours(patient, "renew", owner)


def _with_pass_phrase(patient: Patient, owner: str) -> str:
    """What makes a certificate anew where the batch file's commands can't use the key of the CA."""
    key, certificate = f"{owner}.key", f"{owner}.crt"
    if patient.certificate(owner):
        rekey = () if patient.files[key].key else ("--rekey",)
        return ours(patient, "renew", owner, *rekey)
    again = ours(patient, owner, "add", owner)
    files = [name for name in (key, certificate) if patient.files[name].there]
    if not files:
        return again
    return _("move {files} away; then: {command}", files=", ".join(files), command=again)


def _holds_others(patient: Patient) -> bool:
    """Whether there is somebody whom a new authority below the same root could not revoke."""
    loaded, out = patient.members.loaded, patient.lists.revoked
    described = {leaf.name for leaf in loaded.manifest.leaves} if loaded else set()
    others = below.others(patient.folder, list(patient.members.leaves), described, out)
    return bool(_has_fleet(patient) or out or others)


def _has_fleet(patient: Patient) -> bool:
    return bool(patient.fleet or patient.closed)


def certified_again(patient: Patient, owner: str) -> str:
    """What renews an authority below the root, so that all that it has issued stays good."""
    loaded = patient.members.loaded
    if loaded and loaded.manifest.intermediate:
        return ours(patient, "renew", owner)
    return made_again(patient, owner)


def renewed(patient: Patient, owner: str) -> str:
    """The command that makes a certificate last longer, for the key that is there if it can."""
    if patient.members.usual and not _keeps_its_key(patient, owner):
        return made_again(patient, owner)
    # `apply` may find that it is too early yet.
    return ours(patient, "renew", owner)


def _keeps_its_key(patient: Patient, owner: str) -> bool:
    """Whether `renew` can issue another certificate for the key that is there."""
    described, key = patient.certificate(owner), patient.files[f"{owner}.key"].key
    if described is None or key is None or key.protection:
        return False
    wanted = leaf_from(owner, described)
    if (patient.folder / CONFIG).exists():
        try:
            wanted = _loaded(patient).manifest.leaf(owner) or wanted
        except MtlsError:  # nothing is made at all until the file of settings is right
            return False
    return wanted is not None and str(wanted.key) == str(kind_of(described))


def rekeyed(patient: Patient, owner: str) -> str:
    """What gives an owner a key of a kind that everybody takes.

    Args:
        patient: whose set it is.
        owner: what its files are called; its key is of another kind.
    """
    again = made_again(patient, owner)
    if _is_meant(patient, owner):
        return _(
            "set {setting} for {name} in mtls.toml; then: {command}",
            setting=f'key = "{_TAKEN_BY_ALL}"',
            name=owner,
            command=again,
        )
    if again == ours(patient, "renew", owner) and patient.files[f"{owner}.key"].there:
        return _added_again(patient, owner) or again  # a new key of `renew` is of the same kind
    return again


def shortened(patient: Patient, owner: str, longest: int) -> str:
    """What gives an owner a certificate that lasts no longer than that.

    Args:
        patient: whose set it is.
        owner: what its files are called.
        longest: days.
    """
    loaded, again = patient.members.loaded, made_again(patient, owner)
    leaf = loaded.manifest.leaf(owner) if loaded else None
    if leaf is None or leaf.days <= longest:
        return again
    return _(
        "set {setting} for {name} in mtls.toml; then: {command}",
        setting=f"days = {longest}",
        name=owner,
        command=again,
    )


def _is_meant(patient: Patient, owner: str) -> bool:
    """Whether mtls.toml asks for the kind of key that an owner has."""
    described, loaded = patient.certificate(owner), patient.members.loaded
    if described is None or loaded is None:
        return False
    meant = {one.name: one.key for one in loaded.manifest.authorities}
    meant |= {leaf.name: leaf.key for leaf in loaded.manifest.leaves}
    return owner in meant and str(meant[owner]) == str(kind_of(described))


def _added_again(patient: Patient, owner: str) -> str:
    """What makes a certificate like that of an owner, with a new kind of key; empty if none."""
    described, bundles = patient.certificate(owner), frozenset(patient.members.bundles)
    if described is None:
        return ""
    try:
        leaf = leaf_from(owner, described, bundles, lambda file: bytes_of(patient.folder / file))
        if leaf is None:
            return ""
        command = ours(patient, leaf.role.value, "add", owner, *_like(patient, leaf))
    except MtlsError:  # as in `issued_again`
        return ""
    return _(
        "move {files} away; then: {command}",
        files=f"{owner}.key, {owner}.crt",
        command=command,
    )


def _like(patient: Patient, leaf: Leaf) -> Iterator[str]:
    """What `add` has to be told so that a certificate is like another, but for its kind of key."""
    modern = leaf.critical_key_usage
    if modern:
        yield from ("--profile", "modern")
    settings = _loaded(patient, modern=modern).settings
    usual = {**dict(settings.client_subject), "CN": leaf.name if leaf.role is Role.CLIENT else ""}
    yield from ("--key", _TAKEN_BY_ALL)
    yield from _said(leaf.subject, usual, "cn")
    for alternative in leaf.alternatives:
        kind, _colon, name = alternative.partition(":")
        if kind in _NAMES:
            yield from (_NAMES[kind], name)
    yield from ("--days", str(leaf.days))
    for packing in leaf.packings:
        yield from ("--p12", packing.reader or "default")
    if not leaf.packings:
        yield from ("--p12", "none")
    if leaf.peer:
        yield "--peer"


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
    old = patient.certificate(leaf)
    modern = old is not None and old.key is not None and old.key.kind == "EC"
    settings = _loaded(patient, modern=modern).settings
    if modern:
        yield from ("--profile", "modern")
    if old is None or Role(leaf).usage not in _purposes(old):
        for name in names:
            yield from ("--server-ip" if is_address(name) else "--server-dns", name)
        return
    usual = dict(settings.server_subject if leaf == "server" else settings.client_subject)
    yield from _said(old.subject, usual, f"{leaf}-cn")
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


def _said(subject: Name, usual: Mapping[str, str], common_name: str) -> Iterator[str]:
    """The options for what is not as usual in a subject; `common_name` is that of its CN."""
    options = {**_ATTRIBUTES, "CN": common_name}
    for attribute, value in subject:
        if attribute in options and usual.get(attribute) != value:
            yield from (f"--{options[attribute]}", value)


def _loaded(patient: Patient, *, modern: bool = False) -> Loaded:
    """The settings that a command goes by in this folder."""
    from mtls_openssl.settings import load  # noqa: PLC0415 - where something is to be made again

    config = patient.folder / CONFIG
    said = {"profile": "modern"} if modern else {}
    return load(said, environ=os.environ, config=config if config.exists() else None)


def _purposes(certificate: Description) -> tuple[str, ...]:
    return extensions.usages(certificate.extensions.get(extensions.EXTENDED_KEY_USAGE))


def alternatives(certificate: Description) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The DNS names and the IP addresses that a certificate is for (RFC 5280, 4.2.1.6)."""
    found = extensions.alternatives(certificate.extensions.get(extensions.ALTERNATIVE_NAME))
    hosts, addresses = (
        tuple(name.removeprefix(kind) for name in found if name.startswith(kind))
        for kind in ("DNS:", "IP:")
    )
    return hosts, addresses


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
