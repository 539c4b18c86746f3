"""What there is of a set: each file of it held against what is wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.desk import Desk
from mtls_openssl.errors import CommandFailedError, FolderUnavailableError, system_said
from mtls_openssl.inspection.files import is_encrypted
from mtls_openssl.inventory import clients
from mtls_openssl.language import _
from mtls_openssl.life import below
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Authority, Key, Manifest
from mtls_openssl.openssl import ca, x509
from mtls_openssl.openssl.x509 import Description, Name
from mtls_openssl.plan import CHAIN, chain_of, pieces
from mtls_openssl.plan.naming import Names, owner_of
from mtls_openssl.proof import Check, Proof
from mtls_openssl.steps import Command, Ending, Kind, Outcome

_DAYS_OF_AN_INTERMEDIATE = 1825


@dataclasses.dataclass(frozen=True)
class Condition:
    """What there is.

    Args:
        folder: the folder of the set.
        files: the names of all files in the folder.
        checks: what was found of each file that is wanted.
        certificates: what each certificate says, by the name of its file.
        stale: the chain files that are missing, or do not hold what they should.
        unopened: the PKCS#12 files whose password is not known.
        revoked: the files of the certificates that the register calls revoked.
        called: the friendly name in each PKCS#12 file that was opened, as openssl prints it.
        issuing: the name of the intermediate authority that there is or was; empty if none is
            known.
        fleet: how many clients of a fleet there are.
        barred: how many certificates are revoked and would not have ended.
        others: whose certificates the authority has issued that mtls.toml does not describe.
    """

    folder: Path
    files: frozenset[str]
    checks: tuple[Check, ...]
    certificates: Mapping[str, Description]
    stale: frozenset[str] = frozenset()
    unopened: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    called: Mapping[str, str] = dataclasses.field(default_factory=dict)
    issuing: Name = ()
    fleet: int = 0
    barred: int = 0
    others: tuple[str, ...] = ()

    def faults(self, file: str) -> tuple[str, ...]:
        """What is not as wanted about a file, a sentence each."""
        return tuple(
            _("{fault} (wanted: {claim})", fault=check.fault, claim=check.claim)
            for check in self.checks
            if check.subject == file and check.fault
        )


def with_authorities(manifest: Manifest, folder: Path, *, described: bool) -> Manifest:
    """A manifest that knows which authorities are in the folder, and whose keys are encrypted.

    Args:
        manifest: what is wanted.
        folder: the folder of the set.
        described: whether the file of settings says which authorities there are; else those that
            are in the folder count.
    """
    middle = manifest.intermediate
    if middle is None and not described and (folder / f"{INTERMEDIATE}.crt").is_file():
        middle = Authority(INTERMEDIATE, (), _DAYS_OF_AN_INTERMEDIATE, Key("RSA", bits=2048))
    return dataclasses.replace(
        manifest,
        root=_as_it_is(manifest.root, folder),
        intermediate=_as_it_is(middle, folder) if middle else None,
    )


def _as_it_is(authority: Authority, folder: Path) -> Authority:
    key = folder / authority.key_file
    if not key.is_file():
        return authority
    return dataclasses.replace(authority, encrypted=is_encrypted(key))


def examine(
    desk: Desk,
    folder: Path,
    manifest: Manifest,
    passwords: Mapping[str, str],
    described: Collection[str],
) -> Condition:
    """Look at each file of a set that is wanted.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        manifest: what is wanted.
        passwords: of the PKCS#12 files, by their names, as far as they are known.
        described: the names of the certificates that mtls.toml describes.

    Raises:
        CommandFailedError: openssl could not be asked.
        FolderUnavailableError: the folder can't be looked into, or its register can't be read.
    """
    files, entries = files_in(folder), register.entries(folder)
    gone = {one.serial: one for one in entries if one.status is ca.Status.REVOKED}
    leaves, now = leaves_there(files), datetime.now(UTC)
    bundles = [
        pieces.bundle(leaf, packing, manifest)
        for leaf in manifest.leaves
        for packing in leaf.packings
        if packing.file in files
    ]
    opened = [bundle for bundle in bundles if bundle.file in passwords]
    proof = Proof(tuple(_wanted(manifest, files)), manifest, tuple(opened))
    secrets = {bundle.variable: passwords[bundle.file] for bundle in opened}
    outcomes = [_asked(desk, command, folder, secrets) for command in proof.commands]
    certificates = dict(_certificates(outcomes))
    return Condition(
        folder,
        files,
        proof.judge(outcomes, folder),
        certificates,
        frozenset(
            stale_chains(folder, files, [leaf.name for leaf in manifest.leaves])
            if manifest.intermediate
            else ()
        ),
        frozenset(bundle.file for bundle in bundles if bundle not in opened),
        frozenset(file for file, one in certificates.items() if ca.plain(one.serial) in gone),
        {file: one.names[0] for file, one in proof.packed(outcomes).items() if one.names},
        below.issuing(folder, leaves),
        _fleet(folder),
        sum(one.expires > now for one in gone.values()),
        below.others(folder, leaves, described, gone),
    )


def _fleet(folder: Path) -> int:
    try:
        return len(clients.names(folder))
    except OSError:
        return 0  # whoever needs the fleet says what is the matter


def files_in(folder: Path) -> frozenset[str]:
    """The names of all files in a folder, which may not be there yet.

    Raises:
        FolderUnavailableError: nobody lets us look into it.
    """
    try:
        if not folder.is_dir():
            return frozenset()
        return frozenset(path.name for path in folder.iterdir() if _is_file(path))
    except OSError as error:
        raise FolderUnavailableError(
            _("{folder} can't be looked into: {why}", folder=folder, why=system_said(error)),
            fix=_("run the command as the user who owns the folder"),
        ) from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        # A link to where we may not look, as to a key of Let's Encrypt: whoever reads it tells.
        return path.is_symlink()


def read(desk: Desk, folder: Path, file: str) -> Description | None:
    """What one certificate of the folder says; None if it can't be read."""
    command = Command(
        x509.inspect(file), _("read {file}", file=file), Kind.LOOK, reads=(file,), verdict=True
    )
    return dict(_certificates([_asked(desk, command, folder, {})])).get(file)


def _wanted(manifest: Manifest, files: frozenset[str]) -> list[str]:
    # The key of an authority is looked at when it is used, and may be kept elsewhere.
    names = [authority.certificate_file for authority in manifest.authorities]
    names += [file for leaf in manifest.leaves for file in (leaf.certificate_file, leaf.key_file)]
    return [name for name in names if name in files]


def _asked(desk: Desk, command: Command, folder: Path, secrets: Mapping[str, str]) -> Outcome:
    known = {name: secrets[name] for name in command.secrets}
    outcome = desk.ask(dataclasses.replace(command, kind=Kind.LOOK), folder=folder, secrets=known)
    if outcome.finished.ending is not Ending.EXITED:
        raise CommandFailedError(
            _(
                "openssl {command} ({purpose}) {problem}.",
                command=command.argv[0],
                purpose=command.purpose,
                problem=outcome.problem,
            ),
            fix=_("look at what this openssl is: python -m mtls_openssl locate"),
        )
    return outcome


def _certificates(outcomes: list[Outcome]) -> list[tuple[str, Description]]:
    found = []
    for outcome in outcomes:
        (file, *more) = outcome.command.reads
        if more or outcome.command.argv != x509.inspect(file):
            continue
        try:
            found.append((file, x509.parse_text(outcome.finished.stdout)))
        except ValueError:
            continue  # a fault of its own says so
    return found


def stale_chains(folder: Path, files: frozenset[str], names: Sequence[str]) -> list[str]:
    """The chain files that are missing, or do not hold what they should.

    Args:
        folder: the folder of a set with an intermediate authority.
        files: the names of all files in it.
        names: of the certificates that have such a file each.
    """
    middle = f"{INTERMEDIATE}.crt"
    wanted = {CHAIN: (middle, f"{ROOT}.crt")}
    wanted |= {chain_of(name): (f"{name}.crt", middle) for name in names}
    return [
        file
        for file, parts in wanted.items()
        if not {file, *parts} <= files
        or _text(folder, file) != "".join(_text(folder, part) for part in parts)
    ]


def _text(folder: Path, file: str) -> str:
    return (folder / file).read_text("ascii", "replace")


def as_spelt(folder: Path, name: str) -> str:
    """What a certificate of a folder is called that is named whatever its upper and lower case.

    Args:
        folder: the folder of the set.
        name: as it was typed.

    Returns:
        Its name; what was typed, where there is none.

    Raises:
        FolderUnavailableError: nobody lets us look into it.
    """
    return Names(leaves_there(files_in(folder))).spelt(name) or name


def leaves_there(files: frozenset[str]) -> list[str]:
    """The names of the certificates in a folder that are no authority's, by their files."""
    return sorted(
        owner_of(file)
        for file in files
        if file.endswith(".crt")
        and not file.endswith(CHAIN)
        and owner_of(file) not in {ROOT, INTERMEDIATE}
    )
