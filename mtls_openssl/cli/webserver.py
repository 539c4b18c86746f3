"""The commands that set up a web server: nginx, iis."""

from __future__ import annotations

import dataclasses
import enum
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.language import Text, _, spoken
from mtls_openssl.locate import is_file

if TYPE_CHECKING:
    from mtls_openssl.desk import Desk
    from mtls_openssl.webserver.iis import Site as IisSite
    from mtls_openssl.webserver.nginx import Site
    from mtls_openssl.webserver.placing import Placed
    from mtls_openssl.webserver.program import Installed, Program

WRITE = (
    option(
        Path | None, "--write", metavar="FILE",
        help="Write it to this file instead; what was there goes to the set's backup.",
    ),
)  # fmt: skip
NAME = (
    option(
        str | None, "--name", metavar="NAME", show_default="server, else the only one",
        help="The server's certificate: NAME.crt of the folder.",
    ),
)  # fmt: skip
NGINX = (
    option(
        list[str] | None, "--listen", metavar="[ADDRESS:]PORT", show_default="443",
        help="Where to listen; repeatable.",
    ),
    option(
        str | None, "--upstream", metavar="URL", show_default="a page that shows who the client is",
        help="Application that requests are handed to.",
    ),
    option(
        int | None, "--redirect", min=1, max=65535, metavar="PORT",
        help="Send the requests of this port, usually 80, to the one with TLS.",
    ),
    option(bool, "--dhe", default=False, help="Allow DHE ciphers too, with dhparam.pem."),
    option(
        Path | None, "--key-password-file", metavar="FILE",
        help="File with the pass phrase of the server's key, where it has one.",
    ),
    option(
        Path | None, "--nginx", metavar="PATH", show_default="searched",
        help="The nginx to use, or its folder.",
    ),
    option(bool, "--check", default=False, help="Have nginx test it."),
    option(
        Path | None, "--install", metavar="DIR",
        help="Put it where nginx reads it, such as /etc/nginx/conf.d, and have nginx test it.",
    ),
)  # fmt: skip


class Windows(enum.StrEnum):
    """The releases of Windows Server that a script can be for; Windows 10 and 11 go with 2019."""

    SERVER_2016 = "2016"
    SERVER_2019 = "2019"
    SERVER_2022 = "2022"
    SERVER_2025 = "2025"


IIS = (
    option(str, "--site", default="Default Web Site", metavar="NAME", help="Name of the site."),
    option(
        str, "--host", default="", metavar="NAME", show_default="any",
        help="Host name that the binding is for, by SNI.",
    ),
    option(int, "--port", default=443, min=1, max=65535, help="Port of the binding."),
    option(Windows, "--windows", default=Windows.SERVER_2022, help="Release of Windows Server."),
    option(bool, "--manual", default=False, help="Tell how to do it by hand instead."),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (nginx, iis):
        app.command()(command)


@takes(options.LOOK, NAME, NGINX, WRITE)
def nginx(choices: Choices) -> None:
    """Write a server block for nginx that asks for client certificates (Appendix C)."""
    from mtls_openssl import templating  # noqa: PLC0415 - as all below: when it is needed
    from mtls_openssl.webserver import nginx as vocabulary  # noqa: PLC0415
    from mtls_openssl.webserver import placing, program  # noqa: PLC0415

    if choices["install"] and choices["write"]:
        raise UsageError(
            _("--install and --write are two places for one file"), fix=_("choose one of them")
        )
    folder = Path(os.path.abspath(choices["out"]))  # noqa: PTH100 - a link keeps its name
    with desk(choices, "nginx") as looking:
        server = _nginx(choices, looking)
        site = _site(choices, folder, looking, server)
        done = _Done(server, site, templating.render(vocabulary.server_block(site, spoken)))
        if server and choices["check"]:
            done.warnings += program.check(looking, server, done.block)
        if server and choices["install"]:
            file = choices["install"] / site.block
            done.installed = program.install(looking, server, done.block, file, folder)
            done.placed = done.installed.placed
            done.warnings += done.installed.warnings
        elif choices["write"]:
            done.placed = placing.put(choices["write"], done.block.encode(), folder)
    console.be_deaf()
    if choices["json"]:
        console.print_data(_nginx_data(choices, done))
        return
    if not done.placed:
        console.print_script(done.block)
    if not choices["quiet"]:
        for line in (*_outcome(choices, done), *_notes(choices, done)):
            typer.echo(spoken(line), err=True)


@takes(options.LOOK, NAME, IIS, WRITE)
def iis(choices: Choices) -> None:
    """Write a PowerShell script that sets up IIS with this set, and undoes it (Appendix B)."""
    from mtls_openssl import templating  # noqa: PLC0415
    from mtls_openssl.webserver import iis as vocabulary  # noqa: PLC0415
    from mtls_openssl.webserver import placing  # noqa: PLC0415

    if choices["manual"] and choices["write"]:
        raise UsageError(
            _("--manual is for reading, and --write is for the script"), fix=_("choose one of them")
        )
    folder = Path(os.path.abspath(choices["out"]))  # noqa: PTH100 - a link keeps its name
    site = _iis_site(choices, folder)
    if choices["manual"]:
        _tell_manual(choices, list(vocabulary.manual(site)))
        return
    text = templating.render(vocabulary.script(site, spoken))
    # Windows PowerShell 5.1 knows UTF-8 by the mark, and expects the line ends of Windows.
    script = "\ufeff" + text.replace("\n", "\r\n")
    written: Path | None = choices["write"]
    placed = placing.put(written, script.encode(), folder) if written else None
    console.be_deaf()
    if choices["json"]:
        console.print_data(_iis_data(site, script, placed))
    elif placed is None:
        console.print_script(script)
    elif not choices["quiet"]:
        for line in _run_it(placed, site):
            typer.echo(spoken(line), err=True)


def _iis_site(choices: Choices, folder: Path) -> IisSite:
    from mtls_openssl.webserver import certificates, parts  # noqa: PLC0415
    from mtls_openssl.webserver import iis as vocabulary  # noqa: PLC0415

    windows: str = choices["windows"].value
    reader = "windows2016" if windows == vocabulary.OLD_WINDOWS else "modern"
    with desk(choices, "iis") as looking:
        owner = parts.owner(looking, folder, choices["name"])
        parts.require(folder, ("ca.crt", f"{owner}.crt"))
        chain = certificates.read(looking, folder, f"{owner}.crt")
        names = [name for name in ("ca.crt", parts.BETWEEN) if is_file(folder / name)]
        above = [one for name in names for one in certificates.read(looking, folder, name)]
    p12 = parts.p12(folder, owner, reader, windows)
    site = vocabulary.Site(
        name=choices["site"],
        host=choices["host"].lower(),
        port=choices["port"],
        p12=p12,
        server=chain[0],
        authorities=tuple({one.der: one for one in (*above, *chain[1:])}.values()),
        reader=reader,
        owner=owner,
    )
    vocabulary.require(site, certificates.names(chain[0]), parts.for_host(folder, owner, site.host))
    fix = vocabulary.make_p12(owner, reader, folder)
    if not is_file(p12):
        raise FolderUnavailableError(
            _("{file} is not there, which IIS is to have its key from", file=p12), fix=fix
        )
    if vocabulary.is_unreadable(certificates.content(p12), windows):
        raise FolderUnavailableError(
            _("Windows Server {release} can't read {file}", release=windows, file=p12),
            cause=_("it is encrypted with AES, which is known from Server 2019 on"),
            fix=fix,
        )
    return site


def _tell_manual(choices: Choices, steps: list[Text]) -> None:
    console.be_deaf()
    if choices["json"]:
        console.print_data({"command": "iis", "ok": True, "steps": [str(step) for step in steps]})
        return
    for number, step in enumerate(steps, start=1):
        typer.echo(f"{number}. {spoken(step)}")


def _run_it(placed: Placed, site: IisSite) -> Iterator[Text]:
    from mtls_openssl.plan.naming import PASSWORD_ENDING  # noqa: PLC0415

    yield from _written(placed)
    yield _("To run it, in a Windows PowerShell opened as administrator:")
    script = _in_powershell(placed.file)
    yield _("  powershell -ExecutionPolicy Bypass -File {file}", file=script)
    password_file = Path(f"{site.p12}{PASSWORD_ENDING}")
    if is_file(password_file):
        yield _(
            "It asks for the password of {p12}; not so with: -PasswordFile {file}",
            p12=site.p12.name,
            file=_in_powershell(password_file),
        )
    else:
        yield _("It asks for the password of {p12}.", p12=site.p12.name)
    yield _("To undo it, the same with -Remove.")


def _in_powershell(path: Path) -> str:
    from mtls_openssl.scripting.quoting import powershell_literal  # noqa: PLC0415

    return powershell_literal(str(path))


def _iis_data(site: IisSite, script: str, placed: Placed | None) -> dict[str, Any]:
    return {
        "command": "iis",
        "ok": True,
        "site": site.name,
        "host": site.host or None,
        "port": site.port,
        "thumbprint": site.server.thumbprint,
        "roots": [one.thumbprint for one in site.roots],
        "intermediates": [one.thumbprint for one in site.intermediates],
        "p12": str(site.p12),
        "script": script,
        "file": str(placed.file) if placed else None,
        "backup": str(placed.backup) if placed and placed.backup else None,
    }


@dataclasses.dataclass
class _Done:
    # What came of the command so far.
    server: Program | None
    site: Site
    block: str
    placed: Placed | None = None
    installed: Installed | None = None
    warnings: tuple[str, ...] = ()


def _nginx(choices: Choices, looking: Desk) -> Program | None:
    from mtls_openssl.webserver import program  # noqa: PLC0415

    path = program.find(choices["nginx"])
    if path:
        return program.ask(looking, path)
    if choices["check"] or choices["install"]:
        raise UsageError(
            _("there is no nginx on PATH, or in one of the usual places"),
            fix=_("install it, or name it: --nginx PATH"),
        )
    return None


def _site(choices: Choices, folder: Path, looking: Desk, server: Program | None) -> Site:
    from mtls_openssl.life import choosing  # noqa: PLC0415
    from mtls_openssl.plan import CHAIN  # noqa: PLC0415
    from mtls_openssl.webserver import certificates, parts  # noqa: PLC0415
    from mtls_openssl.webserver import nginx as vocabulary  # noqa: PLC0415

    if choices["dhe"]:
        parts.require(folder, (vocabulary.DHPARAM,))
    owner = parts.owner(looking, folder, choices["name"])
    ca = parts.trusted(folder, owner)
    parts.require(folder, (ca, f"{owner}.crt", f"{owner}.key"))
    password_file: Path | None = choices["key_password_file"]
    key = folder / f"{owner}.key"
    if b"ENCRYPTED" in certificates.content(key) and not password_file:
        raise UsageError(
            _("{key} is encrypted, and nginx would ask for its pass phrase at each start",
              key=key),
            fix=_("write the pass phrase into a file that only you may read, and name it:"
                  " --key-password-file FILE"),
        )  # fmt: skip
    server_certificate = certificates.read(looking, folder, f"{owner}.crt")[0]
    authorities = certificates.read(looking, folder, ca)
    if is_file(folder / "client.crt"):
        authorities += certificates.read(looking, folder, "client.crt")[1:]
    return vocabulary.Site(
        folder=folder,
        names=certificates.names(server_certificate),
        depth=certificates.depth(authorities),
        listen=tuple(choices["listen"] or ("443",)),
        http2=bool(server and server.build.knows_http2),
        upstream=choices["upstream"] or "",
        dhe=choices["dhe"],
        crl=is_file(folder / vocabulary.CRL),
        redirect=choices["redirect"],
        password_file=Path(os.path.abspath(password_file)) if password_file else None,  # noqa: PTH100
        owner=owner,
        certificate=choosing.sent(folder, owner) if ca == CHAIN else f"{owner}.crt",
        ca=ca,
    )


def _outcome(choices: Choices, done: _Done) -> Iterator[Text]:
    from mtls_openssl.scripting import prompt  # noqa: PLC0415

    placed, installed = done.placed, done.installed
    if choices["check"]:
        yield _("nginx accepts it.")
    if placed:
        yield from _written(placed)
    if installed:
        yield _("nginx accepts all that {config} reads.", config=installed.config)
        yield _("To take it up: {command}", command=prompt.line(*installed.reload))
        # Windows' nginx keeps the window that it was started in.
        start = ("start", "", *installed.start) if sys.platform == "win32" else installed.start
        yield _("Where nginx is not running yet: {command}", command=prompt.line(*start))


def _written(placed: Placed) -> Iterator[Text]:
    if placed.changed:
        yield _("Written: {file}", file=placed.file)
    else:
        yield _("{file} was there already, just like that.", file=placed.file)
    if placed.backup:
        yield _("What was there before is in {backup}", backup=placed.backup)


def _notes(choices: Choices, done: _Done) -> Iterator[Text]:
    for warning in dict.fromkeys(done.warnings):
        yield _("nginx finds this strange: {warning}", warning=warning)
    if done.server is None:
        yield _(
            "No nginx was found, so nothing was left to chance: `http2 on;`, which nginx knows"
            " from 1.25.1 on, is left out."
        )
    if not done.site.names:
        yield _(
            "{file} has no name of a host: the block answers to any (`_`).",
            file=f"{done.site.owner}.crt",
        )
    if done.site.upstream:
        yield _(
            "The application must be reached through nginx alone: whoever else can connect to it"
            " can write the X-SSL-Client headers."
        )
    if done.server and not choices["check"] and not done.installed:
        yield _("To have nginx test it: add --check")


def _nginx_data(choices: Choices, done: _Done) -> dict[str, Any]:
    server, placed, installed = done.server, done.placed, done.installed
    return {
        "command": "nginx",
        "ok": True,
        "nginx": {"path": str(server.path), "version": server.build.name} if server else None,
        "name": done.site.owner,
        "names": list(done.site.names),
        "verify_depth": done.site.depth,
        "http2": done.site.http2,
        "config": done.block,
        "checked": bool(choices["check"] or installed),
        "file": str(placed.file) if placed else None,
        "backup": str(placed.backup) if placed and placed.backup else None,
        "reload": list(installed.reload) if installed else None,
        "start": list(installed.start) if installed else None,
        "notes": [str(note) for note in _notes(choices, done)],
    }
