"""Revokes what was issued to somebody: all of it, since a leaver has the old keys as well."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl.audit import LOG
from mtls_openssl.errors import NotProvenError, UsageError
from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca, pkey
from mtls_openssl.openssl.ca import Entry, Status
from mtls_openssl.register import CONFIG, NAMES, Issued
from mtls_openssl.register import keeping as steps
from mtls_openssl.revocation import choosing, listing
from mtls_openssl.revocation.choosing import Wish
from mtls_openssl.revocation.listing import Listed
from mtls_openssl.revocation.work import Work, raise_for
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Command

REASONS = tuple(reason for reason in ca.REASONS if reason != "removeFromCRL")
"""Why a certificate can be revoked here.

removeFromCRL lets one in again, and belongs into a delta CRL, which openssl does not make; in a
whole one, openssl itself takes it for "not revoked" (RFC 5280, section 5.3.1).
"""

HOLD = "certificateHold"


@dataclasses.dataclass(frozen=True)
class Done:
    """What came of it.

    Args:
        wish: what was to be revoked.
        revoked: what is revoked now, and was not.
        already: what had been revoked before.
        expired: what has expired, and so is refused anyway.
        files: the file of each certificate, by its serial number.
        absent: valid certificates of the same subject that are in no file any more.
        namesakes: names of others who have a valid certificate of the same subject.
        unlisted: serial numbers that are revoked, and that the CRL does not list.
        entered: how many certificates were not in the register before.
        listed: the CRLs that were made; None if none were.
        backup: where that is which was replaced.
        notes: what a person should know besides.
    """

    wish: Wish
    revoked: tuple[Entry, ...]
    already: tuple[Entry, ...]
    expired: tuple[Entry, ...]
    files: dict[str, Path]
    absent: tuple[Entry, ...]
    namesakes: tuple[str, ...]
    unlisted: tuple[str, ...]
    entered: int = 0
    listed: Listed | None = None
    backup: Path | None = None
    notes: tuple[Text, ...] = ()


def refuse_authority(folder: Path, name: str) -> None:
    """Refuse to revoke an authority.

    Args:
        folder: the folder of the set.
        name: whose certificates are to be revoked.

    Raises:
        UsageError: it is one.
    """
    if name.lower() == ROOT:
        raise UsageError(
            _("The root CA can't be revoked."),
            cause=_(
                "whoever trusts it does so because it is in their trust store, and a list that it"
                " signs itself can't take that back"
            ),
            fix=_(
                "take it out of the trust stores: {remove}; then make a new CA, and with it all"
                " certificates: {command}",
                remove=ours(folder, "trust", "remove"),
                command=ours(folder, "all"),
            ),
        )
    if name.lower() == INTERMEDIATE:
        raise UsageError(
            _("The intermediate authority is not revoked here."),
            cause=_(
                "with it everything that it has issued ends at once, and the register is its own"
            ),
            fix=_(
                "revoke what it has issued, by name; if its key is in wrong hands, make a new set"
                " with a new root"
            ),
        )


def revoke(work: Work, wish: Wish, now: datetime | None = None) -> Done:
    """Revoke, and make a CRL that says so.

    Args:
        work: the run.
        wish: what is to be revoked.
        now: the time; the computer's unless given.

    Raises:
        UsageError: nobody of that name has a certificate, or two have, or it is not one of theirs.
        FolderUnavailableError: one of theirs can't be read, and is not in the register.
        NotProvenError: the CRL did not pass its proof. In each case nothing has changed.
    """
    now = now or datetime.now(UTC)
    before, wish = work.entries, choosing.as_spelt(work, wish)
    chosen = choosing.chosen(work, wish, before)
    victims = [entry for entry in chosen if entry.lives(now)]
    done = _told(work, wish, chosen, victims, now)
    if not victims:
        return done
    issued = {one.serial: one for one in work.findings.issued}
    for entry in victims:
        _revoke_one(work, entry, issued.get(entry.serial), wish.reason, now)
    _see_that_all_is_as_meant(work, before, victims)
    _mark_expired(work, now)
    listed = None
    files: tuple[str, ...] = NAMES
    if wish.days is not None:
        listed = listing.make(work, wish.days)
        raise_for(listed.checks, work.folder / LOG)
        files = (*NAMES, *listed.files)
    serials = {entry.serial for entry in victims}
    return dataclasses.replace(
        done,
        revoked=tuple(entry for entry in work.entries if entry.serial in serials),
        unlisted=() if listed else (*done.unlisted, *sorted(serials)),
        listed=listed,
        notes=listed.notes if listed else (),
        backup=work.commit(*files),
    )


def _told(
    work: Work, wish: Wish, chosen: Sequence[Entry], victims: Sequence[Entry], now: datetime
) -> Done:
    files = {one.serial: one.path for one in work.findings.issued}
    names = {one.serial: one.name for one in work.findings.issued}
    subjects = {entry.subject for entry in chosen}
    others = [
        entry
        for entry in work.entries
        if entry.subject in subjects and entry not in chosen and entry.lives(now)
    ]
    already = tuple(entry for entry in chosen if entry.status is Status.REVOKED)
    listed = {
        ca.plain(one.serial)
        for crl in (work.before.lists if work.before else ())
        for one in crl.revoked
    }
    return Done(
        wish=wish,
        revoked=(),
        already=already,
        expired=tuple(one for one in chosen if one not in already and one not in victims),
        files=files,
        absent=tuple(entry for entry in others if entry.serial not in files),
        namesakes=tuple(
            sorted({names[entry.serial] for entry in others if entry.serial in files} - {wish.name})
        ),
        unlisted=tuple(entry.serial for entry in already if entry.serial not in listed),
        entered=work.entered,
    )


def _revoke_one(
    work: Work, entry: Entry, issued: Issued | None, reason: str, now: datetime
) -> None:
    if issued is None:
        index = (work.desk.scratch / ca.INDEX).read_text("utf-8")
        work.render(
            steps.text(
                ca.INDEX,
                ca.revoked_by_hand(index, entry.serial, reason, now),
                _("the register, with {serial} revoked in it", serial=entry.serial),
            )
        )
        return
    secret = work.secret(work.issuer)
    file = work.certificate(issued)
    work.run(
        Command(
            ca.revoke(file, reason, CONFIG, *pkey.unlocking("".join(secret))),
            _("revoke the certificate of {name} with the serial number {serial}",
              name=issued.name, serial=entry.serial),
            reads=(file, CONFIG, f"{work.issuer}.crt", f"{work.issuer}.key"),
            updates=(ca.INDEX, ca.ATTRIBUTES),
            secrets=secret,
        )
    )  # fmt: skip


def _see_that_all_is_as_meant(
    work: Work, before: Sequence[Entry], victims: Sequence[Entry]
) -> None:
    serials = {entry.serial for entry in victims}
    after = {entry.serial: entry for entry in work.entries}
    wrong = [
        entry.serial
        for entry in before
        if (entry.serial not in serials and after.get(entry.serial) != entry)
        or (entry.serial in serials and after[entry.serial].status is not Status.REVOKED)
    ]
    if wrong or len(after) != len(before):
        raise NotProvenError(
            _("openssl did not change the register as it should have: {serials}.",
              serials=", ".join(wrong)),
            fix=_("what openssl said is in {log}", log=work.folder / LOG),
        )  # fmt: skip


def _mark_expired(work: Work, now: datetime) -> None:
    if any(entry.status is Status.VALID and not entry.lives(now) for entry in work.entries):
        secret = work.secret(work.issuer)
        work.run(
            Command(
                ca.mark_expired(CONFIG, *pkey.unlocking("".join(secret))),
                _("mark in the register what has expired"),
                reads=(CONFIG, f"{work.issuer}.crt", f"{work.issuer}.key"),
                updates=(ca.INDEX, ca.ATTRIBUTES),
                secrets=secret,
            )
        )


def renew_list(work: Work, days: int, now: datetime | None = None) -> tuple[Listed, Path | None]:
    """Make the CRLs anew, whatever has changed.

    Args:
        work: the run.
        days: how long they are to be good.
        now: the time; the computer's unless given.

    Returns:
        The CRLs, and where those went that they replace.

    Raises:
        NotProvenError: they did not pass their proof; nothing has changed.
    """
    _mark_expired(work, now or datetime.now(UTC))
    listed = listing.make(work, days)
    raise_for(listed.checks, work.folder / LOG)
    return listed, work.commit(*NAMES, *listed.files)


def warnings(done: Done, folder: Path) -> Iterator[Text]:
    """What is left to do, or to know, a sentence each.

    Args:
        done: what was done.
        folder: the folder of the set.
    """
    for entry in done.absent:
        yield _(
            "{serial} of {subject} is valid still, and its certificate is in no file here: revoke"
            " it too with --serial {serial}",
            serial=entry.serial,
            subject=entry.shown,
        )
    for entry in done.revoked if done.wish.name and not done.wish.serial else ():
        if entry.serial not in done.files:
            yield _(
                "{serial} is revoked too: no file here that can be read has its certificate, and"
                " its subject is that of {name}.",
                serial=entry.serial,
                name=done.wish.name,
            )
    if done.namesakes:
        yield _(
            "Of the same subject, and not revoked: {names}", names=joined(_(", "), done.namesakes)
        )
    if done.revoked and done.wish.reason == HOLD:
        yield _(
            "A hold is for ever here: openssl has no way to take it back. To let them in again,"
            " issue a new certificate."
        )
    if done.unlisted:
        yield _(
            "The CRL does not say so yet, so they are let in still: {command}",
            command=ours(folder, "crl"),
        )
