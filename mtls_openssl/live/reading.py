"""One connection read into data: what was agreed on, who trusted whom, and what went wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mtls_openssl.inspection import telling
from mtls_openssl.language import Text, _
from mtls_openssl.live import alerts, refusals, verification
from mtls_openssl.live.explained import Explained
from mtls_openssl.openssl import s_client, x509
from mtls_openssl.openssl.s_client import Kind, Message, Transcript
from mtls_openssl.openssl.x509 import Name, renewal

_FATAL = 2
_HANDSHAKE_FAILURE = 40
_REQUIRED = 116
_SILENT = _("the server said nothing more within the time limit")


@dataclasses.dataclass(frozen=True)
class Link:
    """A certificate, as much of it as a reader of a connection wants.

    Args:
        subject: whom it is for.
        issuer: who signed it.
        not_before: from when it is valid, UTC.
        not_after: until when it is valid, UTC.
        names: its subject alternative names.
    """

    subject: Name
    issuer: Name
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]

    def days_left(self) -> int:
        """Whole days until it expires; negative if it has."""
        return (self.not_after - now()).days


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, or that one should know.

    Args:
        told: what it is, why, and what mends it.
        code: the number of the alert or of the verify code; None for what has none.
        kind: `alert`, `verify`, `http`, `postgres` or `connection`.
    """

    told: Explained
    kind: str
    code: int | None = None


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of one connection.

    Args:
        version: of TLS; empty if there was no handshake.
        cipher: the cipher suite.
        chain: the server's certificates, its own first.
        pem: the same, PEM.
        trusted: whether the chain ends at a trusted CA and all of it is good.
        named: whether the certificate is for the name that was asked for; None if it sent
            none.
        asked: when the server asked for a client certificate: `no`, `handshake`, or `afterwards`.
        authorities: the CAs that it named then.
        sent: whether we sent one.
        accepted: whether it was accepted; None if the server never said.
        http: the status line that an HTTP server answered with.
        wrong: what is not as it should be, the first the most telling.
        notes: what one should know besides.
    """

    version: str
    cipher: str
    chain: tuple[Link, ...]
    pem: tuple[str, ...]
    trusted: bool
    named: bool | None
    asked: str
    authorities: tuple[Name, ...]
    sent: bool
    accepted: bool | None
    http: str
    wrong: tuple[Finding, ...]
    notes: tuple[Text, ...]


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def read(
    transcript: Transcript,
    chain: tuple[Link, ...],
    client: Link | None,
    *,
    starttls: bool,
    timed_out: bool,
) -> Answer:
    """Read a connection.

    Args:
        transcript: what was said on it.
        chain: the server's certificates.
        client: the certificate that was there to be sent.
        starttls: whether the connection began without TLS.
        timed_out: whether it was ended by its time limit.
    """
    messages = transcript.messages
    authorities = tuple(map(x509.parse_name, transcript.authorities))
    codes = {code for code, _words in transcript.errors}
    asked = _asked(messages)
    sent = any(one.ours and s_client.has_certificate(one) for one in messages)
    http = refusals.http(transcript.printed)
    postgres = refusals.postgres(transcript.printed)
    wrong = [
        *_alerts(messages, lacking=asked != "no" and not sent),
        *([Finding(http, "http")] if http else []),
        *([Finding(postgres, "postgres")] if postgres else []),
        *(_no_handshake(transcript, starttls=starttls)),
        *_verification(transcript),
    ]
    if asked == "handshake" and not (sent or wrong or timed_out) and _dropped(messages):
        # Where the server had not read all of ours yet, its system takes the alert back (RFC 9293,
        # section 3.6.1), and all that arrives is the end.
        wrong.append(Finding(alerts.ALERTS[_REQUIRED], "connection"))
    refused = any(one.kind in {"alert", "http", "postgres"} for one in wrong)
    return Answer(
        version=transcript.version,
        cipher=transcript.cipher,
        chain=chain,
        pem=transcript.chain,
        trusted=bool(chain) and not codes - verification.WRONG_NAME,
        named=not codes & verification.WRONG_NAME if chain else None,
        asked=asked,
        authorities=authorities,
        sent=sent,
        accepted=_accepted(transcript, refused=refused) if sent else None,
        http=refusals.status_line(transcript.printed),
        wrong=tuple(wrong),
        notes=(
            *_of_the_client(client, authorities, asked, sent=sent),
            *_of_the_server(chain),
            *([_SILENT] if transcript.cipher and timed_out else []),
        ),
    )


def _asked(messages: tuple[Message, ...]) -> str:
    shaken = False
    when = "no"
    for message in messages:
        shaken = shaken or (message.ours and message.is_a(Kind.FINISHED))
        if not message.ours and message.is_a(Kind.CERTIFICATE_REQUEST):
            when = "afterwards" if shaken else "handshake"
    return when


def _dropped(messages: tuple[Message, ...]) -> bool:
    """Whether the server ended a connection without a word, once it could judge the client."""
    ends = [at for at, one in enumerate(messages) if one.ours and one.is_a(Kind.FINISHED)]
    return bool(ends) and all(one.ours for one in messages[ends[-1] :])


def _accepted(transcript: Transcript, *, refused: bool) -> bool | None:
    if refused or not transcript.cipher:
        return False
    messages = transcript.messages
    last = max(at for at, one in enumerate(messages) if one.ours and s_client.has_certificate(one))
    # Nothing of this is sent before the client's certificate was judged (RFC 8446 section 4.6.1,
    # RFC 5246 section 7.3).
    said = any(
        not one.ours
        and (
            one.content == "data"
            or one.is_a(Kind.NEW_SESSION_TICKET)
            or (one.is_a(Kind.FINISHED) and transcript.version != "TLSv1.3")
            or (one.content == "alert" and one.body[1:] == b"\0")
        )
        for one in messages[last:]
    )
    return True if said else None


def _alerts(messages: tuple[Message, ...], *, lacking: bool) -> Iterator[Finding]:
    begun = any(one.ours and one.is_a(Kind.FINISHED) for one in messages)
    for message in messages:
        if message.ours or message.content != "alert":
            continue
        level, number = message.body
        if (level == _FATAL or not begun) and not (number == alerts.CLOSE_NOTIFY and begun):
            told = alerts.alert(number)
            if number == _HANDSHAKE_FAILURE and lacking:
                # TLS 1.2 has no alert of its own for it (RFC 5246 section 7.4.6).
                told = dataclasses.replace(alerts.ALERTS[_REQUIRED], name=told.name)
            yield Finding(told, "alert", number)


def _no_handshake(transcript: Transcript, *, starttls: bool) -> list[Finding]:
    if transcript.cipher or any(
        one.content == "alert" and not one.ours for one in transcript.messages
    ):
        return []
    raw = next((one for one in transcript.messages if one.content == "raw" and not one.ours), None)
    if raw and not any(one.is_a(Kind.SERVER_HELLO) for one in transcript.messages):
        return [Finding(refusals.not_tls(raw.body), "connection")]
    return [Finding(refusals.complaint(transcript.said, starttls=starttls), "connection")]


def _verification(transcript: Transcript) -> list[Finding]:
    return [
        Finding(verification.verification(code, words), "verify", code)
        for code, words in transcript.errors
    ]


def _of_the_client(
    client: Link | None, authorities: tuple[Name, ...], asked: str, *, sent: bool
) -> Iterator[Text]:
    if asked == "afterwards":
        yield _(
            "the server asks for the client certificate only after the handshake; browsers with"
            " HTTP/2, and most programs with TLS 1.3, do not answer that. On IIS: netsh http ..."
            " clientcertnegotiation=enable, so that it asks in the handshake"
        )
    if asked != "no" and client and not sent:
        yield _(
            "the certificate was not sent: its key or its signature is of a kind that the server"
            " did not ask for"
        )
    # A server that names no CA takes any.
    if sent and client and authorities and client.issuer not in authorities:
        yield _(
            "the server asked for certificates of other CAs than ours, which is {issuer}",
            issuer=telling.name(client.issuer),
        )


def _of_the_server(chain: tuple[Link, ...]) -> Iterator[Text]:
    for link in chain:
        today = now()
        if timedelta(0) <= link.not_after - today <= renewal(link.not_before, link.not_after):
            yield _(
                "{subject} expires soon: {left}",
                subject=telling.name(link.subject),
                left=telling.remaining(link.not_after, today),
            )
