"""The commands of the guide: `all`, which is `generate_certs.bat`, and its steps one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl import keytool
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import Leaf, Manifest
from mtls_openssl.openssl import dhparam as dh
from mtls_openssl.openssl import pkcs12, readers, x509
from mtls_openssl.openssl.ca import KEPT
from mtls_openssl.plan import pieces
from mtls_openssl.plan.naming import packed
from mtls_openssl.plan.nouns import Plan
from mtls_openssl.steps import Command, Kind, Render, Step

_GENERATING = {
    "server": _("Generating Server certificate"),
    "client": _("Generating Client certificate"),
}
_MAKING_DH_PARAMETERS = 3600.0
_TRUSTSTORE = (pkcs12.TRUSTSTORE.file, pkcs12.TRUSTSTORE.password_file)


def everything(manifest: Manifest) -> Plan:
    """Appendix A: CA, server, client, verify, PKCS#12."""
    ca_, leaves = ca(manifest), [leaf(manifest, one) for one in manifest.leaves]
    verify_ = verify([one.certificate_file for one in manifest.leaves])
    packings = [
        p12(pieces.bundle(one, packing, manifest))
        for one in manifest.leaves
        for packing in one.packings
    ]
    last = len(leaves) + 2
    scratch = tuple(dict.fromkeys(name for one in leaves for name in one.scratch))
    return Plan(
        name="all",
        stages=(
            *ca_.stages, *(stage for one in leaves for stage in one.stages),
            _("Verifying and packaging"),
        ),
        steps=(
            pieces.configuration(manifest.root),
            *pieces.at(1, ca_.steps),
            *(
                step
                for number, one in enumerate(leaves, start=2)
                for step in pieces.at(number, one.steps)
            ),
            *pieces.at(last, verify_.steps),
            *(step for one in packings for step in pieces.at(last, one.steps)),
        ),
        makes=(
            *ca_.makes,
            *(name for one in leaves for name in one.makes),
            *(name for one in packings for name in one.makes),
        ),
        scratch=scratch,
        # A whole set replaces a whole set: what an earlier one left besides goes to the backup.
        retires=(
            *(name for one in manifest.leaves for name in packed(one.name)), *_TRUSTSTORE, *scratch,
            *KEPT,
        ),
        bundles=tuple(bundle for one in packings for bundle in one.bundles),
    )  # fmt: skip


def ca(manifest: Manifest) -> Plan:
    """Step 2 of the guide: the root CA's key and certificate."""
    root = manifest.root
    return Plan(
        name="ca",
        stages=(_("Generating CA certificate"),),
        steps=(pieces.configuration(root), *pieces.root(root)),
        makes=(root.key_file, root.certificate_file),
        # What an earlier CA issued does not verify against this one.
        retires=(
            *(
                name
                for one in manifest.leaves
                for name in (one.key_file, one.certificate_file, *packed(one.name))
            ),
            *_TRUSTSTORE,
            x509.serial_file(root.name),
            *KEPT,
        ),
    )


def server(manifest: Manifest) -> Plan:
    """Step 3 of the guide: the server's key and certificate."""
    return leaf(manifest, _named(manifest, "server"))


def client(manifest: Manifest) -> Plan:
    """Step 4 of the guide: the client's key and certificate."""
    return leaf(manifest, _named(manifest, "client"))


def leaf(manifest: Manifest, one: Leaf) -> Plan:
    """Step 3 or 4 of the guide for the certificate `one`."""
    return Plan(
        name=one.name,
        stages=(_GENERATING.get(one.name, _("Generating {file}", file=one.certificate_file)),),
        steps=(pieces.configuration(), *pieces.leaf(one, manifest)),
        makes=pieces.makes(one, manifest),
        needs=issuing(manifest),
        scratch=pieces.scratch(one, manifest),
        # What an earlier certificate was packed into.
        retires=packed(one.name),
    )


def issuing(manifest: Manifest) -> tuple[str, ...]:
    """The files that it takes to issue a certificate."""
    issuer, above = manifest.issuer, manifest.intermediate and manifest.root.certificate_file
    return (issuer.key_file, issuer.certificate_file, *((above,) if above else ()))


def verify(certificates: Sequence[str], *, beside: Sequence[str] = (), by: str = "") -> Plan:
    """Step 5.1 of the guide: check each of `certificates` against the CA of the folder.

    Args:
        certificates: names of the files.
        beside: names of further files that the proof looks at.
        by: the file of the intermediate authority that issued them; empty for the root.
    """
    return Plan(
        name="verify",
        stages=(_("Verifying"),),
        steps=(
            pieces.configuration(),
            *(pieces.verified(certificate, by=by) for certificate in certificates),
        ),
        needs=tuple(dict.fromkeys(("ca.crt", *((by,) if by else ()), *certificates, *beside))),
    )


def p12(bundle: pkcs12.Bundle) -> Plan:
    """Step 5.2 of the guide: a key and its chain as PKCS#12; the client's, or the server's."""
    return _pack(bundle, pieces.pack(bundle))


def truststore(bundle: pkcs12.Bundle, java: Path | None) -> Plan:
    """A PKCS#12 file from which Java knows the CA.

    Args:
        bundle: what goes into which file; its name is the alias.
        java: keytool; None to have it made by openssl, from 3.2 on.
    """
    if java:
        argv = keytool.trust(bundle.file, "ca.crt", bundle.name, bundle.reader)
    else:
        protection = readers.arguments(bundle.reader)
        argv = pkcs12.trust(bundle.file, "ca.crt", bundle.name, protection=protection)
    command = Command(
        argv,
        _("pack the CA's certificate as one that Java trusts"),
        Kind.TOOL if java else Kind.GUIDE,
        program=java,
        reads=bundle.needs,
        writes=(bundle.file,),
        secrets=(bundle.variable,),
    )
    return dataclasses.replace(_pack(bundle, command), java=java)


def _pack(bundle: pkcs12.Bundle, command: Command) -> Plan:
    return Plan(
        name="p12" if bundle.owner == pkcs12.CLIENT.owner else f"p12 {bundle.owner}",
        stages=(_("Creating PKCS#12 file"),),
        steps=(pieces.configuration(), command),
        makes=(bundle.file,),
        needs=bundle.needs,
        retires=(bundle.password_file,),
        bundles=(bundle,),
    )


def dhparam(bits: int = 2048, group: str | None = None) -> Plan:
    """Appendix D of the guide: Diffie-Hellman parameters.

    Args:
        bits: the size of the prime to search for.
        group: a group of RFC 7919 to take instead of a search, such as `ffdhe2048`.
    """
    if group:
        purpose: Text = _("the group {group} of RFC 7919, Appendix A", group=group)
        making: Step = Render(f"dhparam/{group}.pem.j2", dh.FILE, purpose)
    else:
        making = Command(
            dh.generate(bits),
            _("search for a safe prime of {bits} bits", bits=bits),
            writes=(dh.FILE,),
            limit=_MAKING_DH_PARAMETERS,
        )
    return Plan(
        name="dhparam",
        stages=(_("Generating DH parameters"),),
        steps=(pieces.configuration(), *pieces.at(1, (making,))),
        makes=(dh.FILE,),
    )


def _named(manifest: Manifest, name: str) -> Leaf:
    found = manifest.leaf(name)
    if found is None:
        raise ValueError(f"the manifest has no {name!r}")
    return found
