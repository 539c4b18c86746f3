"""Says which certificates are meant that are to be revoked: all of a name, or one by its number."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.language import _, joined
from mtls_openssl.openssl.ca import Entry
from mtls_openssl.plan.naming import Names
from mtls_openssl.register import Issued
from mtls_openssl.revocation.work import Work
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.workspace.commit import BACKUP


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is to be revoked.

    Args:
        name: whose certificates, as their files are called before the dot; empty for one serial
            number, whoever has it.
        serial: the serial number of the only one; empty for all of the name's.
        reason: one of REASONS.
        days: how long the CRL is good that is made at once; None for no CRL.
    """

    name: str
    serial: str
    reason: str
    days: int | None


def as_spelt(work: Work, wish: Wish) -> Wish:
    """The same, by the name as it is spelt.

    Raises:
        UsageError: two are meant that differ in upper and lower case only.
    """
    found = work.findings.of(wish.name)
    here = _names_here(work, found)
    if len(here) > 1 and wish.name not in here:
        raise UsageError(
            _("{names} differ in upper and lower case only.", names=joined(_(", "), sorted(here))),
            fix=_("give the name as it is spelt"),
        )
    names = Names(here or {one.name for one in found})
    return dataclasses.replace(wish, name=names.spelt(wish.name) or wish.name)


def _names_here(work: Work, issued: Sequence[Issued]) -> set[str]:
    """The names in the folder itself; who was here before is in the backups alone."""
    backups = work.folder / BACKUP
    return {one.name for one in issued if not one.path.is_relative_to(backups)}


def _of_name(work: Work, name: str) -> tuple[Issued, ...]:
    found = work.findings.of(name)
    # Of two who are here, each is meant by the own name alone.
    others = _names_here(work, found) - {name}
    return tuple(one for one in found if one.name not in others)


def chosen(work: Work, wish: Wish, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """What is to be revoked, with what is revoked or has expired already.

    Args:
        work: the run.
        wish: what is wanted, by the name as it is spelt.
        entries: what the register says.

    Raises:
        UsageError: nobody of that name has a certificate, or it is not one of theirs.
        FolderUnavailableError: one of theirs can't be read, and is not in the register.
    """
    theirs = {one.serial for one in _of_name(work, wish.name)}
    if wish.name and not theirs:
        raise _nobody(work, wish.name)
    of_name = tuple(entry for entry in entries if entry.serial in theirs)
    if not wish.serial:
        return (*of_name, *_lost(work, wish.name, of_name, entries))
    subjects = {entry.subject for entry in of_name}
    numbered = tuple(entry for entry in entries if entry.serial == wish.serial)
    if not numbered:
        raise UsageError(
            _(
                "No certificate with the serial number {serial} was issued here.",
                serial=wish.serial,
            ),
            cause=_("the register has these: {serials}", serials=_listed(entries)),
            fix=_("look for the number: python -m mtls_openssl inspect FILE"),
        )
    if wish.name and wish.serial not in theirs and numbered[0].subject not in subjects:
        raise UsageError(
            _("{serial} is not a certificate of {name}.", serial=wish.serial, name=wish.name),
            cause=_("it was issued to {subject}", subject=numbered[0].shown),
            fix=_("give the serial number without a name, if it is the one that you mean"),
        )
    return numbered


def _lost(
    work: Work, name: str, of_name: Sequence[Entry], entries: Sequence[Entry]
) -> tuple[Entry, ...]:
    """What a name has besides in the register, where the file with it can't be read, or is gone.

    Raises:
        FolderUnavailableError: what can't be read is not in the register.
    """
    unread = work.findings.unread_of(name)
    is_here = name in _names_here(work, work.findings.of(name))
    if is_here and not unread:
        # Whoever else was issued one of the same subject may be somebody else.
        return ()
    subjects = {entry.subject for entry in of_name}
    lost = tuple(one for one in _in_no_file(work, entries) if one.subject in subjects)
    current = [path for path in unread if not path.is_relative_to(work.folder / BACKUP)]
    if current and not is_here and not lost:
        raise FolderUnavailableError(
            _("{file} can't be read, and the register does not show which certificate it was:"
              " nothing was revoked.", file=current[0]),
            cause=_("of {name} these alone are known: {serials}",
                    name=name, serials=_listed(of_name)),
            fix=_("bring the file back; or revoke what is known by its number: {command}",
                  command=ours(work.folder, "revoke", "--serial", of_name[0].serial)),
        )  # fmt: skip
    return lost


def _in_no_file(work: Work, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    seen = {one.serial for one in work.findings.issued}
    return tuple(entry for entry in entries if entry.serial not in seen)


def _nobody(work: Work, name: str) -> UsageError:
    if unread := work.findings.unread_of(name):
        now = datetime.now(UTC)
        lost = [one for one in _in_no_file(work, work.entries) if one.lives(now)]
        theirs = [one.serial for one in lost if one.shown.endswith(f"/CN={name}")]
        return UsageError(
            _("{file} can't be read, so that nobody knows what to revoke.", file=unread[0]),
            cause=_("valid, and in no file here, are: {serials}", serials=_listed(lost)),
            fix=_("revoke it by its number: {command}",
                  command=ours(work.folder, "revoke", "--serial", *(theirs or ["HEX"])[:1])),
        )  # fmt: skip
    names = joined(_(", "), work.findings.names) or _("nobody")
    if stranger := Names(work.findings.strangers).spelt(name):
        return UsageError(
            _(
                "{name}.crt was not issued by {authority}.crt.",
                name=stranger,
                authority=work.issuer,
            ),
            cause=_("another authority has signed it, and only that one can revoke it"),
            fix=_("name the folder of that authority with --out"),
        )
    return UsageError(
        _("There is no certificate of {name}, in the folder or in its backups.", name=name),
        cause=_("these have one: {names}", names=names),
        fix=_("give one of these names; or a serial number with --serial"),
    )


def _listed(entries: Sequence[Entry]) -> str:
    return "; ".join(f"{entry.serial} {entry.shown}" for entry in entries) or "-"
