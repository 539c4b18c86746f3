"""What gives a CA its new certificate, and what is to be done once it has it."""

from __future__ import annotations

from pathlib import Path

from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import extensions, x509
from mtls_openssl.openssl.pkcs12 import SERVER
from mtls_openssl.plan import CHAIN, CONFIG, MADE_BY, Plan, packed
from mtls_openssl.repair.case import OLD, Case, key_identifier, limits
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Command, Join, Render

_EXTENSION_FILE = "v3_ca.ext"
_EMPTY_SECTION = "subject"
# Not `.csr`: OpenSSL 1.1.1 writes the text of the request in front of it.
_REQUEST = "ca.req"
_CHAINED = Join((f"{INTERMEDIATE}.crt", f"{ROOT}.crt"), CHAIN, _("the chain up to the root"))


def plan(case: Case, days: int | None, serial: int) -> Plan:
    """What gives the CA its new certificate.

    Args:
        case: the CA as it is.
        days: the days that it lasts from now; None to leave its dates as they are.
        serial: the serial number that it gets, if what it has issued allows another.
    """
    usages = extensions.usages(case.ca.extensions.get(extensions.KEY_USAGE))
    constraints = case.ca.extensions.get(extensions.BASIC_CONSTRAINTS)
    identifier = key_identifier(case.ca)
    values = {
        "subject_key_identifier": ":".join(
            identifier[place : place + 2] for place in range(0, len(identifier), 2)
        )
        or "hash",
        "authority_key_identifier": bool(identifier),
        "basic_constraints": ", ".join(
            ("critical", *(constraints.values if constraints else ("CA:TRUE",)))
        ),
        "name_constraints": limits(case.ca),
        "key_usage": ", ".join(
            dict.fromkeys(("critical", *usages, "keyCertSign", "cRLSign")),
        ),
    }
    number = (
        case.ca.serial
        if any(leaf.by_serial for leaf in case.leaves if not leaf.by)
        else f"{serial:X}"
    )
    return Plan(
        name="repair-ca",
        stages=(_("Repairing the CA's certificate"),),
        steps=(
            Render("openssl/openssl.cnf.j2", CONFIG, _("the configuration that openssl reads")),
            # From 3.6 on, openssl empties the file that it writes before it reads the CA's.
            Command(
                x509.write("ca.crt", OLD),
                _("lay the CA's old certificate aside"),
                reads=("ca.crt",),
                writes=(OLD,),
            ),
            Render(
                "openssl/v3_ca.ext.j2",
                _EXTENSION_FILE,
                _("the CA certificate's extensions"),
                values,
            ),
            *_signing(case, number, days),
            *((_CHAINED,) if case.chained else ()),
        ),
        makes=("ca.crt", CHAIN) if case.chained else ("ca.crt",),
        needs=("ca.key", "ca.crt", *(leaf.name for leaf in case.leaves)),
        scratch=(OLD, _EXTENSION_FILE) if days is None else (OLD, _EXTENSION_FILE, _REQUEST),
    )


def _signing(case: Case, serial: str, days: int | None) -> tuple[Command, ...]:
    variable = case.passphrase_variable
    secrets = (variable,) if variable else ()
    if days is None:
        again = Command(
            x509.certify_again(OLD, "ca.crt", _EXTENSION_FILE, serial, passphrase=variable),
            _("sign the CA's certificate again, with the same key"),
            reads=(OLD, "ca.key", _EXTENSION_FILE),
            writes=("ca.crt",),
            secrets=secrets,
        )
        return (again,)
    # An expired certificate, the command above refuses.
    return (
        Command(
            x509.to_request(OLD, "ca.key", _REQUEST, (CONFIG, _EMPTY_SECTION), passphrase=variable),
            _("make a request for the same subject"),
            reads=(OLD, "ca.key"),
            writes=(_REQUEST,),
            secrets=secrets,
        ),
        Command(
            x509.self_sign_request(
                _REQUEST,
                "ca.key",
                "ca.crt",
                extensions_=_EXTENSION_FILE,
                serial=serial,
                days=days,
                passphrase=variable,
            ),
            _("sign the CA's certificate again, with the same key"),
            reads=(_REQUEST, "ca.key", _EXTENSION_FILE),
            writes=("ca.crt",),
            secrets=secrets,
        ),
    )


def advice(folder: Path, case: Case) -> tuple[Text, ...]:
    """What still carries the old certificate, and what renews it, a sentence each."""
    bundles = sorted(
        path.name for path in folder.iterdir() if path.suffix.lower() in {".p12", ".pfx", ".jks"}
    )
    # A server's has its own certificate in it, and who issued that, but no root.
    servers = [leaf.owner for leaf in case.leaves if leaf.purposes == ("sslserver",)]
    rootless = {SERVER.file, *(file for name in servers for file in packed(name))}
    return (
        *(_packed_again(folder, name) for name in bundles if name not in rootless),
        _(
            "Where the CA is trusted (Windows, browsers, Java, other machines) the new ca.crt"
            " takes the old one's place; until then nothing breaks: {command}",
            command=ours(folder, "trust", "install"),
        ),
        _("Web servers read {file} when they start: reload them, such as by nginx -s reload.",
          file=CHAIN if case.chained else f"{ROOT}.crt"),
    )  # fmt: skip


def _packed_again(folder: Path, name: str) -> Text:
    stem = name.removesuffix(".p12")
    maker = MADE_BY.get(name) or (f"p12 {stem}" if (folder / f"{stem}.crt").is_file() else "")
    if not maker:
        return _(
            "{file} may hold the CA's old certificate: make it again as it was made", file=name
        )
    return _(
        "{file} holds the CA's old certificate: make it again: {command}",
        file=name,
        command=ours(folder, *maker.split()),
    )


def left_to_mend(case: Case) -> tuple[Text, ...]:
    """What strict validators go on to refuse, whatever the CA, a sentence each."""
    return tuple(
        _(
            "{file} is refused by strict validators for itself: {why}",
            file=leaf.name,
            why=leaf.fault,
        )
        for leaf in case.leaves
        if leaf.fault
    )
