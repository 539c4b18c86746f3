"""The steps that begin a register, and that enter what was issued. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

from mtls_openssl.language import _
from mtls_openssl.manifest import Authority, passphrase_variable
from mtls_openssl.openssl import ca, pkey
from mtls_openssl.openssl.ca import Entry, Status
from mtls_openssl.openssl.crl import Revoked
from mtls_openssl.plan import Plan
from mtls_openssl.plan.naming import is_certificate, issues, owner_of
from mtls_openssl.register.files import CONFIG, NAMES
from mtls_openssl.steps import Command, Render

EMPTY = "# What this authority has issued.\n"
"""A register without an entry; openssl passes over such a line (TXT_DB_read)."""

_LATEST = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclasses.dataclass(frozen=True)
class Entering:
    """What a plan does besides where a register is kept.

    Args:
        steps: after the ones that issue.
        brings: files of the set that they read and change.
        publishes: files that go back to the set when all is proven.
    """

    steps: tuple[Render | Command, ...] = ()
    brings: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()


def entering(certificates: Sequence[str], issuer: str, *, encrypted: bool = False) -> Entering:
    """What enters new certificates into a register that is there.

    Args:
        certificates: their files, each of a serial number that is new.
        issuer: the authority that has issued them, as its files are called before the dot.
        encrypted: whether its key has a pass phrase, which is then in the variable of
            `manifest.passphrase_variable`.

    Returns:
        The steps, which need `issuer`'s key and certificate as issuing itself does; and the files
        to bring and to publish. What openssl leaves besides (`index.txt.old` and the like) is
        not among them, and goes with the stage.
    """
    if not certificates:
        return Entering()
    return Entering(
        (configured(issuer), *(enter(one, issuer, encrypted=encrypted) for one in certificates)),
        NAMES,
        NAMES,
    )


def entered(plan: Plan, issuer: Authority) -> Plan:
    """A plan that enters what it issues into a register that is there.

    Args:
        plan: the plan, which needs the authority's key and certificate as issuing itself does.
        issuer: the authority that issues.
    """
    issued = [name for name in plan.makes if is_certificate(name) and not issues(owner_of(name))]
    more = entering(issued, issuer.name, encrypted=issuer.encrypted)
    return dataclasses.replace(
        plan,
        steps=(*plan.steps, *more.steps),
        needs=(*plan.needs, *more.brings),
        makes=(*plan.makes, *more.publishes),
    )


def first(number: int = 1) -> tuple[Render, ...]:
    """What begins a register.

    Args:
        number: of its first CRL.
    """
    return (
        text(ca.INDEX, EMPTY, _("an empty register")),
        text(ca.ATTRIBUTES, "unique_subject = no\n", _("what openssl is to know of the register")),
        numbered(number),
    )


def numbered(number: int, file: str = ca.CRL_NUMBER) -> Render:
    """What says which number the next CRL gets.

    Args:
        number: the number.
        file: the file that says so.
    """
    digits = f"{number:X}"
    return text(
        file, f"{digits.zfill(len(digits) + len(digits) % 2)}\n", _("the number of the next CRL")
    )


def taken_over(index: str, lost: Sequence[Revoked]) -> str:
    """An `index.txt` in which is revoked whom a CRL has revoked, whether it knew of them or not.

    Args:
        index: the `index.txt`, in which none of them is revoked.
        lost: those of the CRL.
    """
    known = {entry.serial for entry in ca.parse(index)}
    for one in lost:
        serial, reason = ca.plain(one.serial), ca.reason_of(one.reason)
        if serial not in known:
            # Until when it was to be valid, only the certificate said.
            subject = f"/serialNumber={serial}"
            index += ca.line(Entry(Status.VALID, _LATEST, None, "", serial, subject))
        index = ca.revoked_by_hand(index, serial, reason, one.date)
    return index


def text(name: str, content: str, purpose: str) -> Render:
    """A file of a text that is ready."""
    return Render("openssl/text.j2", name, purpose, {"text": content})


def configured(
    issuer: str, *, name: str = CONFIG, index: str = ca.INDEX, number: str = ca.CRL_NUMBER
) -> Render:
    """The configuration by which `openssl ca` finds the register of an authority.

    Args:
        issuer: the authority, as its files are called before the dot.
        name: of the configuration.
        index: the register.
        number: the file with the number of its next CRL.
    """
    return Render(
        "openssl/register.cnf.j2",
        name,
        _("where openssl finds the register"),
        {
            "index": index,
            "number": number,
            "certificate": f"{issuer}.crt",
            "key": f"{issuer}.key",
        },
    )


def secret(issuer: str, *, encrypted: bool) -> tuple[str, ...]:
    """The variables that a command reads which needs the key of an authority."""
    return (passphrase_variable(issuer),) if encrypted else ()


def enter(certificate: str, issuer: str, *, encrypted: bool) -> Command:
    """The command that enters one certificate."""
    variables = secret(issuer, encrypted=encrypted)
    return Command(
        ca.enter(certificate, CONFIG, *pkey.unlocking("".join(variables))),
        _("enter {file} into the register", file=certificate),
        reads=(certificate, CONFIG, f"{issuer}.crt", f"{issuer}.key"),
        updates=(ca.INDEX, ca.ATTRIBUTES),
        secrets=variables,
    )
