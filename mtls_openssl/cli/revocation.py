"""The commands that take back what was issued: revoke, crl, ocsp."""

from __future__ import annotations

import contextlib
import enum
import inspect
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.files import heard
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.passphrase import PASSPHRASE, of_folder
from mtls_openssl.cli.wording import App
from mtls_openssl.errors import UsageError
from mtls_openssl.language import Text, _, spoken

if TYPE_CHECKING:
    from mtls_openssl.openssl.ca import Entry
    from mtls_openssl.revocation.listing import Listed
    from mtls_openssl.revocation.responder import Answer
    from mtls_openssl.revocation.revoking import Done
    from mtls_openssl.revocation.work import Work
    from mtls_openssl.settings import Loaded

_DAYS = 30
"""How long a CRL is good where nobody says otherwise."""


class Reason(enum.StrEnum):
    """Why a certificate is revoked; as `openssl ca -crl_reason` has it."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "CACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"


_NAME = (
    inspect.Parameter(
        "name",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            str | None,
            typer.Argument(
                metavar="[NAME]", show_default=False,
                help=spoken(_("Whose certificates: `client` for client.crt, and so on.")),
            ),
        ],
    ),
)  # fmt: skip
_REVOKE = (
    option(
        Reason, "--reason", default=Reason.UNSPECIFIED, case_sensitive=False, metavar="REASON",
        help=_("Why; it stands in the CRL: {reasons}.", reasons=", ".join(Reason)),
    ),
    option(
        str | None, "--serial", metavar="HEX", show_default="all of the name's",
        help="Only the certificate with this serial number.",
    ),
    option(
        bool, "--crl/--no-crl", default=True,
        help="Make the CRL at once, without which nobody hears of it.",
    ),
)  # fmt: skip
_LASTING = (
    option(
        int | None, "--days", min=1, max=3650, metavar="DAYS",
        show_default="crl_days of mtls.toml, else 30",
        help="Days that the CRL is good.",
    ),
)  # fmt: skip


_PORT = (
    option(
        int, "--port", default=2560, min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one."
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (revoke, crl):
        app.command()(command)
    ocsp = App(help="Answer by OCSP whether a certificate is revoked.")
    ocsp.command()(serve)
    app.add_typer(ocsp, name="ocsp", short_help=spoken(_("Answer by OCSP, for trying.")))


@takes(_NAME, options.LOOK, _REVOKE, _LASTING, PASSPHRASE)
def revoke(choices: Choices) -> None:
    """Revoke all certificates of a name, the superseded ones too, and make a CRL that says so."""
    from mtls_openssl.openssl import ca  # noqa: PLC0415 - as all below: when it is needed
    from mtls_openssl.revocation import choosing, revoking  # noqa: PLC0415

    name = (choices["name"] or "").removesuffix(".crt")
    try:
        serial = ca.plain(choices["serial"]) if choices["serial"] else ""
    except ValueError as error:
        raise UsageError(
            _("--serial: {why}", why=error),
            fix=_("give it as `python -m mtls_openssl inspect` shows it"),
        ) from None
    if not name and not serial:
        raise UsageError(
            _("Whose certificates are to be revoked?"),
            fix=_("give a name, such as client; or a serial number with --serial"),
        )
    revoking.refuse_authority(choices["out"], name)
    wish = choosing.Wish(
        name, serial, choices["reason"].value, _days(choices) if choices["crl"] else None
    )
    with _at_work(choices, "revoke", name) as work:
        done = revoking.revoke(work, wish)
    console.be_deaf()
    if choices["json"]:
        console.print_data(_revoked_data(done, work))
    elif not choices["quiet"]:
        for line in _revoked(done, work):
            typer.echo(spoken(line))


@takes(options.LOOK, _LASTING, PASSPHRASE)
def crl(choices: Choices) -> None:
    """Make the list of what is revoked (CRL), for nginx (crl.pem) and for Windows (crl.der)."""
    from mtls_openssl.revocation import revoking  # noqa: PLC0415

    with _at_work(choices, "crl") as work:
        listed, backup = revoking.renew_list(work, _days(choices))
    console.be_deaf()
    if choices["json"]:
        console.print_data(
            {
                "command": "crl",
                "ok": True,
                "folder": str(work.folder),
                **_listed_data(listed, work.folder),
                "backup": str(backup) if backup else None,
            }
        )
    elif not choices["quiet"]:
        said = (
            *_entered(work), *_unread(work), *_listed(listed, work.folder), *_kept(backup),
        )  # fmt: skip
        for line in said:
            typer.echo(spoken(line))


@takes(options.LOOK, _PORT, PASSPHRASE)
def serve(choices: Choices) -> None:
    """Answer by OCSP from the register, on this computer alone, for trying, until Ctrl-C.

    Each request is answered by an `openssl ocsp` of its own, with the register as it is then;
    openssl's own -port would listen on every address of the machine.
    """
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415
    from mtls_openssl.revocation.responder import Listener, Responder  # noqa: PLC0415

    found = find(choices["openssl"], Door())
    responder = Responder(choices["out"], found, _passphrases(choices), choices["timeout"])
    silent = choices["quiet"] or choices["json"]

    def told(answer: Answer) -> None:
        if not silent:
            typer.echo(spoken(_answered(answer)))

    with Listener(choices["port"], responder, told) as listener:
        responder.see_that_it_works()
        try:
            _announce(choices, responder.to_try(listener.url), listener.url)
            while True:
                listener.handle_request()
        except KeyboardInterrupt:
            console.be_deaf()
    if not silent:
        typer.echo(spoken(_("Ended.")))


def _announce(choices: Choices, asking: Sequence[str], url: str) -> None:
    from mtls_openssl.scripting import quoting  # noqa: PLC0415

    if choices["json"]:
        console.print_data({"command": "ocsp serve", "url": url, "try": ["openssl", *asking]})
    elif not choices["quiet"]:
        line = quoting.cmd_line if sys.platform == "win32" else quoting.posix_line
        typer.echo(spoken(_("Answering at {url} until Ctrl-C, this computer alone.", url=url)))
        typer.echo(
            spoken(
                _(
                    "To try it, in {folder}: {command}",
                    folder=Path(os.path.abspath(choices["out"])),  # noqa: PTH100
                    command=line(("openssl", *asking)),
                )
            )
        )


def _answered(answer: Answer) -> Text:
    if not answer.statuses:
        return _("Answered: that was no request")
    said = ", ".join(f"{serial} {status}" for serial, status in answer.statuses)
    return _("Answered: {said}", said=said)


@contextlib.contextmanager
def _at_work(choices: Choices, command: str, only: str = "") -> Iterator[Work]:
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415
    from mtls_openssl.revocation.work import Order, at_work  # noqa: PLC0415

    door = Door()
    found = find(choices["openssl"], door)
    order = Order(
        choices["out"],
        command,
        passphrases=_passphrases(choices),
        limit=choices["timeout"],
        heard=heard(choices),
        only=only,
    )
    with at_work(order, found, door=door) as work:
        yield work


def _passphrases(choices: Choices) -> Mapping[str, str]:
    from mtls_openssl.register import issuer_of  # noqa: PLC0415

    folder: Path = choices["out"]
    settings = _settings(folder)
    sources = settings.passphrases if settings else {}
    return of_folder(choices, folder, sources, issuer=issuer_of(folder))


def _days(choices: Choices) -> int:
    days: int | None = choices["days"]
    if days is not None:
        return days
    settings = _settings(choices["out"])
    return settings.manifest.crl_days if settings else _DAYS


def _settings(folder: Path) -> Loaded | None:
    if not (folder / "mtls.toml").is_file():
        return None
    from mtls_openssl.settings import load  # noqa: PLC0415 - for a folder with settings

    return load({}, environ=os.environ, config=folder / "mtls.toml")


def _revoked(done: Done, work: Work) -> Iterator[Text]:
    from mtls_openssl.revocation.revoking import warnings  # noqa: PLC0415

    wish = done.wish
    if done.revoked:
        yield from _entered(work)
    yield from _unread(work)
    for entry in done.revoked:
        yield _("Revoked: {entry}", entry=_shown(done, entry))
        yield _("  Reason: {reason}", reason=wish.reason)
    for entry in done.already:
        yield _(
            "Revoked already, since {date}: {entry}",
            date=f"{entry.revoked:%Y-%m-%d %H:%M} UTC",
            entry=_shown(done, entry),
        )
    for entry in done.expired:
        yield _("Expired, so refused anyway: {entry}", entry=_shown(done, entry))
    if not done.revoked:
        yield _("Nothing was changed.")
    elif wish.name:
        yield _("The files of {name} stay where they are.", name=wish.name)
    for warning in warnings(done, work.folder):
        yield _("Note: {note}", note=warning)
    if done.listed:
        yield from _listed(done.listed, work.folder)
    yield from _kept(done.backup)


def _shown(done: Done, entry: Entry) -> str:
    path = done.files.get(entry.serial)
    return f"{entry.serial}  {path or '-'}  {entry.shown}"


def _entered(work: Work) -> Iterator[Text]:
    if work.entered:
        yield _("Entered into the register: {count} certificate{count:|s}", count=work.entered)
    if work.taken_over:
        yield _("Taken over from the CRL, which had revoked them: {count}", count=work.taken_over)


def _unread(work: Work) -> Iterator[Text]:
    for _path, why in work.findings.unread:
        yield _("Note: {note}", note=_("not in the register: {why}", why=why))


def _listed(listed: Listed, folder: Path) -> Iterator[Text]:
    from mtls_openssl.revocation.advice import after_list  # noqa: PLC0415

    yield _(
        "CRL number {number}: {count} revoked; {files}. Proven: {checks} checks",
        number=listed.own.number,
        count=len(listed.own.revoked),
        files=", ".join(str(folder / name) for name in listed.files),
        checks=len(listed.checks),
    )
    for note in (*listed.notes, *after_list(listed, folder)):
        yield _("- {note}", note=note)


def _kept(backup: Path | None) -> Iterator[Text]:
    if backup:
        yield _("What was there before is in {folder}", folder=backup)


def _revoked_data(done: Done, work: Work) -> dict[str, Any]:
    from mtls_openssl.revocation.revoking import warnings  # noqa: PLC0415

    def told(entries: Sequence[Entry]) -> list[dict[str, Any]]:
        return [
            {
                "serial": entry.serial,
                "subject": entry.shown,
                "file": str(done.files[entry.serial]) if entry.serial in done.files else None,
                "expires": entry.expires.isoformat(),
                "revoked": entry.revoked.isoformat() if entry.revoked else None,
                "reason": entry.reason or None,
            }
            for entry in entries
        ]

    return {
        "command": "revoke",
        "ok": True,
        "folder": str(work.folder),
        "name": done.wish.name or None,
        "revoked": told(done.revoked),
        "already_revoked": told(done.already),
        "expired": told(done.expired),
        "still_valid": told(done.absent),
        "entered": done.entered,
        "crl": _listed_data(done.listed, work.folder) if done.listed else None,
        "backup": str(done.backup) if done.backup else None,
        "notes": [str(note) for note in (*warnings(done, work.folder), *done.notes)],
    }


def _listed_data(listed: Listed, folder: Path) -> dict[str, Any]:
    return {
        "number": listed.own.number,
        "last_update": listed.own.last_update.isoformat(),
        "next_update": min(one.next_update for one in listed.lists if one.next_update).isoformat(),
        "revoked": [one.serial for one in listed.own.revoked],
        "files": {name: str(folder / name) for name in listed.files},
        "checks": [
            {"file": check.subject, "claim": str(check.claim), "passed": not check.fault}
            for check in listed.checks
        ],
        "notes": [str(note) for note in listed.notes],
    }
