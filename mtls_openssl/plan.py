"""Settings to ordered steps. Reads like `generate_certs.bat` itself.

Every function is pure: the same plan is run, printed by a dry run and exported as a script.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl import keytool
from mtls_openssl.language import _
from mtls_openssl.openssl import dhparam as dh
from mtls_openssl.openssl import genpkey, genrsa, pkcs12, readers, req, x509
from mtls_openssl.openssl import verify as verification
from mtls_openssl.settings import Settings
from mtls_openssl.steps import Command, Kind, Render, Step

CONFIG = "openssl.cnf"
"""The name of our own configuration, which every command reads through OPENSSL_CONF."""

_PACKED = {
    owner: tuple(
        name
        for bundle in pkcs12.BUNDLES
        if f"{owner}.crt" in bundle.certificates
        for name in (bundle.file, bundle.password_file)
    )
    for owner in ("ca", "server", "client")
}
"""What a certificate is packed into, with the passwords that were made for it."""

_ALL_PACKED = tuple(dict.fromkeys((*_PACKED["ca"], *_PACKED["server"])))

PRIVATE = ("ca.key", "server.key", "client.key", *_ALL_PACKED)
"""The files of a set that nobody else may read."""

MADE_BY = {
    "ca.key": "ca",
    "ca.crt": "ca",
    "server.key": "server",
    "server.crt": "server",
    "client.key": "client",
    "client.crt": "client",
    **{
        name: f"p12 {bundle.owner}"
        for bundle in pkcs12.BUNDLES
        for name in (bundle.file, bundle.password_file)
    },
    dh.FILE: "dhparam",
}
"""Which command makes each file of a set."""

_OWNERS = {"server": _("server"), "client": _("client")}
_MAKING_A_KEY = 600.0
_MAKING_DH_PARAMETERS = 3600.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run will do.

    Args:
        name: the command of ours that it belongs to.
        stages: the titles of its stages, the first one numbered 1.
        steps: the steps, in the guide's order.
        needs: files of the set that it reads.
        makes: files of the set that it leaves.
        scratch: files that it makes besides, gone at the end unless asked for.
        retires: files of the set that no longer fit once it is done.
        bundle: the PKCS#12 file that it makes.
    """

    name: str
    stages: tuple[str, ...]
    steps: tuple[Step, ...]
    makes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    retires: tuple[str, ...] = ()
    bundle: pkcs12.Bundle | None = None

    @property
    def commands(self) -> tuple[Command, ...]:
        """The steps that are commands."""
        return tuple(step for step in self.steps if isinstance(step, Command))

    @property
    def java(self) -> Path | None:
        """The keytool that one of its commands needs."""
        return next((command.program for command in self.commands if command.program), None)


def everything(settings: Settings) -> Plan:
    """Appendix A: CA, server, client, verify, PKCS#12."""
    ca_, server_, client_ = ca(settings), server(settings), client(settings)
    verify_, p12_ = verify(("server.crt", "client.crt")), p12(settings)
    scratch = tuple(dict.fromkeys((*server_.scratch, *client_.scratch)))
    return Plan(
        name="all",
        stages=(*ca_.stages, *server_.stages, *client_.stages, _("Verifying and packaging")),
        steps=(
            _config(),
            *_at(1, ca_.steps),
            *_at(2, server_.steps),
            *_at(3, client_.steps),
            *_at(4, verify_.steps),
            *_at(4, p12_.steps),
        ),
        makes=(*ca_.makes, *server_.makes, *client_.makes, *p12_.makes),
        scratch=scratch,
        # A whole set replaces a whole set: what an earlier one left besides goes to the backup.
        retires=(*_ALL_PACKED, *scratch),
        bundle=p12_.bundle,
    )


def ca(settings: Settings) -> Plan:
    """Step 2 of the guide: the root CA's key and certificate."""
    return Plan(
        name="ca",
        stages=(_("Generating CA certificate"),),
        steps=(
            _config(),
            _key("ca", settings.ca_key_size),
            Command(
                req.self_sign("ca.key", "ca.crt", settings.ca_subject, settings.ca_days),
                _("sign the CA's certificate with its own key"),
                reads=("ca.key",),
                writes=("ca.crt",),
            ),
        ),
        makes=("ca.key", "ca.crt"),
        # What an earlier CA issued does not verify against this one.
        retires=(
            "server.key", "server.crt", "client.key", "client.crt", *_ALL_PACKED, x509.SERIAL_FILE,
        ),
    )  # fmt: skip


def server(settings: Settings) -> Plan:
    """Step 3 of the guide: the server's key and certificate."""
    extensions = Render(
        "openssl/v3.ext.j2",
        settings.server_ext,
        _("the server certificate's extensions"),
        {
            "critical_key_usage": settings.critical_key_usage,
            # RFC 8813 section 3: an EC key never stands for keyEncipherment.
            "key_type": settings.key_type,
            "dns": settings.server_dns,
            "ip": settings.server_ip,
        },
    )
    return _leaf(
        "server", _("Generating Server certificate"), settings.server_subject, extensions, settings
    )


def client(settings: Settings) -> Plan:
    """Step 4 of the guide: the client's key and certificate."""
    extensions = Render(
        "openssl/v3_client.ext.j2",
        "v3_client.ext",
        _("the client certificate's extensions"),
        {"critical_key_usage": settings.critical_key_usage, "san": settings.client_san},
    )
    return _leaf(
        "client", _("Generating Client certificate"), settings.client_subject, extensions, settings
    )


def verify(certificates: Sequence[str], *, beside: Sequence[str] = ()) -> Plan:
    """Step 5.1 of the guide: check each of `certificates` against the CA of the folder.

    Args:
        certificates: names of the files.
        beside: names of further files that the proof looks at.
    """
    return Plan(
        name="verify",
        stages=(_("Verifying"),),
        steps=(
            _config(),
            *(
                Command(
                    verification.chain(certificate),
                    _("check that the CA issued {file}", file=certificate),
                    reads=("ca.crt", certificate),
                    verdict=True,
                )
                for certificate in certificates
            ),
        ),
        needs=("ca.crt", *certificates, *beside),
    )


def p12(settings: Settings, bundle: pkcs12.Bundle = pkcs12.CLIENT) -> Plan:
    """Step 5.2 of the guide: a key and its chain as PKCS#12; the client's, or the server's.

    Args:
        settings: its `p12_name` is the name in the file.
        bundle: which file.
    """
    certificate, *chain = bundle.certificates
    argv = pkcs12.export(
        bundle.file, f"{bundle.key}", certificate, settings.p12_name,
        chain=chain, protection=readers.arguments(settings.p12_for),
    )  # fmt: skip
    purpose = _("pack the {owner}'s key and chain as PKCS#12", owner=_OWNERS[bundle.owner])
    return _pack(bundle, Command(argv, purpose))


def truststore(settings: Settings, java: Path | None) -> Plan:
    """A PKCS#12 file from which Java knows the CA.

    Args:
        settings: its `p12_name` is the alias in the file.
        java: keytool; None to have it made by openssl, from 3.2 on.
    """
    bundle, name = pkcs12.TRUSTSTORE, settings.p12_name
    if java:
        argv = keytool.trust(bundle.file, "ca.crt", name, settings.p12_for)
    else:
        protection = readers.arguments(settings.p12_for)
        argv = pkcs12.trust(bundle.file, "ca.crt", name, protection=protection)
    purpose = _("pack the CA's certificate as one that Java trusts")
    return _pack(bundle, Command(argv, purpose, Kind.TOOL if java else Kind.GUIDE, program=java))


def _pack(bundle: pkcs12.Bundle, command: Command) -> Plan:
    return Plan(
        name="p12" if bundle is pkcs12.CLIENT else f"p12 {bundle.owner}",
        stages=(_("Creating PKCS#12 file"),),
        steps=(
            _config(),
            dataclasses.replace(
                command,
                reads=bundle.needs,
                writes=(bundle.file,),
                secrets=(pkcs12.PASSWORD_VARIABLE,),
            ),
        ),
        makes=(bundle.file,),
        needs=bundle.needs,
        retires=(bundle.password_file,),
        bundle=bundle,
    )


def dhparam(bits: int = 2048, group: str | None = None) -> Plan:
    """Appendix D of the guide: Diffie-Hellman parameters.

    Args:
        bits: the size of the prime to search for.
        group: a group of RFC 7919 to take instead of a search, such as `ffdhe2048`.
    """
    if group:
        making: Step = Render(
            f"dhparam/{group}.pem.j2",
            dh.FILE,
            _("the group {group} of RFC 7919, Appendix A", group=group),
        )
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
        steps=(_config(), *_at(1, (making,))),
        makes=(dh.FILE,),
    )


def _config() -> Render:
    return Render("openssl/openssl.cnf.j2", CONFIG, _("the configuration that openssl reads"))


def _key(owner: str, bits: int | None) -> Command:
    name = f"{owner}.key"
    argv = genpkey.generate_ec(name) if bits is None else genrsa.generate(name, bits)
    purpose = _("make the CA's private key")
    if owner in _OWNERS:
        purpose = _("make the {owner}'s private key", owner=_OWNERS[owner])
    return Command(
        argv,
        purpose,
        writes=(name,),
        limit=_MAKING_A_KEY,
    )


def _leaf(
    owner: str, stage: str, subject: req.Name, extensions: Render, settings: Settings
) -> Plan:
    key, csr, certificate = f"{owner}.key", f"{owner}.csr", f"{owner}.crt"
    return Plan(
        name=owner,
        stages=(stage,),
        steps=(
            _config(),
            _key(owner, settings.key_size),
            Command(
                req.request(key, csr, subject),
                _("make the {owner}'s certificate signing request", owner=_OWNERS[owner]),
                reads=(key,),
                writes=(csr,),
            ),
            extensions,
            Command(
                x509.sign(csr, certificate, extensions.name, settings.cert_days),
                _("issue the {owner}'s certificate", owner=_OWNERS[owner]),
                reads=(csr, "ca.crt", "ca.key", extensions.name),
                writes=(certificate,),
                updates=(x509.SERIAL_FILE,),
            ),
        ),
        makes=(key, certificate),
        needs=("ca.key", "ca.crt"),
        scratch=(csr, x509.SERIAL_FILE, extensions.name),
        # What an earlier certificate was packed into.
        retires=_PACKED[owner],
    )


def _at(stage: int, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps without the configuration, which a run needs once, under the stage `stage`."""
    return tuple(
        dataclasses.replace(step, stage=stage) if isinstance(step, Command) else step
        for step in steps
        if not (isinstance(step, Render) and step.name == CONFIG)
    )
