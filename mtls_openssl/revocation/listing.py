"""Makes the CRLs of a set from its register, for nginx (PEM) and for Windows (DER)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.objects import RevocationList
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT, passphrase_variable
from mtls_openssl.openssl import ca, crl, pkey
from mtls_openssl.openssl.crl import Description, Revoked, runs_out
from mtls_openssl.proof import Check
from mtls_openssl.register import CONFIG, DER, LIST, ROOT_LIST, configured, standing
from mtls_openssl.register import keeping as steps
from mtls_openssl.revocation import proving
from mtls_openssl.revocation.proving import Wanted
from mtls_openssl.revocation.work import Work
from mtls_openssl.steps import Command

_ROOT_CONFIG = "ca.register.cnf"
_ROOT_INDEX = "ca.index.txt"
_ROOT_NUMBER = "ca.crlnumber"
_ROOT_BEFORE = "ca.before.pem"
_ROOT_DAYS = 365
"""A list of a root that is kept elsewhere is not made anew every month."""

_ISSUER_LIST = f"{INTERMEDIATE}.crl.pem"


@dataclasses.dataclass(frozen=True)
class Listed:
    """CRLs that were made and proven.

    Args:
        lists: what they say, the one of the authority that issues first.
        files: their files.
        checks: what was proven.
        notes: what a person should know besides.
    """

    lists: tuple[Description, ...]
    files: tuple[str, ...]
    checks: tuple[Check, ...]
    notes: tuple[Text, ...] = ()

    @property
    def own(self) -> Description:
        """The CRL of the authority that issues."""
        return self.lists[0]


def make(work: Work, days: int) -> Listed:
    """Make the CRLs of a set where all work happens.

    Args:
        work: the run.
        days: how long the CRL of the authority that issues is to be good.

    Raises:
        FolderUnavailableError: the root's list is needed, and its key is not here.
        CommandFailedError: an openssl command failed.
    """
    above = work.issuer != ROOT
    kept = _root_list(work, days) if above else None
    own = _ISSUER_LIST if above else LIST
    number = _rising_number(work)
    secret = work.secret(work.issuer)
    work.run(
        Command(
            ca.make_crl(own, days, CONFIG, *pkey.unlocking("".join(secret))),
            _("list what is revoked, for {days} day{days:|s}", days=days),
            reads=(CONFIG, ca.INDEX, f"{work.issuer}.crt", f"{work.issuer}.key"),
            writes=(own,),
            updates=(ca.CRL_NUMBER,),
            secrets=secret,
        )
    )
    work.run(
        Command(
            crl.write(own, DER, out_form="DER"),
            _("write the CRL in the form that Windows reads"),
            reads=(own,),
            writes=(DER,),
        )
    )
    if above:
        both = "".join((work.desk.scratch / name).read_text("ascii") for name in (own, ROOT_LIST))
        work.render(steps.text(LIST, both, _("the CRLs of both authorities, which nginx asks for")))
    files = (LIST, DER, *((ROOT_LIST,) if above else ()))
    wanted = Wanted(own, number, days, work.before, kept)
    checks, lists = proving.prove(work, wanted)
    return Listed(lists, files, checks, tuple(_notes(work, lists)))


def _rising_number(work: Work) -> int:
    """The number of the CRL that comes next: above all that there were."""
    said = (work.desk.scratch / ca.CRL_NUMBER).read_text("ascii").strip()
    number = int(said, 16)
    authority = work.findings.authority
    last = work.before.of(authority) if work.before and authority else None
    if last and last.number is not None and last.number >= number:
        number = last.number + 1
        work.render(steps.numbered(number))
    return number


def _root_list(work: Work, days: int) -> tuple[Revoked, ...] | None:
    """The root's own list, made where its key is here, else the one that is there.

    Returns:
        Whom it revokes, of one that was made: whoever was revoked before stays so, since there is
        no other register of it here.
    """
    work.bring(f"{ROOT}.crt")
    old = standing(work.desk, work.folder, ROOT_LIST)
    if not work.can_sign(ROOT):
        if old is None or old.is_over(datetime.now(UTC)):
            raise _no_root_list(work)
        work.bring(ROOT_LIST)
        return None
    work.bring(f"{ROOT}.key")
    kept = _revoked_by_root(work)
    there = [*(old.lists if old else ()), *(work.before.lists if work.before else ())]
    numbers = [one.number or 0 for one in there if one.issuer != work.findings.authority]
    secret = work.secret(ROOT)
    work.render(
        configured(ROOT, name=_ROOT_CONFIG, index=_ROOT_INDEX, number=_ROOT_NUMBER),
        steps.text(
            _ROOT_INDEX,
            steps.taken_over(steps.EMPTY, kept),
            _("the register of the root, with what its CRL in place has revoked"),
        ),
        steps.numbered(max(numbers, default=0) + 1, _ROOT_NUMBER),
    )
    work.run(
        Command(
            ca.make_crl(
                ROOT_LIST,
                max(days, _ROOT_DAYS),
                _ROOT_CONFIG,
                *pkey.unlocking("".join(secret)),
            ),
            _("make the root's own CRL"),
            reads=(_ROOT_CONFIG, _ROOT_INDEX, f"{ROOT}.crt", f"{ROOT}.key"),
            writes=(ROOT_LIST,),
            updates=(_ROOT_NUMBER,),
            secrets=secret,
        )
    )
    return kept


def _revoked_by_root(work: Work) -> tuple[Revoked, ...]:
    """Whom the root's list in place has revoked, in its own file or with the issuer's."""
    found = dict[str, Revoked]()
    reader = Reader(work.desk, lambda _path: None)
    for path in (work.folder / ROOT_LIST, work.folder / LIST):
        things = [item.thing for item in reader.read(path).items] if path.is_file() else []
        for one in things:
            if (
                isinstance(one, RevocationList)
                and one.described.issuer != work.findings.authority
                and one.described.revoked
            ):
                work.render(steps.text(_ROOT_BEFORE, f"{one.pem}\n", _("a CRL that is in place")))
                if work.is_signed(_ROOT_BEFORE, ROOT):
                    found |= {ca.plain(entry.serial): entry for entry in one.described.revoked}
    return tuple(found.values())


def _no_root_list(work: Work) -> FolderUnavailableError:
    key = work.folder / f"{ROOT}.key"
    what = _("The root's own CRL is needed, and {file} is not here to sign it.", file=key.name)
    fix = _(
        "put ca.key beside it for this once; or run `python -m mtls_openssl crl` where it is, and"
        " copy the crl.pem from there to here as {file}",
        file=ROOT_LIST,
    )
    if key.is_file():
        what = _("The root's own CRL is needed, and {file} has a pass phrase.", file=key.name)
        fix = _("put its pass phrase into the variable {variable} for this once",
                variable=passphrase_variable(ROOT))  # fmt: skip
    return FolderUnavailableError(
        what,
        cause=_(
            "nginx and others ask for the CRL of every authority in the chain, and refuse everybody"
            " where one is missing or over"
        ),
        fix=fix,
    )


def _notes(work: Work, lists: tuple[Description, ...]) -> Iterator[Text]:
    for one in lists[1:]:
        if runs_out(one, datetime.now(UTC)):
            yield _(
                "The root's own CRL, {file}, is good until {date} only: have it made anew with"
                " ca.key.",
                file=ROOT_LIST,
                date=f"{one.next_update:%Y-%m-%d}",
            )
        if proving.is_revoked(work, one):
            yield _(
                "The root has revoked {file}, and {list} says so: whoever checks with it refuses"
                " everybody who was issued a certificate here.",
                file=f"{work.issuer}.crt",
                list=ROOT_LIST,
            )
