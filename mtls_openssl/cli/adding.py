"""The certificates below the CA: server, client, server add, client add; what `p12 NAME` packs."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtls_openssl.cli import changing, console, making, options
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.passphrase import PASSPHRASE
from mtls_openssl.cli.wording import App
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.language import _, spoken
from mtls_openssl.manifest import Leaf, Manifest, Packing, Role

if TYPE_CHECKING:
    from mtls_openssl.openssl.pkcs12 import Bundle
    from mtls_openssl.settings import Loaded

_NAME = (
    inspect.Parameter(
        "name",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[
            str,
            typer.Argument(
                help=spoken(_("What its files are called, such as alice.")), metavar="NAME"
            ),
        ],
    ),
)
IDENTITY = (
    option(
        str | None, "--cn", help="Common name.",
        show_default="NAME; of a server its first DNS name, or NAME.DOMAIN",
    ),
    option(list[str] | None, "--dns", metavar="NAME", help="DNS name; repeatable."),
    option(list[str] | None, "--ip", metavar="ADDRESS", help="IP address; repeatable."),
    option(list[str] | None, "--email", metavar="ADDRESS", help="E-mail address; repeatable."),
    option(list[str] | None, "--uri", metavar="URI", help="URI; repeatable."),
    option(
        str | None, "--key", metavar="KIND", show_default="by profile and --key-size",
        help="Kind of key: RSA-2048 to RSA-16384, P-256, P-384, Ed25519.",
    ),
)  # fmt: skip
PEER = (
    option(
        bool, "--peer", default=False,
        help="For a server that is a client of its peers as well (Dask, etcd, RabbitMQ, Consul).",
    ),
)  # fmt: skip
_MORE = (
    option(str | None, "--days", help="Days that it lasts.", show_default="by profile"),
    option(
        list[str] | None, "--p12", metavar="READER", show_default="default; of a server none",
        help="Pack it for a reader, as `p12 --for`, or for none: none; repeatable.",
    ),
)  # fmt: skip
_PANEL = _("Key on another host, made there by its openssl; it never leaves it")

_SSH = (
    option(
        str | None, "--ssh", metavar="USER@HOST[:PORT]", panel=_PANEL,
        help="The host; it must be known to ssh, and let it in without a password.",
    ),
    option(
        str, "--remote-dir", metavar="DIR", default="mtls", panel=_PANEL,
        help="Folder on the host, from the user's home or absolute.",
    ),
    option(
        Path | None, "--ssh-config", metavar="FILE", panel=_PANEL,
        help="File that ssh reads instead of your own configuration (ssh -F).",
    ),
)  # fmt: skip
_DOMAIN = (option(str | None, "--domain", help="Domain of the server."),)
_ADDING = (
    _NAME, options.RUN, options.SETTINGS, options.SUBJECT, options.KEY_SIZE, IDENTITY,
    _MORE, options.P12_PASSWORD, PASSPHRASE, _SSH,
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for alone, adds in ((making.server, server), (making.client, client)):
        about = alone.__doc__ or ""
        group = App(help=about, invoke_without_command=True, no_args_is_help=False)
        group.callback()(alone)
        group.command("add")(adds)
        app.add_typer(group, name=alone.__name__)


@takes(*_ADDING, PEER, _DOMAIN)
def server(choices: Choices) -> None:
    """Issue one more server's certificate, with a key of its own."""
    _add(choices, Role.SERVER)


@takes(*_ADDING)
def client(choices: Choices) -> None:
    """Issue one more client's certificate, with a key of its own."""
    _add(choices, Role.CLIENT)


def _add(choices: Choices, role: Role) -> None:
    from mtls_openssl.life.decision import Action, Decision, Verb  # noqa: PLC0415
    from mtls_openssl.plan import Work  # noqa: PLC0415

    folder: Path = choices["out"]
    read = making.loaded(choices)
    leaf = _leaf(choices, role, read)
    _refuse_taken(folder, leaf)
    if choices["ssh"] is not None:
        from mtls_openssl.cli import remote  # noqa: PLC0415 - it signs by means of this module

        remote.add(choices, role, leaf, read)
        return
    action = Action(leaf.name, Verb.MAKE, work=Work(leaf, packings=leaf.packings))
    decision = Decision(manifest_with(read, folder, leaf), (action,))
    purpose = f"{role.value} add"
    result = changing.carried_out(choices, changing.Decided(decision, read), purpose)
    if choices["json"]:
        console.print_data(changing.data_of(purpose, decision, folder, result))
    named = read.manifest.leaf(leaf.name) is not None
    if read.tables and not (named or choices["quiet"] or choices["json"]):
        note = _(
            "mtls.toml does not name {name}; for `apply` to look after it, add it there: {table}",
            name=leaf.name,
            table=f'[[{role.value}]] name = "{leaf.name}"' + ", peer = true" * leaf.peer,
        )
        typer.echo(spoken(_("Note: {note}", note=note)))


def _refuse_taken(folder: Path, leaf: Leaf) -> None:
    """Refuse a name that a certificate or a key of the set has, or a client of the fleet."""
    from mtls_openssl.inventory import clients  # noqa: PLC0415 - as below: what a command needs
    from mtls_openssl.life.taken import taken  # noqa: PLC0415
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415

    there = taken(folder)
    certificate, key = map(there.files.spelt, (leaf.certificate_file, leaf.key_file))
    client = there.clients.spelt(leaf.name)
    if key and not certificate:
        from mtls_openssl.cli.requests import refuse_to_replace  # noqa: PLC0415

        refuse_to_replace(folder / key)
    file = certificate or (clients.entry(folder, client) if client else None)
    if file is None:
        return
    name = Path(certificate).stem if certificate else client or leaf.name
    fix = _("renew it: {command}; or give another name", command=ours(folder, "renew", name))
    if certificate and not key:
        fix = _(
            "its key is elsewhere: sign another request of that host: {command}; or give another"
            " name",
            command=ours(folder, "sign", "REQUEST", "--name", name),
        )
    raise FolderUnavailableError(_("{file} is here already.", file=folder / file), fix=fix)


def _leaf(choices: Choices, role: Role, read: Loaded) -> Leaf:
    from mtls_openssl.settings import one_leaf  # noqa: PLC0415

    names = ("name", "cn", "dns", "ip", "email", "uri", "key", "days", "p12", "peer")
    given = {name: choices[name] for name in names if choices.get(name)}
    if given.get("p12") == ["none"]:
        given["p12"] = []
    return one_leaf(given, role, read.settings)


def bundle_of(choices: Choices, name: str, read: Loaded) -> Bundle:
    """What goes into the PKCS#12 file of any certificate of the folder.

    Args:
        choices: what was typed.
        name: what its files are called.
        read: the settings.

    Raises:
        FolderUnavailableError: there is no such certificate, or it is for no one purpose.
    """
    from mtls_openssl.life import condition, describing  # noqa: PLC0415
    from mtls_openssl.plan import pieces  # noqa: PLC0415

    folder: Path = choices["out"]
    files = condition.files_in(folder)
    leaf = None
    if f"{name}.crt" in files:
        with desk(choices, "p12") as asking:
            described = condition.read(asking, folder, f"{name}.crt")
        leaf = describing.leaf_from(name, described) if described else None
    if leaf is None:
        raise FolderUnavailableError(
            _(
                "There is no certificate of a server or client {name} in {folder}.",
                name=name,
                folder=folder.absolute(),
            ),
            cause=_("there are: {names}", names=", ".join(condition.leaves_there(files)) or "-"),
            fix=_("give one of these names, or truststore"),
        )
    common_name = dict(leaf.subject).get("CN", name)
    packing = Packing(f"{name}.p12", choices["p12_name"] or common_name, read.settings.p12_for)
    return pieces.bundle(leaf, packing, manifest_with(read, folder, leaf))


def manifest_with(read: Loaded, folder: Path, leaf: Leaf) -> Manifest:
    """The authorities of a folder, and one certificate.

    Args:
        read: the settings.
        folder: the folder of the set.
        leaf: the certificate.
    """
    return dataclasses.replace(authorities(read, folder), leaves=(leaf,))


def authorities(read: Loaded, folder: Path) -> Manifest:
    """What is wanted, with the authorities that are in a folder.

    Args:
        read: the settings.
        folder: the folder of the set.
    """
    from mtls_openssl.life import condition  # noqa: PLC0415

    return condition.with_authorities(read.manifest, folder, described=read.tables)
