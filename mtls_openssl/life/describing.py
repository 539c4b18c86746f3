"""What was asked for a certificate, read from the certificate itself."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping

from mtls_openssl.manifest import Key, Leaf, Packing, Role
from mtls_openssl.openssl import extensions, pkcs12, readers
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.profiles import P12_FOR
from mtls_openssl.proof.certificates import alternatives_of, kind_of

_WHOLE = re.compile(r"[A-Za-z0-9 ._@()-]+")


def leaf_from(
    name: str,
    described: Description,
    files: frozenset[str] = frozenset(),
    content: Callable[[str], bytes] = lambda _file: b"",
) -> Leaf | None:
    """One more of the same: what has to be asked for to get such a certificate again.

    Args:
        name: what its files are called.
        described: what it says.
        files: the names of all files in its folder; none where what it is packed into is of no
            matter.
        content: gives what is in a file of them, so that a PKCS#12 file can be packed for whoever
            reads the one that is there.

    Returns:
        None for a certificate that can't be asked for here: for neither side, or with a kind
        of key that is none of ours.
    """
    usages = extensions.usages(described.extensions.get(extensions.EXTENDED_KEY_USAGE))
    key = kind_of(described)
    both = set(usages) == {role.usage for role in Role} and len(usages) == len(Role)
    roles = [role for role in Role if both or (role.usage,) == usages]
    if not roles or not isinstance(key, Key):
        return None
    usage = described.extensions.get(extensions.KEY_USAGE)
    common_name = dict(described.subject).get("CN", name)
    return Leaf(
        name,
        roles[0],
        described.subject,
        (described.not_after - described.not_before).days,
        key,
        alternatives_of(described),
        f"v3_{name}.ext",
        bool(usage and usage.critical),
        tuple(_packings(name, common_name, files, content)),
        peer=both,
    )


def called_as_now(leaf: Leaf, called: Mapping[str, str]) -> Leaf:
    """A leaf whose PKCS#12 files keep their friendly names, by which Java finds what is in them.

    Args:
        leaf: what is asked for, whose files would be called by its common name.
        called: what openssl prints of the files that are there. Of letters beyond ASCII it prints
            a part, which is no name to go by.
    """
    packings = tuple(
        dataclasses.replace(packing, name=printed)
        if _WHOLE.fullmatch(printed := called.get(packing.file, ""))
        and printed != pkcs12.as_printed(packing.name)
        else packing
        for packing in leaf.packings
    )
    return dataclasses.replace(leaf, packings=packings)


def _packings(
    name: str, common_name: str, files: frozenset[str], content: Callable[[str], bytes]
) -> Iterator[Packing]:
    own = f"{name}.p12"
    if own in files:
        yield Packing(own, common_name, readers.profile_like(content(own)))
    for reader in P12_FOR:
        if (file := f"{name}.{reader}.p12") in files:
            yield Packing(file, common_name, reader)
