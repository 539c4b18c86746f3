"""One more certificate whose key is made, and stays, on another host: --ssh."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli import adding, signing
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.files import heard
from mtls_openssl.cli.options import Choices
from mtls_openssl.cli.requests import tell
from mtls_openssl.errors import FolderUnavailableError, NotProvenError, UsageError
from mtls_openssl.language import _, spoken
from mtls_openssl.manifest import Leaf, Role

if TYPE_CHECKING:
    from mtls_openssl.audit import AuditLog
    from mtls_openssl.desk import Desk
    from mtls_openssl.plan import Wanted
    from mtls_openssl.process import Door
    from mtls_openssl.remote.host import Host
    from mtls_openssl.settings import Loaded
    from mtls_openssl.signing.asking import Asked
    from mtls_openssl.steps import Command, Outcome


def add(choices: Choices, role: Role, leaf: Leaf, read: Loaded) -> None:
    """Have a host make its key, sign its request here, and put the certificate there.

    Args:
        choices: what was typed.
        role: which side it is for.
        leaf: what is asked for.
        read: the settings.

    Raises:
        MtlsError: it could not be done; nothing is half done here or there.
    """
    from mtls_openssl import templating  # noqa: PLC0415 - as all below: what a command needs
    from mtls_openssl.plan import Foreign, Wanted, signed  # noqa: PLC0415
    from mtls_openssl.remote import work  # noqa: PLC0415
    from mtls_openssl.signing import proving  # noqa: PLC0415
    from mtls_openssl.signing.granting import Grant  # noqa: PLC0415

    if choices["p12"] and choices["p12"] != ["none"]:
        raise UsageError(
            _("--p12 and --ssh do not go together."),
            cause=_("a PKCS#12 file has the key in it, which stays on the host"),
            fix=_("leave out --p12"),
        )
    leaf = dataclasses.replace(leaf, packings=())
    manifest = dataclasses.replace(adding.authorities(read, choices["out"]), leaves=(leaf,))
    host = _host(choices)
    _require(choices["out"], manifest.issuer.key_file, manifest.issuer.certificate_file)
    half = work.Half(host, work.place_for(choices["remote_dir"], leaf.name))
    wanted = Wanted(leaf, role)
    with desk(choices, f"{role.value} add") as at_desk:
        at_desk.heard = heard(choices)
        host.tell = lambda command, door: at_desk.ask(command, door=door)
        pem = work.request(half, wanted, templating.render)
        with work.clearing(half):
            asked = _asked(at_desk, leaf, pem, host)
            _see_that_it_is_as_wanted(asked, wanted, host)
    plan = signed(manifest, [Foreign(leaf, asked.pem, asked.subject)])
    plan = dataclasses.replace(plan, name=f"{role.value} add")

    def bind(stage: Path, log: AuditLog) -> None:
        host.tell = lambda command, door: _told(command, door, stage, log)

    try:
        result = signing.issued(
            choices, plan, manifest, read, proving.of_certificates([Grant(asked, leaf)]),
            handing=work.Installing(half, bind),
        )  # fmt: skip
    except BaseException as error:
        with desk(choices, f"{role.value} add") as again:  # the log of the run is closed by now
            host.tell = lambda command, door: again.ask(command, door=door)
            work.clear_after(half, error)
        raise
    where = f"{host.address}:{half.place.folder}"
    tell(choices, result, {"host": str(host.address), "remote_folder": half.place.folder})
    if half.unsure:
        raise work.lost(half, choices["out"])
    if not (choices["json"] or choices["quiet"]):
        typer.echo(
            spoken(
                _(
                    "{key} was made on {host}, and has not left it; its certificate is beside it.",
                    key=leaf.key_file,
                    host=where,
                )
            )
        )


def _host(choices: Choices) -> Host:
    from mtls_openssl.locate import Machine  # noqa: PLC0415
    from mtls_openssl.remote import address  # noqa: PLC0415
    from mtls_openssl.remote.host import Host  # noqa: PLC0415
    from mtls_openssl.trust import programs  # noqa: PLC0415

    to = address.parse(choices["ssh"])
    ssh = programs.find(Machine.here(), "ssh", ("Windows/System32/OpenSSH",))
    if ssh is None:
        raise FolderUnavailableError(
            _("There is no ssh here."),
            fix=_(
                "install it: apt-get install openssh-client; on Windows it is an optional feature"
            ),
        )
    return Host(ssh, to, choices["ssh_config"])


def _require(folder: Path, *names: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise FolderUnavailableError(
                _("{file} is not here, and it takes it to issue a certificate.", file=name),
                fix=_("name the folder of the set with --out"),
            )


def _asked(at_desk: Desk, leaf: Leaf, pem: str, host: Host) -> Asked:
    from mtls_openssl.inspection.reading import Reader  # noqa: PLC0415
    from mtls_openssl.signing import asking  # noqa: PLC0415

    file = at_desk.scratch / leaf.request_file
    file.write_text(f"{pem}\n", "ascii", "replace")
    asked = asking.read(Reader(at_desk, lambda _path: None), file)
    return dataclasses.replace(asked, path=Path(f"{host.address}:{leaf.request_file}"))


def _see_that_it_is_as_wanted(asked: Asked, wanted: Wanted, host: Host) -> None:
    leaf = wanted.leaf
    as_wanted = (
        asked.fault is None
        and asked.subject == leaf.subject
        and asked.alternatives == leaf.alternatives
        and asked.kind == leaf.key
    )
    if not as_wanted:
        raise NotProvenError(
            _("The request of {host} is not the one that was asked for.", host=str(host.address)),
            cause=asked.fault or "",
            fix=_("see which openssl it has; its lines in the log have all that it said"),
        )


def _told(command: Command, door: Door, stage: Path, log: AuditLog) -> Outcome:
    from mtls_openssl.runner import Room, run_one  # noqa: PLC0415

    return run_one(0, command, Room(stage, stage, ""), door, log)
