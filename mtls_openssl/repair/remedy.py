"""What gives a CA its new certificate, and what is to be done once it has it."""

from __future__ import annotations

from pathlib import Path

from mtls_openssl.language import Text, _
from mtls_openssl.openssl import extensions, x509
from mtls_openssl.openssl.pkcs12 import SERVER
from mtls_openssl.plan import CONFIG, MADE_BY, Plan
from mtls_openssl.repair.case import OLD, Case, key_identifier
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Command, Render

_EXTENSION_FILE = "v3_ca.ext"
_EMPTY_SECTION = "subject"
# Not `.csr`: OpenSSL 1.1.1 writes the text of the request in front of it.
_REQUEST = "ca.req"


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
        "key_usage": ", ".join(
            dict.fromkeys(("critical", *usages, "keyCertSign", "cRLSign")),
        ),
    }
    number = case.ca.serial if any(leaf.by_serial for leaf in case.leaves) else f"{serial:X}"
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
            *_signing(number, days),
        ),
        makes=("ca.crt",),
        needs=("ca.key", "ca.crt", *(leaf.name for leaf in case.leaves)),
        scratch=(OLD, _EXTENSION_FILE) if days is None else (OLD, _EXTENSION_FILE, _REQUEST),
    )


def _signing(serial: str, days: int | None) -> tuple[Command, ...]:
    if days is None:
        again = Command(
            x509.certify_again(OLD, "ca.crt", _EXTENSION_FILE, serial),
            _("sign the CA's certificate again, with the same key"),
            reads=(OLD, "ca.key", _EXTENSION_FILE),
            writes=("ca.crt",),
        )
        return (again,)
    # An expired certificate, the command above refuses.
    return (
        Command(
            x509.to_request(OLD, "ca.key", _REQUEST, (CONFIG, _EMPTY_SECTION)),
            _("make a request for the same subject"),
            reads=(OLD, "ca.key"),
            writes=(_REQUEST,),
        ),
        Command(
            x509.self_sign_request(
                _REQUEST, "ca.key", "ca.crt", extensions_=_EXTENSION_FILE, serial=serial, days=days
            ),
            _("sign the CA's certificate again, with the same key"),
            reads=(_REQUEST, "ca.key", _EXTENSION_FILE),
            writes=("ca.crt",),
        ),
    )


def advice(folder: Path) -> tuple[Text, ...]:
    """What still carries the old certificate, and what renews it, a sentence each."""
    bundles = sorted(
        path.name for path in folder.iterdir() if path.suffix.lower() in {".p12", ".pfx", ".jks"}
    )
    return (
        *(_packed_again(folder, name) for name in bundles if name != SERVER.file),
        _(
            "Where the CA is trusted (Windows, browsers, Java, other machines) the new ca.crt"
            " takes the old one's place; until then nothing breaks: {command}",
            command=ours(folder, "trust", "install"),
        ),
        _("Web servers read ca.crt when they start: reload them, such as by nginx -s reload."),
    )


def _packed_again(folder: Path, name: str) -> Text:
    maker = MADE_BY.get(name)
    if maker is None:
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
