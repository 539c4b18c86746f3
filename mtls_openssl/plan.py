"""Settings to ordered steps. Reads like `generate_certs.bat` itself.

Every function is pure: the same plan is run, printed by a dry run and exported as a script.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mtls_openssl.openssl import dhparam as dh
from mtls_openssl.openssl import genpkey, genrsa, pkcs12, req, x509
from mtls_openssl.openssl import verify as verification
from mtls_openssl.settings import Settings
from mtls_openssl.steps import Command, Render, Step

CONFIG = "openssl.cnf"
"""The name of our own configuration, which every command reads through OPENSSL_CONF."""

PASSWORD_FILE = "client.p12.password"  # noqa: S105 - the name of a file

PRIVATE = ("ca.key", "server.key", "client.key", "client.p12", PASSWORD_FILE)
"""The files of a set that nobody else may read."""

MADE_BY = {
    "ca.key": "ca",
    "ca.crt": "ca",
    "server.key": "server",
    "server.crt": "server",
    "client.key": "client",
    "client.crt": "client",
    "client.p12": "p12",
    PASSWORD_FILE: "p12",
    dh.FILE: "dhparam",
}
"""Which command makes each file of a set."""

_SPOKEN = {"ca": "CA"}
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
    """

    name: str
    stages: tuple[str, ...]
    steps: tuple[Step, ...]
    makes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    retires: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[Command, ...]:
        """The steps that are openssl commands."""
        return tuple(step for step in self.steps if isinstance(step, Command))


def everything(settings: Settings) -> Plan:
    """Appendix A: CA, server, client, verify, PKCS#12."""
    ca_, server_, client_ = ca(settings), server(settings), client(settings)
    verify_, p12_ = verify(("server.crt", "client.crt")), p12(settings)
    scratch = tuple(dict.fromkeys((*server_.scratch, *client_.scratch)))
    return Plan(
        name="all",
        stages=(*ca_.stages, *server_.stages, *client_.stages, "Verifying and packaging"),
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
        retires=(PASSWORD_FILE, *scratch),
    )


def ca(settings: Settings) -> Plan:
    """Step 2 of the guide: the root CA's key and certificate."""
    return Plan(
        name="ca",
        stages=("Generating CA certificate",),
        steps=(
            _config(),
            _key("ca", settings.ca_key_size),
            Command(
                req.self_sign("ca.key", "ca.crt", settings.ca_subject, settings.ca_days),
                "sign the CA's certificate with its own key",
                reads=("ca.key",),
                writes=("ca.crt",),
            ),
        ),
        makes=("ca.key", "ca.crt"),
        # What an earlier CA issued does not verify against this one.
        retires=(
            "server.key", "server.crt", "client.key", "client.crt", "client.p12", PASSWORD_FILE,
            x509.SERIAL_FILE,
        ),
    )  # fmt: skip


def server(settings: Settings) -> Plan:
    """Step 3 of the guide: the server's key and certificate."""
    extensions = Render(
        "openssl/v3.ext.j2",
        settings.server_ext,
        "the server certificate's extensions",
        {
            "critical_key_usage": settings.critical_key_usage,
            # RFC 8813 section 3: an EC key never stands for keyEncipherment.
            "key_type": settings.key_type,
            "dns": settings.server_dns,
            "ip": settings.server_ip,
        },
    )
    return _leaf("server", "Server", settings.server_subject, extensions, settings)


def client(settings: Settings) -> Plan:
    """Step 4 of the guide: the client's key and certificate."""
    extensions = Render(
        "openssl/v3_client.ext.j2",
        "v3_client.ext",
        "the client certificate's extensions",
        {"critical_key_usage": settings.critical_key_usage, "san": settings.client_san},
    )
    plan = _leaf("client", "Client", settings.client_subject, extensions, settings)
    # The bundle of an earlier client certificate.
    return dataclasses.replace(plan, retires=("client.p12", PASSWORD_FILE))


def verify(certificates: Sequence[str], *, beside: Sequence[str] = ()) -> Plan:
    """Step 5.1 of the guide: check each of `certificates` against the CA of the folder.

    Args:
        certificates: names of the files.
        beside: names of further files that the proof looks at.
    """
    return Plan(
        name="verify",
        stages=("Verifying",),
        steps=(
            _config(),
            *(
                Command(
                    verification.chain(certificate),
                    f"check that the CA issued {certificate}",
                    reads=("ca.crt", certificate),
                    verdict=True,
                )
                for certificate in certificates
            ),
        ),
        needs=("ca.crt", *certificates, *beside),
    )


def p12(settings: Settings) -> Plan:
    """Step 5.2 of the guide: the client's key and chain as PKCS#12."""
    needs = ("client.key", "client.crt", "ca.crt")
    return Plan(
        name="p12",
        stages=("Creating PKCS#12 file",),
        steps=(
            _config(),
            Command(
                pkcs12.export("client.p12", "client.key", "client.crt", settings.p12_name),
                "pack the client's key and chain as PKCS#12",
                reads=needs,
                writes=("client.p12",),
                secrets=(pkcs12.PASSWORD_VARIABLE,),
            ),
        ),
        makes=("client.p12",),
        needs=needs,
        retires=(PASSWORD_FILE,),
    )


def dhparam(bits: int = 2048, group: str | None = None) -> Plan:
    """Appendix D of the guide: Diffie-Hellman parameters.

    Args:
        bits: the size of the prime to search for.
        group: a group of RFC 7919 to take instead of a search, such as `ffdhe2048`.
    """
    if group:
        making: Step = Render(
            f"dhparam/{group}.pem.j2", dh.FILE, f"the group {group} of RFC 7919, Appendix A"
        )
    else:
        making = Command(
            dh.generate(bits),
            f"search for a safe prime of {bits} bits",
            writes=(dh.FILE,),
            limit=_MAKING_DH_PARAMETERS,
        )
    return Plan(
        name="dhparam",
        stages=("Generating DH parameters",),
        steps=(_config(), *_at(1, (making,))),
        makes=(dh.FILE,),
    )


def _config() -> Render:
    return Render("openssl/openssl.cnf.j2", CONFIG, "the configuration that openssl reads")


def _key(owner: str, bits: int | None) -> Command:
    name = f"{owner}.key"
    argv = genpkey.generate_ec(name) if bits is None else genrsa.generate(name, bits)
    return Command(
        argv,
        f"make the {_SPOKEN.get(owner, owner)}'s private key",
        writes=(name,),
        limit=_MAKING_A_KEY,
    )


def _leaf(
    owner: str, title: str, subject: req.Name, extensions: Render, settings: Settings
) -> Plan:
    key, csr, certificate = f"{owner}.key", f"{owner}.csr", f"{owner}.crt"
    return Plan(
        name=owner,
        stages=(f"Generating {title} certificate",),
        steps=(
            _config(),
            _key(owner, settings.key_size),
            Command(
                req.request(key, csr, subject),
                f"make the {owner}'s certificate signing request",
                reads=(key,),
                writes=(csr,),
            ),
            extensions,
            Command(
                x509.sign(csr, certificate, extensions.name, settings.cert_days),
                f"issue the {owner}'s certificate",
                reads=(csr, "ca.crt", "ca.key", extensions.name),
                writes=(certificate,),
                updates=(x509.SERIAL_FILE,),
            ),
        ),
        makes=(key, certificate),
        needs=("ca.key", "ca.crt"),
        scratch=(csr, x509.SERIAL_FILE, extensions.name),
    )


def _at(stage: int, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps without the configuration, which a run needs once, under the stage `stage`."""
    return tuple(
        dataclasses.replace(step, stage=stage) if isinstance(step, Command) else step
        for step in steps
        if not (isinstance(step, Render) and step.name == CONFIG)
    )
