"""The commands that make a batch of clients, and that prove it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mtls_openssl.language import _
from mtls_openssl.manifest import Authority, Leaf, Manifest, Packing, Role
from mtls_openssl.openssl import ca, pkcs12, pkey, readers, req, verify
from mtls_openssl.plan import CHAIN, chain_of
from mtls_openssl.proof import bundles
from mtls_openssl.steps import Command, Kind, Render
from mtls_openssl.workspace.commit import CLIENTS

NEW = "issued"
INDEX = "issued.txt"
ALL = "issued.pem"
"""What `openssl ca` reads and writes for one batch; all of it is gone at its end."""

_MAKING_A_KEY = 600.0
_SIGNING = 600.0


def place(leaf: Leaf) -> str:
    """The folder of a client, as its commands name it."""
    return f"{CLIENTS}/{leaf.name}"


def key(leaf: Leaf) -> str:
    """The file of its key."""
    return f"{place(leaf)}/{leaf.key_file}"


def certificate(leaf: Leaf) -> str:
    """The file of its certificate."""
    return f"{place(leaf)}/{leaf.certificate_file}"


def chain(leaf: Leaf) -> str:
    """The file of its certificate and of the intermediate authority's."""
    return f"{place(leaf)}/{chain_of(leaf.name)}"


def config_of(leaf: Leaf) -> str:
    """The configuration by which `openssl ca` signs the request of a client."""
    return "fleet_critical.cnf" if leaf.critical_key_usage else "fleet.cnf"


def configuration(manifest: Manifest, leaf: Leaf) -> Render:
    """The configuration by which requests are signed like that of a client."""
    issuer = manifest.issuer
    values = {
        "index": INDEX,
        "certificate": issuer.certificate_file,
        "key": issuer.key_file,
        "new": NEW,
        "critical_key_usage": leaf.critical_key_usage,
        "san": "",
        "names": [],
        "crl_url": manifest.crl_url,
        "ocsp_url": manifest.ocsp_url,
    }
    what = _("how openssl signs many requests")
    return Render("openssl/fleet.cnf.j2", config_of(leaf), what, values)


def request(leaf: Leaf) -> Command:
    """The command that makes a client's key, and the request for its certificate."""
    return Command(
        req.with_new_key(
            key(leaf), leaf.request_file, leaf.subject, leaf.key, leaf.alternatives
        ),
        _("make the private key {file}, and its request", file=leaf.key_file),
        writes=(key(leaf), leaf.request_file),
        limit=_MAKING_A_KEY,
    )  # fmt: skip


def request_again(leaf: Leaf) -> Command:
    """The command that makes the request for a client whose key is there."""
    return Command(
        req.request(key(leaf), leaf.request_file, leaf.subject, leaf.alternatives),
        _("make a request with the private key {file}", file=leaf.key_file),
        reads=(key(leaf),),
        writes=(leaf.request_file,),
    )


def sign(leaves: Sequence[Leaf], issuer: Authority) -> Command:
    """The command that signs the requests of clients that are alike, and last equally long."""
    config = config_of(leaves[0])
    requests = tuple(leaf.request_file for leaf in leaves)
    secret = pkey.unlocking(issuer.passphrase_variable)
    return Command(
        ca.issue(requests, leaves[0].days, config, *secret, out=ALL),
        _("issue {count} certificate{count:|s}", count=len(leaves)),
        reads=(*requests, config, issuer.certificate_file, issuer.key_file),
        writes=(ALL,),
        secrets=(issuer.passphrase_variable,) if issuer.encrypted else (),
        limit=_SIGNING,
    )


def verified(leaves: Sequence[Leaf], manifest: Manifest) -> Command:
    """The command that proves the chains of many certificates."""
    files = tuple(map(certificate, leaves))
    above = manifest.intermediate.certificate_file if manifest.intermediate else ""
    return Command(
        verify.strict_each(files, "-purpose", Role.CLIENT.purpose, by=above),
        _(
            "prove {count} certificate{count:|s} to the strictest validators (RFC 5280)",
            count=len(files),
        ),
        Kind.PROOF,
        reads=tuple(filter(None, ("ca.crt", above, *files))),
        verdict=True,
    )


def public_half(leaf: Leaf) -> Command:
    """The command that reads the public half of a key that does not tell it by itself."""
    return Command(
        pkey.public_key(key(leaf)),
        _("prove that {key} and {file} belong together", key=leaf.key_file,
          file=leaf.certificate_file),
        Kind.PROOF,
        reads=(key(leaf),),
        verdict=True,
    )  # fmt: skip


def bundle(leaf: Leaf, packing: Packing, manifest: Manifest) -> pkcs12.Bundle:
    """What goes into a PKCS#12 file of a client: its key, and the whole chain."""
    above = CHAIN if manifest.intermediate else manifest.root.certificate_file
    stem = packing.file.removesuffix(".p12")
    return pkcs12.Bundle(
        leaf.name,
        (certificate(leaf), above),
        key(leaf),
        packing.name,
        packing.reader,
        f"{place(leaf)}/{stem}",
    )


def pack(one: pkcs12.Bundle) -> tuple[Command, ...]:
    """The command that packs a PKCS#12 file, and the one that opens it again."""
    first, *above = one.certificates
    packing = Command(
        pkcs12.export(
            one.file, str(one.key), first, one.name, chain=above,
            protection=readers.arguments(one.reader), variable=one.variable,
        ),
        _("pack key and chain as {file}", file=one.file),
        reads=one.needs,
        writes=(one.file,),
        secrets=(one.variable,),
    )  # fmt: skip
    return (packing, *bundles.commands([one], None))
