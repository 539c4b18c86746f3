"""Which files of a folder make up the set, and what each certificate is for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mtls_openssl.errors import MtlsError
from mtls_openssl.inspection.objections import is_ca
from mtls_openssl.life.condition import files_in, leaves_there, stale_chains
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Role
from mtls_openssl.openssl import extensions
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.plan import packed

if TYPE_CHECKING:
    from mtls_openssl.settings import Loaded

CONFIG = "mtls.toml"

Describe = Callable[[str], Description | None]
"""Gives what a certificate of the folder says; None if it can't be read."""


@dataclasses.dataclass(frozen=True)
class Members:
    """The files of a set.

    Args:
        authorities: what the files of each authority are called, the root first.
        leaves: which side each other certificate is for, by what its files are called; None if
            it is for neither alone.
        bundles: whose each PKCS#12 file is, by its name.
        stale: the chain files that are missing, or do not hold what they should.
        barred: a file of a chain that may not be read, so that of none it is known; empty if all
            may.
        loaded: what mtls.toml says, where it describes the whole set; None if it does not.
        refusal: why mtls.toml is refused; None if it is not.
    """

    authorities: tuple[str, ...]
    leaves: Mapping[str, Role | None]
    bundles: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stale: tuple[str, ...] = ()
    barred: str = ""
    loaded: Loaded | None = None
    refusal: MtlsError | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        """Everybody who has a certificate, who issues before what was issued."""
        return (*self.authorities, *self.leaves)

    @property
    def halves(self) -> tuple[str, ...]:
        """The names of all certificates and keys, those that are missing too."""
        return tuple(f"{owner}.{half}" for owner in self.owners for half in ("crt", "key"))

    @property
    def layered(self) -> bool:
        """Whether an intermediate authority issues."""
        return INTERMEDIATE in self.authorities

    def keeps_key(self, owner: str) -> bool:
        """Whether the key of a leaf must be here: that of a request of others never was."""
        described = self.loaded is not None and self.loaded.manifest.leaf(owner) is not None
        return described or owner in {role.value for role in Role}

    @property
    def usual(self) -> bool:
        """Whether the batch file's own commands can make it anew."""
        usual = {role.value for role in Role}
        return self.loaded is None and not self.layered and set(self.leaves) <= usual


def gather(folder: Path, describe: Describe) -> Members:
    """Find the files of a set.

    Args:
        folder: its folder.
        describe: gives what a certificate says.
    """
    loaded, refusal = _described(folder)
    there = files_in(folder)
    middle = f"{INTERMEDIATE}.crt" in there or f"{INTERMEDIATE}.key" in there
    if loaded and loaded.manifest.intermediate:
        middle = True
    authorities = (ROOT, INTERMEDIATE) if middle else (ROOT,)
    leaves = dict(_leaves(there, authorities, loaded, describe))
    bundles = {name for name in there if name.endswith(".p12")}
    names = [name for name in leaves if {f"{name}.crt", f"{name}.key"} <= there]
    stale, barred = list[str](), ""
    try:
        if f"{INTERMEDIATE}.crt" in there:
            stale = stale_chains(folder, there, names)
    except PermissionError as error:
        barred = Path(error.filename).name
    return Members(
        authorities,
        leaves,
        {file: name for name in leaves for file in packed(name) if file in bundles},
        tuple(stale),
        barred,
        loaded,
        refusal,
    )


def _described(folder: Path) -> tuple[Loaded | None, MtlsError | None]:
    config = folder / CONFIG
    if CONFIG not in files_in(folder):
        return None, None
    from mtls_openssl.settings import load  # noqa: PLC0415 - where there is something to load

    try:
        loaded = load({}, environ={}, config=config)
    except MtlsError as error:
        return None, error
    return (loaded if loaded.tables else None), None


def _leaves(
    there: frozenset[str],
    authorities: tuple[str, ...],
    loaded: Loaded | None,
    describe: Describe,
) -> list[tuple[str, Role | None]]:
    usual = {role.value: role for role in Role}
    wanted = {leaf.name: leaf.role for leaf in loaded.manifest.leaves} if loaded else {}
    found: dict[str, Role | None] = {
        name: role
        for name, role in {**usual, **wanted}.items()
        if {f"{name}.crt", f"{name}.key"} & there
    }
    above = [one for name in authorities if (one := describe(f"{name}.crt"))]
    for name in leaves_there(there):
        described = describe(f"{name}.crt")
        if name in found or (described and is_ca(described)):
            continue
        # What others have issued is none of the set's, unless its key is here.
        if f"{name}.key" in there or (described and any(_is_by(described, one) for one in above)):
            found[name] = _role(described)
    if loaded is None:
        lacking = {name: role for name, role in usual.items() if role not in found.values()}
        found |= lacking
    first = [name for name in usual if name in found]
    return [(name, found[name]) for name in dict.fromkeys([*first, *sorted(found)])]


def _is_by(described: Description, authority: Description) -> bool:
    """Whether a certificate says that an authority has issued it, by name and by key."""
    key = extensions.key_identifier(described.extensions.get(extensions.AUTHORITY_KEY_IDENTIFIER))
    own = extensions.key_identifier(authority.extensions.get(extensions.SUBJECT_KEY_IDENTIFIER))
    return described.issuer == authority.subject and (not key or not own or key == own)


def _role(described: Description | None) -> Role | None:
    if described is None:
        return None
    usages = extensions.usages(described.extensions.get(extensions.EXTENDED_KEY_USAGE))
    return next((role for role in Role if usages == (role.usage,)), None)
