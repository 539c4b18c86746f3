"""How the commands of trust stores tell what they did and found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console
from mtls_openssl.language import Text, _, padded, spoken, width

if TYPE_CHECKING:
    from mtls_openssl.elevation import Host
    from mtls_openssl.steps import Command
    from mtls_openssl.trust.certificate import Certificate
    from mtls_openssl.trust.change import Change
    from mtls_openssl.trust.store import Standing, Store
    from mtls_openssl.trust.windows import Findings


def told(change: Change) -> Text:
    """What a change did."""
    from mtls_openssl.trust.store import Presence  # noqa: PLC0415 - what a command needs, when it does

    store = change.store.title
    if change.wanted is Presence.TRUSTED:
        if change.commands:
            return _("{store}: trusted now, and read back", store=store)
        return _("{store}: trusted already", store=store)
    if change.commands:
        return _("{store}: taken out, and looked again", store=store)
    return _("{store}: it was not in it", store=store)


def line(command: Command, root: Certificate, host: Host) -> str:
    """A command as it can be typed in any folder."""
    return host.line(_argv(command, root))


def _argv(command: Command, root: Certificate) -> list[str]:
    """A command as it can be run in any folder."""
    argv = [
        str(root.source) if argument == root.name and root.name in command.reads else argument
        for argument in command.argv
    ]
    return [str(command.program), *argv]


def print_dry(changes: Sequence[Change], root: Certificate, host: Host, *, json: bool) -> None:
    """What would be run."""
    if json:
        console.print_data(
            {
                "ok": True,
                "dry_run": True,
                "certificate": certificate_data(root),
                "stores": [change_data(one, root) for one in changes],
            }
        )
        return
    for one in changes:
        if not one.commands:
            typer.echo(f"# {spoken(told(one))}")
            continue
        title = one.store.title
        if one.store.needs_elevation:
            title = _("{store}, as administrator", store=title)
        typer.echo(f"# {spoken(title)}")
        for name in one.store.secrets:
            typer.echo(f"# {spoken(_('the variable {name} has its password', name=name))}")
        for command in one.commands:
            typer.echo(line(command, root, host))


def change_data(one: Change, root: Certificate, after: Standing | None = None) -> dict[str, Any]:
    """A change, for a program."""
    return {
        "store": one.store.name,
        "title": one.store.title,
        "before": one.before.presence.value,
        "after": after.presence.value if after else None,
        "needs_elevation": one.store.needs_elevation,
        "commands": [_argv(command, root) for command in one.commands],
    }


def certificate_data(root: Certificate) -> dict[str, str]:
    """Which certificate it is, for a program."""
    return {
        "file": str(root.source),
        "subject": root.subject,
        "sha1": root.sha1,
        "sha256": root.sha256,
    }


def status_data(
    root: Certificate, standings: Sequence[tuple[Store, Standing]], findings: Findings | None
) -> dict[str, Any]:
    """How a certificate stands, for a program."""
    data: dict[str, Any] = {
        "certificate": certificate_data(root),
        "stores": [
            {
                "store": store.name,
                "title": store.title,
                "presence": standing.presence.value,
                "entries": list(standing.entries),
                "reason": standing.reason,
            }
            for store, standing in standings
        ],
    }
    if findings:
        strangers = findings.strangers
        data["windows"] = {
            "verified": findings.verified,
            "not_self_signed_in_root": None
            if strangers is None
            else [{"sha1": sha1, "subject": subject} for sha1, subject in strangers],
        }
    return data


def print_status(root: Certificate, standings: Sequence[tuple[Store, Standing]]) -> None:
    """How a certificate stands in each store."""
    typer.echo(root.subject)
    typer.echo(f"  SHA-1    {root.sha1}")
    typer.echo(f"  SHA-256  {root.sha256}")
    typer.echo("")
    rows = [
        (spoken(store.title), spoken(standing.presence.told), spoken(standing.reason))
        for store, standing in standings
    ]
    first = max((width(row[0]) for row in rows), default=0)
    second = max((width(row[1]) for row in rows), default=0)
    for title, presence, reason in rows:
        typer.echo(f"{padded(title, first)}  {padded(presence, second)}  {reason}".rstrip())


def print_windows(root: Certificate, findings: Findings, host: Host) -> None:
    """What else Windows says, and where to look for oneself."""
    typer.echo("")
    if findings.verified is not None:
        typer.echo(
            spoken(
                _("Windows verifies it: certutil -verify says yes")
                if findings.verified
                else _("Windows does not verify it: certutil -verify says no")
            )
        )
    for sha1, subject in findings.strangers or ():
        told = _(
            "Warning: among the roots of this computer is a certificate that another CA has"
            " signed, so IIS may refuse every client (403.16): {subject}",
            subject=subject,
        )
        typer.echo(spoken(told), err=True)
        typer.echo(
            spoken(
                _(
                    "To mend it, as an administrator: certutil -delstore Root {sha1}"
                    " (an intermediate CA goes to the store CA: certutil -addstore CA FILE)",
                    sha1=sha1,
                )
            ),
            err=True,
        )
    if findings.strangers is None:
        typer.echo(
            spoken(_("The roots could not be searched for intermediates (the cause of 403.16)."))
        )
    typer.echo(
        spoken(
            _(
                "To look for yourself: certlm.msc (this computer) or certmgr.msc (this user),"
                " Trusted Root Certification Authorities, Certificates; or:\n"
                "  certutil -store Root {sha1}\n"
                "  certutil -user -store Root {sha1}\n"
                "  certutil -verify {file}",
                sha1=root.sha1,
                file=host.line([str(root.source)]),
            )
        )
    )
