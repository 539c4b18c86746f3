"""What was read, as lines for a person. Pure; `data` has the same for a program."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from mtls_openssl.inspection import order
from mtls_openssl.inspection.content import Kind
from mtls_openssl.inspection.objections import is_ca, is_self_issued, objections
from mtls_openssl.inspection.objects import (
    Bundle,
    Certificate,
    Holding,
    Item,
    Key,
    Parameters,
    Request,
    RevocationList,
    Thing,
    Unreadable,
    fingerprint,
)
from mtls_openssl.language import Text, _, clauses, joined
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl import readers
from mtls_openssl.openssl.extensions import Extension
from mtls_openssl.openssl.pkey import PublicKey

Line = tuple[str, str]
"""A label and what stands beside it; a heading has no label."""

KINDS = {
    Kind.CERTIFICATE: _("certificate"),
    Kind.REQUEST: _("certificate signing request"),
    Kind.KEY: _("private key"),
    Kind.PUBLIC_KEY: _("public key"),
    Kind.PKCS12: _("PKCS#12 file"),
    Kind.CRL: _("list of revoked certificates (CRL)"),
    Kind.PKCS7: _("PKCS#7 file"),
    Kind.PARAMETERS: _("parameters"),
    Kind.UNKNOWN: _("nothing that is known here"),
}
_MOST_REVOKED = 20


def lines(holding: Holding, now: dt.datetime) -> Iterator[Line]:
    """What a file holds, line by line.

    Args:
        holding: the file, read.
        now: the time that days are counted from, UTC.
    """
    several = len(holding.items) > 1
    if several:
        count = len(holding.items)
        yield "", _("{file}: {count} part{count:|s}", file=shown(str(holding.path)), count=count)
    for number, item in enumerate(holding.items, start=1):
        readable = not isinstance(item.thing, Unreadable)
        what = clauses((title(item), item.form)) if readable else title(item)
        if several:
            yield "", _("  {number}. {title}", number=number, title=what)
        else:
            yield "", _("{file}: {title}", file=shown(str(holding.path)), title=what)
        yield from _lines(item.thing, now)
    yield from ((_("note"), note) for note in holding.notes)
    yield from _order(holding)


def shown(text: str) -> str:
    """A text out of a file, without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02X}" for letter in text)


def name(attributes: Iterable[tuple[str, str]]) -> str:
    """A distinguished name as it is read."""
    return shown(", ".join(f"{attribute}={value}" for attribute, value in attributes))


def key(kind: PublicKey | None) -> str:
    """Which kind of key it is."""
    if kind is None:
        return _("not known, since it is encrypted")
    size = _("{bits} bits", bits=kind.bits) if kind.bits else ""
    return clauses(filter(None, (kind.kind, kind.curve, size)))


def left(until: dt.datetime, now: dt.datetime) -> Text:
    """How long something is good yet, or since when it is not."""
    if until < now:
        return _("EXPIRED {days} day{days:|s} ago", days=(now - until).days)
    return remaining(until, now)


def remaining(until: dt.datetime, now: dt.datetime) -> Text:
    """How long it is until then: in hours, where it is less than a day."""
    rest = until - now
    if rest.days < 1:
        return _("{hours} hour{hours:|s} left", hours=rest.seconds // 3600)
    return _("{days} day{days:|s} left", days=rest.days)


def title(item: Item) -> str:
    """What a part is, in a few words."""
    thing = item.thing
    if isinstance(thing, Unreadable):
        return thing.why
    if isinstance(thing, Certificate) and is_ca(thing.described):
        if is_self_issued(thing.described):
            return _("certificate of a root CA")
        return _("certificate of a CA")
    return KINDS[item.kind]


def _lines(thing: Thing, now: dt.datetime) -> Iterator[Line]:
    match thing:
        case Certificate():
            yield from _certificate(thing, now)
        case Request():
            yield from _request(thing)
        case Key():
            yield from _key(thing)
        case Bundle():
            yield from _bundle(thing, now)
        case RevocationList():
            yield from _crl(thing, now)
        case Unreadable():
            if thing.said:
                yield _("openssl said"), shown(thing.said)
        case Parameters():
            return


def _certificate(certificate: Certificate, now: dt.datetime) -> Iterator[Line]:
    described = certificate.described
    if certificate.name:
        yield _("friendly name"), shown(certificate.name)
    yield _("subject"), name(described.subject) or _("(empty)")
    yield (
        _("issuer"),
        _("itself") if is_self_issued(described) else name(described.issuer) or _("(empty)"),
    )
    if names := ext.alternatives(described.extensions.get(ext.ALTERNATIVE_NAME)):
        yield _("names"), shown(", ".join(names))
    span = _(
        "{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC",
        first=described.not_before,
        last=described.not_after,
    )
    how = left(described.not_after, now)
    if described.not_before > now:
        days = (described.not_before - now).days
        how = _("NOT VALID YET, in {days} day{days:|s}", days=days)
    yield _("valid"), clauses((span, how))
    yield _("purposes"), _purposes(described.extensions)
    yield _("key"), key(described.key)
    yield _("signed with"), described.signature
    yield _("serial number"), described.serial
    yield "SHA-256", fingerprint(certificate.pem)
    yield _("SHA-1 (Windows: thumbprint)"), fingerprint(certificate.pem, "sha1")
    yield _("public key, SHA-256"), fingerprint(described.public_key)
    own = ext.key_identifier(described.extensions.get(ext.SUBJECT_KEY_IDENTIFIER))
    if own:
        yield _("key identifier"), own
    issuers = ext.key_identifier(described.extensions.get(ext.AUTHORITY_KEY_IDENTIFIER))
    if issuers and issuers != own:
        yield _("issuer's key identifier"), issuers
    found = objections(described)
    if not found:
        yield _("objections"), _("none, also of strict validators")
    for objection in found:
        text = _(
            "{what} [{who}; {source}]",
            what=objection.what, who=", ".join(objection.who), source=objection.source,
        )  # fmt: skip
        yield _("objection"), text


def _request(request: Request) -> Iterator[Line]:
    described = request.described
    yield _("subject"), name(described.subject) or _("(empty)")
    names = ext.alternatives(described.extensions.get(ext.ALTERNATIVE_NAME))
    yield _("names"), shown(", ".join(names)) or _("none")
    if ext.EXTENDED_KEY_USAGE in described.extensions or ext.KEY_USAGE in described.extensions:
        yield _("purposes"), _purposes(described.extensions)
    yield _("key"), key(described.key)
    yield _("signed with"), described.signature
    yield (
        _("own signature"),
        _("right") if request.proven else _("WRONG: it was changed, or damaged"),
    )
    yield _("public key, SHA-256"), fingerprint(described.public_key)


def _key(found: Key) -> Iterator[Line]:
    if found.name:
        yield _("friendly name"), shown(found.name)
    yield _("key"), key(found.kind)
    if found.private and found.protection:
        yield _("encrypted"), _("yes: {how}", how=", ".join(found.protection))
        if found.wrong:
            yield _("password"), _("the one that was given is WRONG")
        elif not found.public_key:
            yield _("password"), _("not given: --password-env, --password-file, --password-stdin")
    elif found.private:
        yield _("encrypted"), _("no: whoever can read the file has the key")
    if found.public_key:
        yield _("public key, SHA-256"), fingerprint(found.public_key)


def _bundle(bundle: Bundle, now: dt.datetime) -> Iterator[Line]:
    if bundle.locked:
        yield _("password"), bundle.locked
        return
    if bundle.contents:
        yield from bundle.contents.parts
        can, can_not = readers.who(bundle.contents)
        yield _("read by"), joined(_("; "), (reader.name for reader in can)) if can else _("nobody")
        if can_not:
            yield _("not read by"), joined(_("; "), (reader.name for reader in can_not))
    for number, item in enumerate(bundle.items, start=1):
        yield "", _("  in it, {number}: {title}", number=number, title=title(item))
        if isinstance(item.thing, Key):
            # How the file protects it is told above.
            yield from (line for line in _key(item.thing) if line[0] != "encrypted")
        else:
            yield from _lines(item.thing, now)


def _crl(found: RevocationList, now: dt.datetime) -> Iterator[Line]:
    described = found.described
    yield _("issuer"), name(described.issuer)
    if described.number is not None:
        yield _("number"), str(described.number)
    yield _("made"), _("{date:%Y-%m-%d %H:%M} UTC", date=described.last_update)
    if described.next_update:
        until = _("{date:%Y-%m-%d %H:%M} UTC", date=described.next_update)
        how = left(described.next_update, now)
        yield _("good until"), clauses((until, how))
        if described.next_update < now:
            yield (
                _("note"),
                _("a server that reads it refuses every client until there is a new one"),
            )
    else:
        yield _("good until"), _("it does not say")
    yield _("signed with"), described.signature
    yield "SHA-256", fingerprint(found.pem)
    yield _("revoked"), str(len(described.revoked))
    for one in described.revoked[:_MOST_REVOKED]:
        when = _("{date:%Y-%m-%d %H:%M} UTC", date=one.date)
        yield _("serial number"), clauses(filter(None, (one.serial, when, one.reason)))
    more = len(described.revoked) - _MOST_REVOKED
    if more > 0:
        yield "", _("    and {count} more, all of which --json has", count=more)


def _order(holding: Holding) -> Iterator[Line]:
    chain = [certificate.described for certificate in holding.certificates]
    plain = all(not isinstance(item.thing, Bundle) for item in holding.items)
    if len(chain) < 2 or not plain:  # noqa: PLR2004
        return
    verdict, numbers = order.judged(chain)
    listed = ", ".join(map(str, numbers))
    match verdict:
        case order.Order.RIGHT:
            text = _("right: each certificate is issued by the next one")
        case order.Order.WRONG:
            text = _("WRONG: a server has to send the certificates as {numbers}", numbers=listed)
        case order.Order.ROOTS:
            text = _("all are root CAs, so any order is right")
        case _:
            text = _("they are not one chain; the longest in it is {numbers}", numbers=listed)
    yield _("order"), text


def _purposes(found: dict[str, Extension]) -> str:
    parts: list[str] = [
        *ext.usages(found.get(ext.EXTENDED_KEY_USAGE)), *ext.usages(found.get(ext.KEY_USAGE))
    ]  # fmt: skip
    constraints = found.get(ext.BASIC_CONSTRAINTS)
    if constraints and "CA:TRUE" in constraints.values:
        lengths = [
            value.removeprefix("pathlen:")
            for value in constraints.values
            if value.startswith("pathlen:")
        ]
        if lengths:
            parts.append(_("CA, with at most {count} CA{count:|s} below it", count=lengths[0]))
        else:
            parts.append(_("CA"))
    else:
        parts.append(_("no CA"))
    if ext.EXTENDED_KEY_USAGE not in found and ext.KEY_USAGE not in found:
        parts.append(_("not restricted to any use"))
    return joined(_(", "), parts)
