"""Connections and handshakes, told to a person in lines and to a program as data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mtls_openssl.errors import NotProvenError
from mtls_openssl.inspection.telling import left, name
from mtls_openssl.language import Text, _, joined
from mtls_openssl.live.connect import Manner
from mtls_openssl.live.handshake import Verdict
from mtls_openssl.live.reading import Answer, Finding, Link, now
from mtls_openssl.live.target import Target

Line = tuple[str, str]
"""A label and what stands beside it; a heading has no label."""

_AND = _(", ")
_ASKED = {
    "no": _("not asked for"),
    "handshake": _("asked for in the handshake"),
    "afterwards": _("asked for only after the handshake"),
}


def lines(target: Target, manner: Manner, answer: Answer) -> Iterator[Line]:
    """What came of a connection, line by line."""
    yield "", _("{target}: {found}", target=target, found=_agreed(answer))
    for number, link in enumerate(answer.chain):
        yield _("server certificate") if not number else _("issued by"), _certificate(link)
    if answer.chain:
        yield _("trusted"), _trusted(manner, answer)
        yield _("name"), _named(target, manner, answer)
    if answer.version:
        yield _("client certificate"), joined(_("; "), _client(manner, answer))
    if answer.authorities:
        yield _("of these CAs"), joined(_("; "), map(name, answer.authorities))
    if answer.http:
        yield _("answer"), answer.http
    for finding in answer.wrong[1:]:  # the first is what `fault` tells
        yield _("also wrong"), _subject(finding)
        yield _("  cause"), finding.told.cause
        yield _("  to mend it"), finding.told.cure
    for note in answer.notes:
        yield _("note"), note


def fault(target: Target, answer: Answer) -> NotProvenError | None:
    """The error that a connection ends with; None if all is well."""
    if not answer.wrong:
        return None
    first = answer.wrong[0]
    error = NotProvenError(
        _("{target}: {what}.", target=target, what=_subject(first)),
        cause=first.told.cause,
        fix=first.told.cure,
    )
    error.data = data(target, answer)
    return error


def data(target: Target, answer: Answer) -> dict[str, Any]:
    """The same for a program."""
    return {
        "ok": not answer.wrong,
        "target": str(target),
        "version": answer.version or None,
        "cipher": answer.cipher or None,
        "chain": [
            {
                "subject": name(link.subject),
                "issuer": name(link.issuer),
                "not_before": link.not_before.isoformat(),
                "not_after": link.not_after.isoformat(),
                "days_left": link.days_left(),
                "names": list(link.names),
                "pem": pem,
            }
            for link, pem in zip(answer.chain, answer.pem, strict=True)
        ],
        "trusted": answer.trusted,
        "name_matches": answer.named,
        "client_certificate": {
            "asked": answer.asked,
            "authorities": list(map(name, answer.authorities)),
            "sent": answer.sent,
            "accepted": answer.accepted,
        },
        "http": answer.http or None,
        "wrong": [
            {
                "kind": finding.kind,
                "code": finding.code,
                "name": finding.told.name,
                "meaning": finding.told.meaning,
                "cause": finding.told.cause,
                "cure": finding.told.cure,
            }
            for finding in answer.wrong
        ],
        "notes": list(answer.notes),
    }


def table(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, ...]]:
    """What was tried in a handshake, what was expected, what happened; the first row is titles."""
    yield _("tried"), "TLS", _("expected"), _("happened"), ""
    for verdict in verdicts:
        attempt = verdict.attempt
        as_expected = _("as expected") if verdict.good else _("NOT AS EXPECTED")
        yield attempt.title, verdict.version, attempt.expected, verdict.happened, as_expected


def unproven(verdicts: Sequence[Verdict], left_out: Sequence[Text]) -> NotProvenError | None:
    """The error that a handshake ends with; None if all is as expected."""
    bad = [verdict for verdict in verdicts if not verdict.good]
    if not bad:
        return None
    tried = dict.fromkeys(verdict.attempt.title for verdict in bad)
    which = joined(
        _("; "),
        (
            _(
                "{tried} (TLS {versions})",
                tried=title,
                versions=", ".join(
                    verdict.version for verdict in bad if verdict.attempt.title == title
                ),
            )
            for title in tried
        ),
    )
    error = NotProvenError(
        _(
            "{count} of {total} handshakes did not end as they should: {which}. The first of them:"
            " {happened}.",
            count=len(bad),
            total=len(verdicts),
            which=which,
            happened=bad[0].happened,
        ),
        cause=bad[0].cause,
        fix=bad[0].fix,
    )
    error.data = handshake_data(verdicts, left_out)
    return error


def handshake_data(verdicts: Sequence[Verdict], left_out: Sequence[Text]) -> dict[str, Any]:
    """What was tried in a handshake, for a program."""
    return {
        "ok": all(verdict.good for verdict in verdicts),
        "handshakes": [
            {
                "tried": verdict.attempt.title,
                "version": f"TLSv{verdict.version}",
                "expected": verdict.attempt.expected,
                "happened": verdict.happened,
                "as_expected": verdict.good,
                "cause": verdict.cause or None,
                "fix": verdict.fix or None,
            }
            for verdict in verdicts
        ],
        "left_out": list(left_out),
    }


def _agreed(answer: Answer) -> Text:
    if not answer.cipher:
        return _("no TLS connection")
    return Text("{version}, {cipher}", version=answer.version, cipher=answer.cipher)


def _certificate(link: Link) -> Text:
    return _(
        "{subject} ({left}, until {date:%Y-%m-%d})",
        subject=name(link.subject),
        left=left(link.not_after, now()),
        date=link.not_after,
    )


def _trusted(manner: Manner, answer: Answer) -> Text:
    by = manner.ca or _("the trust store of this openssl")
    return _("yes, by {trust}", trust=by) if answer.trusted else _("no, not by {trust}", trust=by)


def _named(target: Target, manner: Manner, answer: Answer) -> Text:
    wanted = manner.name or target.host
    if answer.named:
        return _("{name} is in the certificate", name=wanted)
    names = joined(_AND, answer.chain[0].names) if answer.chain[0].names else _("no name at all")
    return _("{name} is not in the certificate, which has: {names}", name=wanted, names=names)


def _client(manner: Manner, answer: Answer) -> Iterator[Text]:
    yield _ASKED[answer.asked]
    if manner.identity and answer.sent:
        yield _("{file} was sent", file=manner.identity.certificate)
        yield {
            True: _("accepted"),
            False: _("NOT accepted"),
            None: _("the server did not say whether it accepts it"),
        }[answer.accepted]
    elif manner.identity:
        yield _("{file} was not sent", file=manner.identity.certificate)
    else:
        yield _("none was given")


def _subject(finding: Finding) -> Text:
    if finding.kind == "verify":
        return _(
            "the server's certificate: {meaning} ({code})",
            meaning=finding.told.meaning,
            code=_code(finding),
        )
    return _("{meaning} ({code})", meaning=finding.told.meaning, code=_code(finding))


def _code(finding: Finding) -> str:
    known = {"code": finding.code, "name": finding.told.name}
    if finding.kind == "alert":
        return _("alert {code}, {name}", **known)
    if finding.kind == "verify":
        return _("verify error {code}, {name}", **known)
    return finding.told.name
