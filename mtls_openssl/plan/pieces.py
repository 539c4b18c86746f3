"""How one thing of a set is made: an authority, a certificate, a PKCS#12 file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mtls_openssl.language import _
from mtls_openssl.manifest import INTERMEDIATE, Authority, Key, Leaf, Manifest, Packing, Role
from mtls_openssl.openssl import genpkey, genrsa, pkcs12, readers, req, verify, x509
from mtls_openssl.plan.naming import CHAIN, CONFIG, chain_of
from mtls_openssl.steps import Command, Join, Render, Step

_MAKING_A_KEY = 600.0
_OWNERS = {"ca": _("CA"), "server": _("server"), "client": _("client")}
_INTERMEDIATE_EXT = "v3_intermediate.ext"


def configuration(root: Authority | None = None) -> Render:
    """What openssl reads.

    Args:
        root: the root whose certificate the run makes, if it makes one.
    """
    purpose = _("the configuration that openssl reads")
    if root is None or (root.path_length is None and not root.permitted and not root.excluded):
        return Render("openssl/openssl.cnf.j2", CONFIG, purpose)
    return Render("openssl/openssl_root.cnf.j2", CONFIG, purpose, _limits(root))


def root(authority: Authority) -> tuple[Step, ...]:
    """Step 2 of the guide: the root's key, and its certificate signed with it."""
    key, certificate = authority.key_file, authority.certificate_file
    secrets = _secrets(authority)
    argv = req.self_sign(
        key, certificate, authority.subject, authority.days,
        passphrase=authority.passphrase_variable,
    )  # fmt: skip
    purpose = _("sign the CA's certificate with its own key")
    return (
        private_key(authority.name, authority.key, authority.passphrase_variable),
        Command(argv, purpose, reads=(key,), writes=(certificate,), secrets=secrets),
    )


def intermediate(manifest: Manifest, *, new_key: bool = True) -> tuple[Step, ...]:
    """The intermediate authority's key, its certificate by the root, and the chain of both.

    Args:
        manifest: the authorities.
        new_key: whether it gets a key; else the one that is there.
    """
    one, above = manifest.intermediate, manifest.root
    if one is None:
        return ()
    csr = f"{one.name}.csr"
    extensions = Render(
        "openssl/v3_intermediate.ext.j2",
        _INTERMEDIATE_EXT,
        _("the intermediate authority's extensions"),
        _limits(one),
    )
    return (
        *((private_key(one.name, one.key, one.passphrase_variable),) if new_key else ()),
        Command(
            req.request(one.key_file, csr, one.subject, passphrase=one.passphrase_variable),
            _("make the intermediate authority's certificate signing request"),
            reads=(one.key_file,),
            writes=(csr,),
            secrets=_secrets(one),
        ),
        extensions,
        _issue(csr, one.certificate_file, extensions.name, one.days, above),
        chain(manifest),
    )


def chain(manifest: Manifest) -> Join:
    """The intermediate authority's certificate and the root's, in one file."""
    parts = tuple(authority.certificate_file for authority in reversed(manifest.authorities))
    return Join(parts, CHAIN, _("the chain up to the root"))


def leaf(leaf: Leaf, manifest: Manifest, *, new_key: bool = True) -> tuple[Step, ...]:
    """Steps 3 and 4 of the guide: the key, the request, and the certificate of one leaf.

    Args:
        leaf: what is asked for.
        manifest: whose authorities issue it.
        new_key: whether it gets a key; else the one that is there.
    """
    purpose = _("make the certificate signing request {file}", file=leaf.request_file)
    if leaf.name in _OWNERS:
        purpose = _("make the {owner}'s certificate signing request", owner=_OWNERS[leaf.name])
    return (
        *((private_key(leaf.name, leaf.key),) if new_key else ()),
        Command(
            req.request(leaf.key_file, leaf.request_file, leaf.subject),
            purpose,
            reads=(leaf.key_file,),
            writes=(leaf.request_file,),
        ),
        *issued(leaf, manifest, leaf.request_file),
    )


def issued(leaf: Leaf, manifest: Manifest, csr: str, *, public_key: str = "") -> tuple[Step, ...]:
    """The extensions of one leaf, its certificate, and the file with who issued it.

    Args:
        leaf: what is asked for.
        manifest: whose authorities issue it.
        csr: the file of the request.
        public_key: the file of the public key that is certified; empty for the request's own.
    """
    extensions, above = _extensions(leaf, manifest), manifest.intermediate
    issue = _issue(
        csr, leaf.certificate_file, extensions.name, leaf.days, manifest.issuer,
        public_key=public_key,
    )  # fmt: skip
    return (extensions, issue, *((chained(leaf, above),) if above else ()))


def chained(leaf: Leaf, issuer: Authority) -> Join:
    """The certificate of a leaf and that of the intermediate authority, in one file."""
    parts = (leaf.certificate_file, issuer.certificate_file)
    purpose = _("{file} and who issued it, as servers send them", file=leaf.certificate_file)
    return Join(parts, chain_of(leaf.name), purpose)


def makes(leaf: Leaf, manifest: Manifest, *, new_key: bool = True) -> tuple[str, ...]:
    """The files that `leaf` leaves."""
    chained = (chain_of(leaf.name),) if manifest.intermediate else ()
    return (*((leaf.key_file,) if new_key else ()), leaf.certificate_file, *chained)


def scratch(leaf: Leaf, manifest: Manifest) -> tuple[str, ...]:
    """The files that `leaf` makes besides."""
    return (leaf.request_file, x509.serial_file(manifest.issuer.name), leaf.extensions)


def scratch_of_intermediate(manifest: Manifest) -> tuple[str, ...]:
    """The files that the making of the intermediate authority makes besides."""
    request = f"{INTERMEDIATE}.csr"
    return (request, x509.serial_file(manifest.root.name), _INTERMEDIATE_EXT)


def verified(certificate: str, *, by: str = "") -> Command:
    """Step 5.1 of the guide: check a certificate against the CA.

    Args:
        certificate: the file.
        by: the file of the intermediate authority that issued it; empty for the root.
    """
    return Command(
        verify.chain(certificate, by=by),
        _("check that the CA issued {file}", file=certificate),
        reads=tuple(filter(None, ("ca.crt", by, certificate))),
        verdict=True,
    )


def bundle(leaf: Leaf, packing: Packing, manifest: Manifest) -> pkcs12.Bundle:
    """What goes into a PKCS#12 file of a leaf.

    A client's holds the whole chain; a server's no root: Windows would put it beside the
    certificate, where no root belongs.
    """
    above = manifest.intermediate.certificate_file if manifest.intermediate else ""
    if leaf.role is Role.CLIENT:
        above = CHAIN if above else manifest.root.certificate_file
    return pkcs12.Bundle(
        leaf.name,
        tuple(filter(None, (leaf.certificate_file, above))),
        leaf.key_file,
        packing.name,
        packing.reader,
        packing.file.removesuffix(".p12"),
        variable_of(packing.file),
    )


def variable_of(p12: str) -> str:
    """The environment variable with the password of a PKCS#12 file.

    That of `client.p12` is the one that everyone knows; each other file has its own.
    """
    stem = p12.removesuffix(".p12")
    if stem == "client":
        return pkcs12.PASSWORD_VARIABLE
    letters = (letter if letter.isalnum() else "_" for letter in stem.upper())
    return f"{pkcs12.PASSWORD_VARIABLE}_{''.join(letters)}"


def pack(bundle: pkcs12.Bundle) -> Command:
    """Step 5.2 of the guide: a key and its chain as PKCS#12."""
    certificate, *above = bundle.certificates
    argv = pkcs12.export(
        bundle.file, str(bundle.key), certificate, bundle.name, chain=above,
        protection=readers.arguments(bundle.reader), variable=bundle.variable,
    )  # fmt: skip
    purpose = _("pack key and chain as {file}", file=bundle.file)
    if bundle.owner in _OWNERS:
        purpose = _("pack the {owner}'s key and chain as PKCS#12", owner=_OWNERS[bundle.owner])
    return Command(
        argv, purpose, reads=bundle.needs, writes=(bundle.file,), secrets=(bundle.variable,)
    )


def at(stage: int, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps without the configuration, which a run needs once, under the stage `stage`."""
    return tuple(
        dataclasses.replace(step, stage=stage) if isinstance(step, Command) else step
        for step in steps
        if not (isinstance(step, Render) and step.name == CONFIG)
    )


def private_key(owner: str, kind: Key, passphrase: str = "") -> Command:
    """A private key.

    Args:
        owner: what its file is called before the dot.
        kind: which kind of key.
        passphrase: the environment variable with its pass phrase; empty for a key without.
    """
    file = f"{owner}.key"
    argv = genpkey.generate(file, kind, passphrase=passphrase)
    if kind.algorithm == "RSA" and not passphrase:
        argv = genrsa.generate(file, kind.bits)
    purpose = _("make the private key {file}", file=file)
    if owner in _OWNERS:
        purpose = _("make the {owner}'s private key", owner=_OWNERS[owner])
    secrets = (passphrase,) if passphrase else ()
    return Command(argv, purpose, writes=(file,), secrets=secrets, limit=_MAKING_A_KEY)


def _issue(
    csr: str, certificate: str, extensions: str, days: int, issuer: Authority, *,
    public_key: str = "",
) -> Command:  # fmt: skip
    purpose = _("issue the certificate {file}", file=certificate)
    owner = certificate.removesuffix(".crt")
    if owner in _OWNERS:
        purpose = _("issue the {owner}'s certificate", owner=_OWNERS[owner])
    return Command(
        x509.sign(
            csr, certificate, extensions, days,
            issuer=issuer.name, passphrase=issuer.passphrase_variable, public_key=public_key,
        ),
        purpose,
        reads=tuple(
            filter(
                None, (csr, public_key, issuer.certificate_file, issuer.key_file, extensions)
            )
        ),
        writes=(certificate,),
        updates=(x509.serial_file(issuer.name),),
        secrets=_secrets(issuer),
    )  # fmt: skip


def _extensions(leaf: Leaf, manifest: Manifest) -> Render:
    addresses = {"crl_url": manifest.crl_url, "ocsp_url": manifest.ocsp_url}
    purpose = _("the extensions of {file}", file=leaf.certificate_file)
    names = named(leaf.alternatives)
    if leaf.role is Role.SERVER:
        if leaf.name in _OWNERS:
            purpose = _("the server certificate's extensions")
        values = {
            "critical_key_usage": leaf.critical_key_usage,
            # RFC 8813 section 3: an EC key never stands for keyEncipherment.
            "key_encipherment": leaf.key.algorithm == "RSA",
            "names": names,
            "peer": leaf.peer,
        }
        return Render("openssl/v3.ext.j2", leaf.extensions, purpose, {**values, **addresses})
    if leaf.name in _OWNERS:
        purpose = _("the client certificate's extensions")
    # In a line of its own a comma would begin the next name.
    alone = leaf.alternatives[0] if len(names) == 1 and "," not in leaf.alternatives[0] else ""
    values = {
        "critical_key_usage": leaf.critical_key_usage,
        "san": alone,
        "names": [] if alone else names,
    }
    return Render("openssl/v3_client.ext.j2", leaf.extensions, purpose, {**values, **addresses})


def named(alternatives: Sequence[str]) -> list[tuple[str, str]]:
    """Names as lines of a section, such as `DNS.1`, numbered by kind (x509v3_config(5))."""
    counts: dict[str, int] = {}
    lines = []
    for alternative in alternatives:
        kind, _colon, value = alternative.partition(":")
        counts[kind] = counts.get(kind, 0) + 1
        lines.append((f"{kind}.{counts[kind]}", value))
    return lines


def _limits(authority: Authority) -> dict[str, object]:
    return {
        "path_length": authority.path_length,
        "permitted": named(authority.permitted),
        "excluded": named(authority.excluded),
    }


def _secrets(authority: Authority) -> tuple[str, ...]:
    return (authority.passphrase_variable,) if authority.encrypted else ()
