"""What must be true of a CRL before anybody is to go by it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from mtls_openssl.inventory import reading
from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca, crl, verify
from mtls_openssl.openssl.crl import Description, Revoked
from mtls_openssl.proof import Check
from mtls_openssl.register import DER, LIST, ROOT_LIST, Issued, Standing
from mtls_openssl.revocation.work import Work
from mtls_openssl.steps import Command, Finished, Kind

REVOKED = "certificate revoked"
"""What `openssl verify` says of one (X509_V_ERR_CERT_REVOKED)."""

_AGAINST_IT = re.compile(f"{REVOKED}|CRL|unable to|out of memory")
"""What `verify` objects to where it is the CRL's fault, or where it never came to the CRL."""

_TRIED = 20


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a CRL must be.

    Args:
        file: its file.
        number: its number.
        days: how long it is good.
        before: the CRLs before it; None if there were none.
        by_root: whom the root's own list must revoke, where it was made; None if it was not.
    """

    file: str
    number: int
    days: int
    before: Standing | None
    by_root: tuple[Revoked, ...] | None = None


@dataclasses.dataclass(frozen=True)
class _Answer:
    """What `openssl verify` says of a certificate with the CRL.

    Args:
        accepted: whether it said that it is good.
        said: its words.
        objections: how far above the certificate (0) it objects to something, and to what.
    """

    accepted: bool
    said: str
    objections: tuple[tuple[int, str], ...]

    def revokes(self, depth: int) -> bool:
        """Whether the certificate (0), or the one so far above it, is refused as revoked."""
        return any(at == depth and REVOKED in words for at, words in self.objections)

    @property
    def fault(self) -> str | Text:
        """Why it does not show that the CRL lets it in; empty if it does."""
        if self.accepted:
            return ""
        if not self.objections:
            return _("openssl gave no answer: {words}", words=self.said or "-")
        # Whatever else is wrong, an authority that has expired for example, is no fault of the CRL.
        return self.said if _AGAINST_IT.search(self.said) else ""


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
        if wanted.by_root is not None:
            checks.append(
                _equal(
                    ROOT_LIST,
                    _("it lists whom the one before has revoked, and no more"),
                    *(sorted(ca.plain(one.serial) for one in every)
                      for every in (lists[1].revoked, wanted.by_root)),
                )
            )  # fmt: skip
    ended = any(is_revoked(work, one) for one in lists[1:])
    return (*checks, *_effects(work, ended=ended)), tuple(lists)


def is_revoked(work: Work, above: Description) -> bool:
    """Whether the authority that issues is revoked itself.

    Args:
        work: the run.
        above: the CRL of the root.
    """
    name = f"{work.issuer}.crt"
    own = reading.read(work.folder / name, name).certificates
    serials = {ca.plain(one.serial) for one in above.revoked}
    return any(ca.plain(one.described.serial) in serials for one in own[:1])


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


def _effects(work: Work, *, ended: bool) -> Iterator[Check]:
    """Whether openssl lets in by the CRL who is to be let in, and refuses who is revoked.

    Args:
        work: the run.
        ended: whether the root has revoked the authority that issues, and so everybody.
    """
    now = datetime.now(UTC)
    entries = {entry.serial: entry for entry in work.entries}
    tried = [
        issued
        for issued in _tried(work.findings.issued, work)
        if entries[issued.serial].status is ca.Status.REVOKED or entries[issued.serial].lives(now)
    ]
    for issued, answer in zip(tried, _answers(work, tried), strict=True):
        subject = f"{issued.name} ({issued.serial})"
        if entries[issued.serial].status is ca.Status.REVOKED:
            fault = "" if answer.revokes(0) else _("it is not: {why}", why=answer.said or "-")
            yield Check(subject, _("it is refused as revoked"), fault)
        elif ended:
            # openssl goes on to the authority only from a certificate that is not revoked itself.
            good = answer.revokes(1) and not answer.revokes(0)
            claim = _("{file} alone is refused, as revoked", file=f"{work.issuer}.crt")
            yield Check(
                subject, claim, "" if good else _("it is not: {why}", why=answer.said or "-")
            )
        else:
            yield Check(subject, _("the CRL lets it in"), answer.fault)


def _tried(issued: Sequence[Issued], work: Work) -> Iterator[Issued]:
    """Those that a CRL is tried on: the newest, and of the revoked ones the newest as well."""
    revoked = {entry.serial for entry in work.entries if entry.status is ca.Status.REVOKED}
    yield from [one for one in issued if one.serial in revoked][:_TRIED]
    yield from [one for one in issued if one.serial not in revoked][:_TRIED]


def _answers(work: Work, tried: Sequence[Issued]) -> Iterator[_Answer]:
    """What openssl says of each certificate with the CRL."""
    if not tried:
        return
    names = [work.certificate(issued) for issued in tried]
    all_said = _verify(work, names)
    told = verify.refused(all_said.stderr)
    refused = [name for name in names if not verify.is_ok(all_said.stdout, name)]
    for name in names:
        if name in refused and name not in told and len(refused) > 1:
            # OpenSSL 1.1.1 tells on one stream why it refuses, and on the other whom.
            said = _verify(work, [name])
        else:
            said = all_said
        if verify.is_ok(said.stdout, name):
            yield _Answer(accepted=True, said="OK", objections=())
            continue
        words = told.get(name) or verify.refused(f"{said.stderr}\n{said.stdout}").get(name, "")
        why = verify.reason(words) or " ".join(said.stderr.split())
        yield _Answer(accepted=False, said=why, objections=tuple(verify.faults(words)))


def _verify(work: Work, names: Sequence[str]) -> Finished:
    between = f"{INTERMEDIATE}.crt" if work.issuer != ROOT else ""
    return work.run(
        Command(
            verify.unrevoked(LIST, *names, intermediate=between),
            _("see what the CRL does to {count} certificate{count:|s}", count=len(names)),
            Kind.PROOF,
            reads=tuple(filter(None, (f"{ROOT}.crt", between, LIST, *names))),
            verdict=True,
        )
    ).finished


def _equal(file: str, claim: Text, found: object, wanted: object) -> Check:
    fault = _("it says {found!r}, where {wanted!r} was asked for", found=found, wanted=wanted)
    return Check(file, claim, "" if found == wanted else joined(_(", "), [fault]))
