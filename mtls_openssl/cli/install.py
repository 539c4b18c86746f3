"""The command that installs openssl: install."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.errors import Exit, OpensslNotFoundError, UsageError
from mtls_openssl.language import _, spoken

if TYPE_CHECKING:
    from mtls_openssl.elevation import Host
    from mtls_openssl.locate import Found
    from mtls_openssl.locate.installers import Installer
    from mtls_openssl.steps import Command

_HOW = (
    option(
        str | None, "--using", metavar="NAME", show_default="the best that is here",
        help="choco, winget, brew, apt-get, dnf, yum, zypper, pacman or apk.",
    ),
    option(bool, "--yes", "-y", default=False, help="Install without asking; for scripts."),
    option(bool, "--dry-run", default=False, help="Print what would be run."),
    option(
        float | None, "--timeout", min=0.1, metavar="SECONDS", show_default="3600",
        help="What any one command may take.",
    ),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command()(install)


@takes(_HOW, options.OUTPUT)
def install(choices: Choices) -> None:
    """Install openssl with choco, winget or this system's package manager; asks first."""
    from mtls_openssl.elevation import Host  # noqa: PLC0415 - what a command needs, when it does
    from mtls_openssl.install import choose, commands  # noqa: PLC0415

    host = Host.here()
    if before := _found(host):
        _tell(before, installed=False, choices=choices)
        return
    installer = choose(host.machine, choices["using"])
    steps = commands(installer)
    if choices["dry_run"]:
        _print_steps(steps, host, choices)
        return
    _refuse_wrong_rights(installer, host)
    if not choices["yes"]:
        _ask(steps, host, choices)
    _run(steps, choices)
    # Where this process's PATH is still the old one, the one in the registry is read.
    _tell(_search(Host.here()), installed=True, choices=choices)


def _found(host: Host) -> Found | None:
    """What there is; raises where the user named an openssl, which installing would not mend."""
    from mtls_openssl.locate.places import VARIABLE  # noqa: PLC0415

    try:
        return _search(host)
    except OpensslNotFoundError:
        if host.machine.environ.get(VARIABLE):
            raise
        return None


def _search(host: Host) -> Found:
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    return find(None, Door(), host.machine)


def _refuse_wrong_rights(installer: Installer, host: Host) -> None:
    from mtls_openssl.locate.installers import Rights  # noqa: PLC0415

    if installer.rights is Rights.ADMINISTRATOR and not host.elevated:
        raise host.refusal(
            _("OpenSSL was not installed: {name} needs an administrator", name=installer.name),
            ("install", "--using", installer.name),
        )
    if installer.rights is Rights.NOT_ROOT and host.elevated:
        raise UsageError(
            _("OpenSSL was not installed: {name} refuses to be run by root", name=installer.name),
            fix=_("run the same without sudo"),
        )


def _ask(steps: tuple[Command, ...], host: Host, choices: Choices) -> None:
    if not console.is_interactive():
        raise UsageError(
            _("OpenSSL was not installed: nothing is installed without asking, and there is no"
              " terminal to ask at"),
            fix=_("add --yes; --dry-run prints what would be run"),
        )  # fmt: skip
    for command in steps:
        typer.echo(host.line((str(command.program), *command.argv)), err=choices["json"])
    if not typer.confirm(spoken(_("Run this now?")), err=choices["json"]):
        typer.echo(spoken(_("Nothing was installed.")), err=True)
        raise typer.Exit(Exit.NOT_PROVEN)


def _run(steps: tuple[Command, ...], choices: Choices) -> None:
    from mtls_openssl import install  # noqa: PLC0415
    from mtls_openssl.desk import at  # noqa: PLC0415
    from mtls_openssl.locate import Search  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    # Debian's packages must not ask either, and there is nobody at their terminal.
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    with (
        at(
            Path(), Search((), None), door=Door(), purpose="install", limit=choices["timeout"]
        ) as desk,
        _waiting(choices) as starting,
    ):
        install.run(desk, steps, starting)


@contextlib.contextmanager
def _waiting(choices: Choices) -> Iterator[Any]:
    """Say what is run; at a terminal, how long it has been running."""
    if choices["quiet"]:
        yield lambda _command: None
        return
    from rich.console import Console  # noqa: PLC0415 - only for what takes long
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    terminal = Console(stderr=True)
    columns = (SpinnerColumn("line"), TextColumn("{task.description}"), TimeElapsedColumn())
    live = terminal.is_terminal
    with Progress(*columns, console=terminal, transient=True, disable=not live) as progress:

        def starting(command: Command) -> None:
            for task in progress.task_ids:
                progress.remove_task(task)
            words = " ".join((str(command.program), *command.argv))
            progress.console.print(words, markup=False, highlight=False, soft_wrap=True)
            progress.add_task(spoken(_("running")), total=None)

        yield starting


def _print_steps(steps: tuple[Command, ...], host: Host, choices: Choices) -> None:
    if choices["json"]:
        argvs = [[str(command.program), *command.argv] for command in steps]
        console.print_data({"ok": True, "installed": False, "commands": argvs})
        return
    for command in steps:
        typer.echo(host.line((str(command.program), *command.argv)))


def _tell(found: Found, *, installed: bool, choices: Choices) -> None:
    chosen = found.chosen
    if choices["json"]:
        console.print_data(
            {
                "ok": True,
                "installed": installed,
                "openssl": {"path": str(chosen.path), "version": str(chosen.version)},
            }
        )
    elif not choices["quiet"]:
        told = (
            _("OpenSSL {version} is installed: {path}", version=chosen.version, path=chosen.path)
            if installed
            else _("OpenSSL {version} is here already: {path}; nothing was installed",
                   version=chosen.version, path=chosen.path)
        )  # fmt: skip
        typer.echo(spoken(told))
        if installed and not chosen.origin.startswith("PATH"):
            typer.echo(
                spoken(_("In terminals that are open it is not on the PATH yet; we find it all"
                         " the same."))
            )  # fmt: skip
