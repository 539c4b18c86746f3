"""What a later change of a set does: some of its certificates, and all else as it is."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _
from mtls_openssl.manifest import INTERMEDIATE, Leaf, Manifest, Packing
from mtls_openssl.openssl import ca, pkcs12, x509
from mtls_openssl.plan import pieces
from mtls_openssl.plan.drop_in import issuing
from mtls_openssl.plan.naming import CHAIN, chain_of, packed
from mtls_openssl.plan.nouns import Plan
from mtls_openssl.steps import Step


class Halves(enum.Flag):
    """What is made of an authority."""

    NEITHER = 0
    CERTIFICATE = enum.auto()
    KEY = enum.auto()
    BOTH = CERTIFICATE | KEY


@dataclass(frozen=True)
class Work:
    """What is to be done for one certificate.

    Args:
        leaf: which one.
        issue: whether it is issued, for the first time or again.
        new_key: whether it gets a new key.
        join: whether the file with who issued it is written.
        packings: the PKCS#12 files to be made.
    """

    leaf: Leaf
    issue: bool = True
    new_key: bool = True
    join: bool = True
    packings: tuple[Packing, ...] = ()


def selected(
    name: str,
    manifest: Manifest,
    work: Sequence[Work],
    *,
    root: bool = False,
    intermediate: Halves = Halves.NEITHER,
    join: bool = False,
) -> Plan:
    """The plan of a change.

    Args:
        name: the command of ours that it belongs to.
        manifest: the whole set.
        work: what is to be done for each certificate that does not stay as it is.
        root: whether the root is made.
        intermediate: what is made of the intermediate authority.
        join: whether the chain of the authorities is written, where they stay.
    """
    stages = list(_stages(manifest, work, root=root, intermediate=intermediate, join=join))
    numbered = (pieces.at(number, steps) for number, (_title, steps) in enumerate(stages, start=1))
    bundles = tuple(
        pieces.bundle(one.leaf, packing, manifest) for one in work for packing in one.packings
    )
    makes = tuple(_makes(manifest, work, root=root, intermediate=intermediate, join=join))
    issued = [one for one in work if one.issue]
    keys = tuple(one.leaf.key_file for one in issued if not one.new_key)
    scratch = [file for one in issued for file in pieces.scratch(one.leaf, manifest)]
    if intermediate:
        scratch += pieces.scratch_of_intermediate(manifest)
    return Plan(
        name=name,
        stages=tuple(title for title, _steps in stages),
        steps=(
            pieces.configuration(manifest.root if root else None),
            *(step for steps in numbered for step in steps),
        ),
        makes=(*makes, *(bundle.file for bundle in bundles)),
        needs=tuple(_needs(manifest, work, bundles, makes, intermediate=intermediate)),
        beside=keys,
        scratch=tuple(dict.fromkeys(scratch)),
        retires=tuple(
            dict.fromkeys(_retires(manifest, work, root=root, intermediate=intermediate))
        ),
        bundles=bundles,
    )


_Stage = tuple[str, tuple[Step, ...]]


def _stages(
    manifest: Manifest, work: Sequence[Work], *, root: bool, intermediate: Halves, join: bool
) -> Iterator[_Stage]:
    steps: tuple[Step, ...]
    if root:
        yield _("Generating CA certificate"), pieces.root(manifest.root)
    if Halves.KEY in intermediate:
        yield _("Generating the intermediate authority"), pieces.intermediate(manifest)
    elif intermediate:
        steps = pieces.intermediate(manifest, new_key=False)
        yield _("Renewing the intermediate authority's certificate"), steps
    elif join or (root and manifest.intermediate):
        yield _("Writing the chain"), (pieces.chain(manifest),)
    by = manifest.intermediate.certificate_file if manifest.intermediate else ""
    for one in work:
        steps = ()
        if one.issue:
            steps = (
                *pieces.leaf(one.leaf, manifest, new_key=one.new_key),
                pieces.verified(one.leaf.certificate_file, by=by),
            )
        elif one.join and manifest.intermediate:
            steps = (pieces.chained(one.leaf, manifest.intermediate),)
        packs = (
            pieces.pack(pieces.bundle(one.leaf, packing, manifest)) for packing in one.packings
        )
        yield _("Generating {file}", file=one.leaf.certificate_file), (*steps, *packs)


def _makes(
    manifest: Manifest, work: Sequence[Work], *, root: bool, intermediate: Halves, join: bool
) -> Iterator[str]:
    if root:
        yield from (manifest.root.key_file, manifest.root.certificate_file)
    if Halves.KEY in intermediate:
        yield f"{INTERMEDIATE}.key"
    if intermediate:
        yield f"{INTERMEDIATE}.crt"
    if manifest.intermediate and (root or intermediate or join):
        yield CHAIN
    for one in work:
        if one.issue:
            yield from pieces.makes(one.leaf, manifest, new_key=one.new_key)
        elif one.join and manifest.intermediate:
            yield chain_of(one.leaf.name)


def _needs(
    manifest: Manifest,
    work: Sequence[Work],
    bundles: Sequence[pkcs12.Bundle],
    makes: Sequence[str],
    *,
    intermediate: Halves,
) -> Iterator[str]:
    wanted = [authority.certificate_file for authority in manifest.authorities]
    if any(one.issue for one in work):
        wanted += issuing(manifest)
    if intermediate:
        wanted += [manifest.root.key_file, manifest.root.certificate_file, f"{INTERMEDIATE}.key"]
    wanted += [one.leaf.key_file for one in work if one.issue and not one.new_key]
    wanted += [one.leaf.certificate_file for one in work if not one.issue]
    wanted += [file for bundle in bundles for file in bundle.needs]
    yield from (file for file in dict.fromkeys(wanted) if file not in makes)


def _retires(
    manifest: Manifest, work: Sequence[Work], *, root: bool, intermediate: Halves
) -> Iterator[str]:
    for one in work:
        if one.issue:
            # What an earlier certificate was packed into.
            yield from packed(one.leaf.name)
            if manifest.intermediate is None:
                yield chain_of(one.leaf.name)
        for packing in one.packings:
            yield packing.password_file
    if root or Halves.KEY in intermediate:
        yield from (pkcs12.TRUSTSTORE.file, pkcs12.TRUSTSTORE.password_file)
        yield x509.serial_file(manifest.root.name)
        # The register and the CRLs are those of the old authority, all but the root's own list.
        yield from (name for name in ca.KEPT if root or name != ca.ROOT_CRL)
