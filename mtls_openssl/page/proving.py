"""The checks of a finished set, made again now, as `verify` makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.files import is_encrypted
from mtls_openssl.inventory.survey import flat
from mtls_openssl.inventory.things import Node, State, Stock
from mtls_openssl.inventory.things import Role as Kind
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Authority, Key, Leaf, Manifest, Packing, Role
from mtls_openssl.openssl import pkcs12
from mtls_openssl.plan import pieces
from mtls_openssl.plan.naming import is_certificate, issues, owner_of
from mtls_openssl.proof import Check, Proof
from mtls_openssl.revocation import checking

_SIDES = {Kind.SERVER: Role.SERVER, Kind.BOTH: Role.SERVER, Kind.CLIENT: Role.CLIENT}
_ROOT = f"{ROOT}.crt"


def prove(
    desk: Desk, folder: Path, stock: Stock, passwords: Mapping[str, str]
) -> tuple[tuple[Check, ...], tuple[Text, ...]]:
    """Make the checks.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        stock: what is in it.
        passwords: those of the PKCS#12 files that are known, by the file's name.

    Returns:
        The checks, passed or not; and what could not be checked, and why.

    Raises:
        FolderUnavailableError: the log can't be written.
    """
    if not (folder / _ROOT).is_file():
        return (), (_("without ca.crt no chain can be checked"),)
    left_out: list[Text] = []
    nodes = {node.places[0].file: node for node in flat(stock)}
    files = tuple(_files(folder, nodes, left_out))
    bundles = tuple(_bundles(folder, nodes, passwords, left_out))
    proof = Proof(files, None, bundles)
    leaves = [name for name in files if is_certificate(name) and not issues(owner_of(name))]
    unrevoked = checking.proving(folder, leaves, checking.files(folder))
    secrets = {bundle.variable: passwords[bundle.file] for bundle in bundles}
    outcomes = [
        desk.ask(one, folder=folder, secrets={name: secrets[name] for name in one.secrets})
        for one in (*proof.commands, *unrevoked.commands)
    ]
    return (*proof.judge(outcomes, folder), *unrevoked.judge(outcomes)), tuple(left_out)


def _files(folder: Path, nodes: Mapping[str, Node], left_out: list[Text]) -> Iterator[str]:
    """The certificates and keys that are checked: of everybody who is not shut out by intent."""
    for name in sorted(path.name for path in folder.iterdir() if path.is_file()):
        if not is_certificate(name) or name.startswith("-"):
            continue
        node = nodes.get(name)
        if node and node.verdict.state is State.REVOKED:
            left_out.append(_("{file} was not checked: it is revoked", file=name))
            continue
        yield name
        key = f"{owner_of(name)}.key"
        if not (folder / key).is_file():
            continue
        if _is_closed(folder / key):
            left_out.append(_("{file} was not compared: it has a password", file=key))
        else:
            yield key


def _is_closed(key: Path) -> bool:
    try:
        return is_encrypted(key)
    except FolderUnavailableError:
        return True  # it is not ours to read


def _bundles(
    folder: Path, nodes: Mapping[str, Node], passwords: Mapping[str, str], left_out: list[Text]
) -> Iterator[pkcs12.Bundle]:
    for name, node in nodes.items():
        if node.role is not Kind.PKCS12:
            continue
        if name not in passwords:
            left_out.append(_("{file} was not opened: no password is known for it", file=name))
        elif name == pkcs12.TRUSTSTORE.file:
            yield pkcs12.TRUSTSTORE
        elif owner := _owner(name, nodes):
            yield _bundle(name, owner, folder)


def _owner(name: str, nodes: Mapping[str, Node]) -> Node | None:
    found = (node for node in nodes.values() if _holds(node, name))
    return next((node for node in found if is_certificate(node.places[0].file)), None)


def _holds(node: Node, name: str) -> bool:
    return node.role in _SIDES and any(child.places[0].file == name for child in node.children)


def _bundle(name: str, owner: Node, folder: Path) -> pkcs12.Bundle:
    nobody = Key("RSA")
    above = Authority(INTERMEDIATE, (), 0, nobody)
    leaf = Leaf(owner_of(owner.places[0].file), _SIDES[owner.role], (), 0, nobody)
    between = above if (folder / above.certificate_file).is_file() else None
    return pieces.bundle(
        leaf, Packing(name, ""), Manifest(Authority(ROOT, (), 0, nobody), (leaf,), between)
    )
