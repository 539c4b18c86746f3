"""What is asked of the computer around a set: who trusts its CA, and the nginx that serves it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.elevation import Host
from mtls_openssl.errors import MtlsError
from mtls_openssl.inventory import places
from mtls_openssl.trust import every, windows
from mtls_openssl.trust.certificate import Certificate, load
from mtls_openssl.trust.store import SYSTEM, Presence, Store
from mtls_openssl.webserver import bindings, nginx, program


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What was found around a set.

    Args:
        trusted: the stores of this computer that believe the CA, by their titles.
        halved: those that have it and do not believe it.
        stale: those that believe an earlier certificate of it, and not this one.
        stores: how many stores could be looked at.
        strangers: what is among Windows' roots and is none: thumbprint and subject.
        nginx: the configuration of the nginx that serves the set; empty if none does.
        refusal: why that nginx refuses its configuration; empty if it does not.
        late: where IIS serves the set, and asks for a certificate only after the handshake.
        outdated: where IIS serves an earlier certificate of the server.
    """

    trusted: tuple[str, ...] = ()
    halved: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    stores: int = 0
    strangers: tuple[tuple[str, str], ...] = ()
    nginx: str = ""
    refusal: str = ""
    late: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()


def gather(
    desk: Desk,
    folder: Path,
    host: Host | None = None,
    *,
    servers: Sequence[str] = ("server",),
) -> Surroundings:
    """Look around.

    Args:
        desk: where programs are asked.
        folder: the folder of the set.
        host: the computer; this one unless given.
        servers: what the files of the servers' certificates are called.
    """
    host = host or Host.here()
    found = Surroundings()
    ca = _loaded(desk, folder / "ca.crt")
    if ca:
        found = _standing(desk, ca, folder, [one for one in every(host) if one.name == SYSTEM])
        if host.machine.windows:
            strangers = windows.examine(desk, ca, host).strangers
            found = dataclasses.replace(found, strangers=strangers or ())
    if served := bindings.entries():
        late, outdated = _bound(desk, folder, served, servers)
        found = dataclasses.replace(found, late=late, outdated=outdated)
    config, refusal = _served(desk, folder, program.find(None))
    return dataclasses.replace(found, nginx=config, refusal=refusal)


def _standing(desk: Desk, ca: Certificate, folder: Path, stores: Sequence[Store]) -> Surroundings:
    backups = places.kept(folder, "ca.crt")
    earlier = [one for path in backups if (one := _loaded(desk, path)) and one.der != ca.der]
    found = {presence: list[str]() for presence in Presence}
    stale = []
    for store in stores:
        presence = store.look(desk, ca).presence
        found[presence].append(store.title)
        if presence is Presence.ABSENT and any(
            store.look(desk, one).presence is Presence.TRUSTED for one in earlier
        ):
            stale.append(store.title)
    return Surroundings(
        tuple(found[Presence.TRUSTED]),
        tuple(found[Presence.DISTRUSTED]),
        tuple(stale),
        len(stores) - len(found[Presence.UNREADABLE]),
    )


def _bound(
    desk: Desk, folder: Path, served: Sequence[bindings.Entry], servers: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where IIS asks too late for the client's certificate, and where it has an earlier one."""
    current, earlier = set[str](), set[str]()
    for name in servers:
        backups = places.kept(folder, f"{name}.crt")
        current |= {one.sha1 for one in [_loaded(desk, folder / f"{name}.crt")] if one}
        earlier |= {one.sha1 for path in backups if (one := _loaded(desk, path))}
    earlier -= current
    return (
        tuple(one.endpoint for one in served if one.thumbprint in current and not one.negotiates),
        tuple(one.endpoint for one in served if one.thumbprint in earlier),
    )


def _loaded(desk: Desk, file: Path) -> Certificate | None:
    try:
        return load(desk, file)
    except (MtlsError, PermissionError):
        return None  # what is the matter with it is told where the files are looked at


def _served(desk: Desk, folder: Path, path: Path | None) -> tuple[str, str]:
    """The configuration of nginx that names the folder, and why nginx refuses it."""
    if path is None:
        return "", ""
    try:
        asked = program.ask(desk, path)
    except MtlsError:
        return "", ""
    config = path.parent / asked.build.config
    if not asked.build.config or not _names(config.parent, folder):
        return "", ""
    where = ("-p", ".") if not Path(asked.build.config).is_absolute() else ()
    command = dataclasses.replace(nginx.test(*where), program=path)
    finished = desk.ask(command, folder=path.parent).finished
    verdict = nginx.parse_test(finished.exit, finished.stdout, finished.stderr)
    return str(config), verdict.fault


def _names(configuration: Path, folder: Path) -> bool:
    name = Path(os.path.abspath(folder)).as_posix().encode()  # noqa: PTH100 - as it was written
    for file in configuration.rglob("*.conf"):
        try:
            if name in file.read_bytes().replace(b"\\\\", b"/"):
                return True
        except OSError:
            continue
    return False
