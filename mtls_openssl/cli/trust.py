"""The commands of trust stores: trust install, remove, status, export."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtls_openssl.cli import console, options, standing
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.wording import App
from mtls_openssl.errors import Exit, UsageError
from mtls_openssl.language import Text, _, spoken

if TYPE_CHECKING:
    from mtls_openssl.elevation import Host
    from mtls_openssl.steps import Command
    from mtls_openssl.trust.certificate import Certificate
    from mtls_openssl.trust.change import Change
    from mtls_openssl.trust.store import Store

app = App(
    help="Who believes the CA: put it into trust stores, take it out again, look, hand it out."
)


def add_to(whole: App) -> None:
    """Add the commands of this module to `whole`."""
    whole.add_typer(
        app,
        name="trust",
        short_help=spoken(_("Who believes the CA: trust stores, and what to hand out.")),
    )


_STORES = "Which trust stores"


def _argument(name: str, help: str) -> inspect.Parameter:  # noqa: A002 - typer's own name for it
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            Path | None,
            typer.Argument(help=spoken(Text(help)), metavar=name.upper(), readable=False),
        ],
    )


_FILE = (_argument("file", "Certificate of the CA; without it ca.crt of the set."),)
_FOLDER = (_argument("dir", "Folder to write to; without it `trust` in the set's folder."),)
_WHICH = (
    option(
        list[str] | None, "--store", metavar="NAME", panel=_STORES,
        show_default="system; status looks at all",
        help="system (this computer's own), nss (Firefox, Chromium) or java; repeatable.",
    ),
    option(
        bool, "--user", default=False, panel=_STORES,
        help="This user's store instead of the computer's (Windows, macOS).",
    ),
    option(
        str | None, "--java-password-env", metavar="NAME", panel=_STORES,
        show_default="changeit",
        help="Environment variable with the password of Java's trust store.",
    ),
)  # fmt: skip
_DRY = (option(bool, "--dry-run", default=False, help="Print what would be run."),)


@app.command()
@takes(_FILE, _WHICH, _DRY, options.LOOK)
def install(choices: Choices) -> None:
    """Have the CA trusted on this computer, and read it back."""
    _change("install", choices)


@app.command()
@takes(_FILE, _WHICH, _DRY, options.LOOK)
def remove(choices: Choices) -> None:
    """Take the CA out again: what has its thumbprint, and nothing else."""
    _change("remove", choices)


@app.command()
@takes(_FILE, _WHICH, options.LOOK)
def status(choices: Choices) -> None:
    """Show which trust stores have the CA; exit code 5 where this computer's has not."""
    from mtls_openssl.elevation import Host  # noqa: PLC0415 - what a command needs, when it does
    from mtls_openssl.trust import certificate, every, windows  # noqa: PLC0415
    from mtls_openssl.trust.store import SYSTEM, Presence  # noqa: PLC0415

    with desk(choices, "trust status") as at:
        host = Host.here()
        root = certificate.load(at, choices["file"] or choices["out"])
        if choices["store"] or choices["user"]:
            counting = stores = _chosen(choices, host)
        else:
            stores = every(host, _java_password(choices))
            counting = [store for store in stores if store.name == SYSTEM]
        found = [(store, store.look(at, root)) for store in stores]
        findings = windows.examine(at, root, host) if host.machine.windows else None
    if choices["json"]:
        console.print_data(standing.status_data(root, found, findings))
    elif not choices["quiet"]:
        standing.print_status(root, found)
        if findings:
            standing.print_windows(root, findings, host)
    trusted = [one.presence is Presence.TRUSTED for store, one in found if store in counting]
    # Without --store either of a computer's own will do: the machine's or the user's.
    enough = all if choices["store"] else any
    if not enough(trusted):
        if not choices["json"] and not choices["quiet"]:
            words = ("python", "-m", "mtls_openssl", *_again("install", counting, root, choices))
            told = _("To have it trusted: {command}", command=host.line(words))
            typer.echo(spoken(told), err=True)
        raise typer.Exit(Exit.NOT_PROVEN)


@app.command()
@takes(_FOLDER, options.LOOK)
def export(choices: Choices) -> None:
    """Write what to hand to a phone, a browser or a colleague, and how to use it; never a key."""
    from mtls_openssl.trust import certificate, export  # noqa: PLC0415

    with desk(choices, "trust export") as at:
        root = certificate.load(at, choices["out"])
        certificate.refuse_unless_root(root, datetime.now(UTC))
        between = certificate.load(at, path) if (path := _between(root)) else None
        folder = (choices["dir"] or choices["out"] / "trust").absolute()
        words = "\n\n".join(spoken(text) for text in export.words(root, between)) + "\n"
        # With a byte order mark, by which Notepad knows UTF-8, and the line ends of this system.
        written = words.replace("\n", os.linesep).encode("utf-8-sig")
        contents = {**export.files(root, between), export.WORDS: written}
        export.write(folder, contents)
    if choices["json"]:
        files = {name: str(folder / name) for name in contents}
        console.print_data(
            {"ok": True, "certificate": standing.certificate_data(root), "files": files}
        )
    elif not choices["quiet"]:
        typer.echo(words)
        for name in contents:
            typer.echo(spoken(_("Written: {file}", file=folder / name)))


def _between(root: Certificate) -> Path | None:
    """The certificate of the authority between a set's root and what it issued, if there is one."""
    from mtls_openssl.trust.certificate import FILE  # noqa: PLC0415
    from mtls_openssl.trust.export import BETWEEN  # noqa: PLC0415

    path = root.source.with_name(BETWEEN)
    return path if root.source.name == FILE and path.is_file() else None


def _java_password(choices: Choices) -> str:
    from mtls_openssl.trust.java import PASSWORD  # noqa: PLC0415

    variable = choices["java_password_env"]
    if variable is None:
        return PASSWORD
    if variable not in os.environ:
        raise UsageError(
            _("there is no environment variable {name}", name=variable),
            fix=_("set it to the password of Java's trust store, or leave the option out"),
        )
    return os.environ[variable]


def _chosen(choices: Choices, host: Host) -> list[Store]:
    from mtls_openssl.trust import chosen  # noqa: PLC0415
    from mtls_openssl.trust.store import NAMES  # noqa: PLC0415

    names = choices["store"] or []
    for name in names:
        if name not in NAMES:
            raise UsageError(
                _("{name} is not the name of a trust store", name=repr(name)),
                fix=_("use one of these: {names}", names=", ".join(NAMES)),
            )
    password = _java_password(choices)
    return chosen(host, names, user=choices["user"], java_password=password)


def _change(verb: str, choices: Choices) -> None:
    from mtls_openssl.elevation import Host  # noqa: PLC0415 - what a command needs, when it does
    from mtls_openssl.trust import certificate, change, export  # noqa: PLC0415

    plan = change.adding if verb == "install" else change.removing
    with desk(choices, f"trust {verb}") as at:
        host = Host.here()
        stores = _chosen(choices, host)
        root = certificate.load(at, choices["file"] or choices["out"])
        if verb == "install":
            _refuse_what_is_no_root(root, quiet=choices["quiet"])
        changes = plan(at, stores, root)
        if choices["dry_run"]:
            standing.print_dry(changes, root, host, json=choices["json"])
            return
        if refused := [one.store for one in changes if one.commands and one.store.needs_elevation]:
            raise host.refusal(
                _("nothing was changed: {store} belongs to the whole computer",
                  store=refused[0].title),
                tuple(_again(verb, refused, root, choices)),
            )  # fmt: skip
        starting = functools.partial(_starting, root=root, host=host, choices=choices)
        done = []
        for one, after in change.make(at, changes, root, starting):
            done.append(standing.change_data(one, root, after))
            if not choices["json"] and not choices["quiet"]:
                _print(one)
    if verb == "install" and _between(root) and not (choices["quiet"] or choices["json"]):
        typer.echo(spoken(_("Note: {note}", note=export.not_to_be_trusted())))
    if choices["json"]:
        data = {"certificate": standing.certificate_data(root), "stores": done}
        console.print_data({"ok": True, **data})


def _refuse_what_is_no_root(root: Certificate, *, quiet: bool) -> None:
    from mtls_openssl.trust import certificate  # noqa: PLC0415

    now = datetime.now(UTC)
    certificate.refuse_unless_root(root, now)
    if not quiet:
        for doubt in certificate.doubts(root, now):
            typer.echo(spoken(_("Note: {note}", note=doubt)), err=True)


def _starting(
    store: Store, command: Command, *, root: Certificate, host: Host, choices: Choices
) -> None:
    if choices["verbose"]:
        typer.echo("  " + standing.line(command, root, host), err=choices["json"])
    if store.asks_in_a_window and not choices["quiet"]:
        asks = _("A window asks you now; compare the thumbprint there: {sha1}", sha1=root.sha1)
        typer.echo(spoken(asks), err=True)


def _print(change: Change) -> None:
    typer.echo(spoken(standing.told(change)))
    if change.commands and change.store.note:
        typer.echo(spoken(_("Note: {note}", note=change.store.note)))


def _again(
    verb: str, stores: Sequence[Store], root: Certificate, choices: Choices
) -> Iterator[str]:
    """A command of ours for these stores, and for a prompt that stands in another folder."""
    yield from ("trust", verb, str(root.source))
    for name in dict.fromkeys(store.name for store in stores):
        yield from ("--store", name)
    if choices["user"]:
        yield "--user"
    if choices["java_password_env"]:
        yield from ("--java-password-env", choices["java_password_env"])
    if choices["openssl"]:
        yield from ("--openssl", str(choices["openssl"].absolute()))
