"""When the authorities of a folder end: with them ends all that they have issued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl.errors import NotProvenError
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, Authority, Manifest
from mtls_openssl.plan import Plan
from mtls_openssl.scripting.prompt import ours


def of(file: Path) -> datetime | None:
    """When a certificate ends; None where there is none that can be read."""
    # A set that is made whole has nothing to read here.
    from mtls_openssl.life import below  # noqa: PLC0415

    described = below.read(file)
    return described.not_after if described else None


def above(plan: Plan, manifest: Manifest | None) -> tuple[Authority, ...]:
    """The authorities that are there and that a plan issues below; none where it issues nothing.

    Args:
        plan: it.
        manifest: what it was made from; None where it was not made from any.
    """
    there = manifest.authorities if manifest else ()
    if not any(one.key_file in plan.needs for one in there):
        return ()
    return tuple(one for one in there if one.certificate_file in plan.needs)


def expired(folder: Path, authorities: Iterable[Authority]) -> Iterator[tuple[Authority, datetime]]:
    """The authorities that have expired, and when; the root first.

    Args:
        folder: where their certificates are.
        authorities: them.
    """
    now = datetime.now(UTC)
    for one in authorities:
        ends = of(folder / one.certificate_file)
        if ends is not None and ends < now:
            yield one, ends


def require_in_date(authorities: Iterable[Authority], folder: Path) -> None:
    """See that nothing is issued that everybody refuses.

    Args:
        authorities: those that it would be issued below.
        folder: where their certificates are.

    Raises:
        NotProvenError: one of them has expired.
    """
    for one, ends in expired(folder, authorities):
        fix: str = ours(folder, "repair-ca", "--ca-days", "3650")
        if one.name == INTERMEDIATE:
            fix = ours(folder, "renew", one.name)
            if not (folder / "mtls.toml").is_file():
                fix = _("describe the set in mtls.toml; then: {command}", command=fix)
        date = f"{ends:%Y-%m-%d}"
        raise NotProvenError(
            _("{file} has expired on {date}.", file=one.certificate_file, date=date),
            cause=_("everybody refuses it, and with a CA all that it has issued"),
            fix=fix,
        )


def outlived(
    folder: Path, authorities: Iterable[Authority], issued: Iterable[datetime]
) -> Iterator[Text]:
    """That certificates last longer than an authority above them, if they do by a day or more.

    Args:
        folder: where the certificates of the authorities are.
        authorities: them.
        issued: when each certificate ends.
    """
    ends = [end for one in authorities if (end := of(folder / one.certificate_file))]
    last = max(issued, default=None)
    if ends and last and last.date() > min(ends).date():
        yield _(
            "certificates are refused from the day that their CA ends: {date}",
            date=f"{min(ends):%Y-%m-%d}",
        )
