"""The nginx of this machine: where it is, which it is, and what it says of a configuration."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mtls_openssl import templating
from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError, NotProvenError, UsageError
from mtls_openssl.interrupts import Shield, held
from mtls_openssl.language import Text, _
from mtls_openssl.locate import is_file
from mtls_openssl.steps import Ending
from mtls_openssl.webserver import nginx, placing
from mtls_openssl.webserver.nginx import Build, Verdict
from mtls_openssl.webserver.placing import Placed

_PLACES = (
    "/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin", "/usr/local/bin", "/usr/bin",
    "/opt/homebrew/bin", "/opt/local/sbin",
)  # fmt: skip
_WINDOWS_PLACES = ("nginx*", "Program Files/nginx*", "tools/nginx*")


@dataclasses.dataclass(frozen=True)
class Program:
    """An nginx.

    Args:
        path: the absolute path of the program.
        build: which it is.
    """

    path: Path
    build: Build


@dataclasses.dataclass(frozen=True)
class Installed:
    """A server block that nginx reads.

    Args:
        placed: where it is, and where that is which was there before.
        config: the configuration that reads it.
        reload: the argv by which a running nginx takes it up, the program's path first.
        start: the argv that starts nginx with it, where none is running.
        warnings: what nginx finds strange, in its own words.
    """

    placed: Placed
    config: Path
    reload: tuple[str, ...]
    start: tuple[str, ...]
    warnings: tuple[str, ...]


def find(named: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The path of an nginx.

    Args:
        named: the one asked for, or its folder.
        environ: the environment variables.

    Returns:
        The one asked for; else the first one on PATH or in one of the usual places; None if
        there is none. The current folder is not searched.

    Raises:
        UsageError: the one asked for is not there.
    """
    name = "nginx.exe" if sys.platform == "win32" else "nginx"
    if named is not None:
        path = Path(os.path.abspath(named / name if os.path.isdir(named) else named))  # noqa: PTH100, PTH112
        if not is_file(path):
            raise UsageError(
                _("{path} is not there", path=path), fix=_("name the program: --nginx PATH")
            )
        return path
    return next((path for folder in _folders(environ) if is_file(path := folder / name)), None)


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    for folder in environ.get("PATH", "").split(os.pathsep):
        if (path := Path(folder.strip('"'))).is_absolute():
            yield path
    if sys.platform != "win32":
        yield from map(Path, _PLACES)
        return
    drive = Path(environ.get("SYSTEMDRIVE", "C:") + "\\")
    for pattern in _WINDOWS_PLACES:
        yield from sorted(drive.glob(pattern), reverse=True)
    yield Path(environ.get("SCOOP") or Path.home() / "scoop") / "apps/nginx/current"


def ask(desk: Desk, path: Path) -> Program:
    """Ask a program which nginx it is.

    Raises:
        UsageError: it is none.
    """
    outcome = desk.ask(dataclasses.replace(nginx.version(), program=path))
    build = nginx.parse_version(outcome.finished.stderr + outcome.finished.stdout)
    if build is None:
        raise UsageError(
            _("{path} is not an nginx that can be used", path=path),
            cause=outcome.problem or _("it does not say its version"),
            fix=_("name another one: --nginx PATH"),
        )
    return Program(path, build)


def check(desk: Desk, program: Program, block: str) -> tuple[str, ...]:
    """Have nginx test a server block, by itself in the scratch folder.

    Args:
        desk: where nginx is asked.
        program: the nginx.
        block: the text of the block.

    Returns:
        What it finds strange, in its own words.

    Raises:
        NotProvenError: it refuses it.
    """
    whole = templating.render(nginx.around(program.build, workers()))
    for name, text in ((nginx.CONFIG, whole), (nginx.BLOCK, block)):
        (desk.scratch / name).write_text(text, encoding="utf-8", newline="\n")
    verdict = _test(desk, program, desk.scratch, "-p", ".", "-c", nginx.CONFIG)
    if verdict.fault:
        raise NotProvenError(
            _("{nginx} refuses the configuration: {fault}", nginx=program.build.name,
              fault=verdict.fault),
            fix=_("mend what it names, then run this again"),
        )  # fmt: skip
    return verdict.warnings


def workers() -> str:
    """User and group that nginx's workers can run as in a folder that is ours alone.

    Only root has to say: its workers would be somebody else, who may not exist.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return ""
    import grp  # noqa: PLC0415 - not on Windows
    import pwd  # noqa: PLC0415

    root = pwd.getpwuid(0)
    return f"{root.pw_name} {grp.getgrgid(root.pw_gid).gr_name}"


@held
def install(desk: Desk, program: Program, block: str, file: Path, backups: Path) -> Installed:
    """Put a server block where nginx reads it, and have nginx test all it reads.

    Args:
        desk: where nginx is asked.
        program: the nginx.
        block: the text of the block.
        file: where to put it, in a folder that `nginx.conf` includes files of.
        backups: where what was there is kept, in `backup/<UTC time>/`.

    Raises:
        FolderUnavailableError: the folder is not one of nginx's, or can't be written.
        NotProvenError: nginx refuses it or does not read it; the folder is as it was.
    """
    config = _config_above(file.parent)
    base, where = _where(config)
    before = _test(desk, program, base, *where)
    shield = Shield()
    shield.up()
    try:
        placed = placing.put(file, block.encode(), backups)
        try:
            verdict = _test(desk, program, base, *where)
            _require_success(verdict, before, placed.file, config)
            _require_read(verdict, placed.file, config, base)
        except BaseException:
            placed.undo()
            raise
        shield.let_go()
    finally:
        shield.down()
    where = _by_hand(program, config, base, where)
    path = os.fspath(program.path)
    reload = (path, *nginx.reload(*where))
    return Installed(placed, config, reload, (path, *where), verdict.warnings)


def _test(desk: Desk, program: Program, folder: Path, *where: str) -> Verdict:
    outcome = desk.ask(dataclasses.replace(nginx.test(*where), program=program.path), folder=folder)
    finished = outcome.finished
    if finished.ending is not Ending.EXITED:
        return Verdict(outcome.problem)
    return nginx.parse_test(finished.exit, finished.stdout, finished.stderr)


def _config_above(folder: Path) -> Path:
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - a link keeps the name they know
    if not os.path.isdir(folder):  # noqa: PTH112 - is_dir() raises where one may not look
        raise FolderUnavailableError(
            _("{folder} is not a folder", folder=folder),
            fix=_("name a folder that nginx.conf includes, such as /etc/nginx/conf.d"),
        )
    for above in (folder, *folder.parents):
        if is_file(above / nginx.CONFIG):
            return above / nginx.CONFIG
    raise FolderUnavailableError(
        _("there is no nginx.conf in {folder} or above it", folder=folder),
        fix=_("name a folder that nginx.conf includes, such as /etc/nginx/conf.d"),
    )


def _where(config: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder to run nginx in, and the options that name the configuration.

    In a folder of nginx's own, such as that of a download for Windows, all else is beside `conf`;
    relative paths keep names out of the command line that Windows' nginx could not read.
    """
    if config.parent.name == "conf":
        return config.parent.parent, ("-p", ".", "-c", f"conf/{nginx.CONFIG}")
    return config.parent, ("-c", os.fspath(config))


def _require_success(verdict: Verdict, before: Verdict, file: Path, config: Path) -> None:
    fault = verdict.fault or verdict.denied
    if fault and fault == (before.fault or before.denied):
        raise NotProvenError(
            _("nginx refuses what is in {config} already: {fault}", config=config, fault=fault),
            fix=_how_to_mend(fault),
        )
    if fault:
        raise NotProvenError(
            _("nginx refuses the configuration with {file}: {fault}", file=file, fault=fault),
            fix=_how_to_mend(fault),
        )


def _require_read(verdict: Verdict, file: Path, config: Path, base: Path) -> None:
    if not any(_is_same(base / name, file) for name in verdict.files):
        raise NotProvenError(
            _("nginx does not read {file}", file=file),
            cause=_("no `include` in {config} stands for it", config=config),
            fix=_("write `include {pattern};` in its http block, or name a folder that it includes;"
                  " the folder is as it was", pattern=nginx.quoted(file.parent / "*.conf")),
        )  # fmt: skip


def _how_to_mend(fault: str) -> Text:
    if "(13: " in fault:
        return _("run this as root (sudo), as nginx itself is; the folder is as it was")
    return _("mend what it names, then run this again; the folder is as it was")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _by_hand(program: Program, config: Path, base: Path, where: tuple[str, ...]) -> tuple[str, ...]:
    """The options that name the configuration for whoever types them in any folder."""
    if program.build.config == os.fspath(config):
        return ()
    return ("-p", os.fspath(base), *where[2:]) if where[0] == "-p" else where
