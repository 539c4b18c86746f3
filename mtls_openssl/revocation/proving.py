"""What must be true of a CRL before anybody is to go by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca, crl, verify
from mtls_openssl.openssl.crl import Description
from mtls_openssl.proof import Check
from mtls_openssl.register import DER, LIST, ROOT_LIST, Issued, Standing
from mtls_openssl.revocation.work import Work
from mtls_openssl.steps import Command, Kind

REVOKED = "certificate revoked"
"""What `openssl verify` says of one (X509_V_ERR_CERT_REVOKED)."""

_TRIED = 20


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a CRL must be.

    Args:
        file: its file.
        number: its number.
        days: how long it is good.
        before: the CRLs before it; None if there were none.
    """

    file: str
    number: int
    days: int
    before: Standing | None


def prove(work: Work, wanted: Wanted) -> tuple[tuple[Check, ...], tuple[Description, ...]]:
    """Hold a CRL against what was asked for, and against the register.

    Args:
        work: the run.
        wanted: what it must be.

    Returns:
        Every check that was made, passed or not; and what all CRLs of the set say.

    Raises:
        CommandFailedError: a CRL can't be read back.
    """
    read = [_read(work, wanted.file), _read(work, DER, "DER")]
    checks = [
        *_as_asked(work, read[0], wanted),
        _equal(DER, _("it says the same as {file}", file=wanted.file), read[1], read[0]),
        _signed(work, wanted.file, work.issuer),
    ]
    lists = [read[0]]
    if work.issuer != ROOT:
        lists.append(_read(work, ROOT_LIST))
        checks.append(_signed(work, ROOT_LIST, ROOT))
    return (*checks, *_effects(work)), tuple(lists)


def _read(work: Work, file: str, form: str = "PEM") -> Description:
    command = Command(
        crl.describe(file, form), _("read {file} back", file=file), Kind.PROOF, reads=(file,)
    )
    return crl.parse(work.run(command).finished.stdout)


def _as_asked(work: Work, read: Description, wanted: Wanted) -> Iterator[Check]:
    listed = sorted(ca.plain(one.serial) for one in read.revoked)
    revoked = sorted(entry.serial for entry in work.entries if entry.status is ca.Status.REVOKED)
    yield _equal(
        LIST, _("it lists what the register says is revoked, and no more"), listed, revoked
    )
    yield _equal(LIST, _("it has the number that comes next"), read.number, wanted.number)
    last = wanted.before.of(read.issuer) if wanted.before else None
    if last and last.number is not None:
        rose = read.number is not None and read.number > last.number
        fault = "" if rose else _("the one before has {number}", number=last.number)
        yield Check(LIST, _("its number has risen"), fault)
    lasts = (read.next_update - read.last_update).days if read.next_update else None
    yield _equal(LIST, _("it is good for as long as asked, in days"), lasts, wanted.days)


def _signed(work: Work, file: str, authority: str) -> Check:
    certificate = f"{authority}.crt"
    finished = work.run(
        Command(
            crl.check(file, certificate),
            _("check that {file} is signed by {authority}", file=file, authority=certificate),
            Kind.PROOF,
            reads=(file, certificate),
            verdict=True,
        )
    ).finished
    said = f"{finished.stdout}\n{finished.stderr}"
    fault = "" if crl.is_ok(said) else _("openssl said: {words}", words=" ".join(said.split()))
    return Check(file, _("it is signed by {authority}", authority=certificate), fault)


def _effects(work: Work) -> Iterator[Check]:
    """Whether openssl lets in by the CRL who is to be let in, and refuses who is revoked."""
    now = datetime.now(UTC)
    entries = {entry.serial: entry for entry in work.entries}
    tried = [
        issued
        for issued in _tried(work.findings.issued, work)
        if entries[issued.serial].status is ca.Status.REVOKED or entries[issued.serial].lives(now)
    ]
    for issued, reason in zip(tried, _refused(work, tried), strict=True):
        subject = f"{issued.name} ({issued.serial})"
        if entries[issued.serial].status is ca.Status.REVOKED:
            fault: str | Text = (
                "" if REVOKED in reason else _("it is not: {why}", why=reason or "OK")
            )
            yield Check(subject, _("it is refused as revoked"), fault)
        else:
            bad = REVOKED in reason or "CRL" in reason
            yield Check(subject, _("the CRL lets it in"), reason if bad else "")


def _tried(issued: Sequence[Issued], work: Work) -> Iterator[Issued]:
    """Those that a CRL is tried on: the newest, and of the revoked ones the newest as well."""
    revoked = {entry.serial for entry in work.entries if entry.status is ca.Status.REVOKED}
    yield from [one for one in issued if one.serial in revoked][:_TRIED]
    yield from [one for one in issued if one.serial not in revoked][:_TRIED]


def _refused(work: Work, tried: Sequence[Issued]) -> list[str]:
    """Why openssl refuses each certificate with the CRL; empty if it does not."""
    if not tried:
        return []
    names = [work.certificate(issued) for issued in tried]
    between = f"{INTERMEDIATE}.crt" if work.issuer != ROOT else ""
    finished = work.run(
        Command(
            verify.unrevoked(LIST, *names, intermediate=between),
            _("see what the CRL does to {count} certificate{count:|s}", count=len(names)),
            Kind.PROOF,
            reads=tuple(filter(None, (f"{ROOT}.crt", between, LIST, *names))),
            verdict=True,
        )
    ).finished
    refused = verify.refused(finished.stderr)
    rest = finished.stderr.rpartition(": verification failed\n")[2]
    said = [refused.get(name, rest) for name in names]
    return [
        "" if verify.is_ok(finished.stdout, name) else verify.reason(one) or " ".join(one.split())
        for name, one in zip(names, said, strict=True)
    ]


def _equal(file: str, claim: Text, found: object, wanted: object) -> Check:
    fault = _("it says {found!r}, where {wanted!r} was asked for", found=found, wanted=wanted)
    return Check(file, claim, "" if found == wanted else joined(_(", "), [fault]))
