"""The tables of `mtls.toml` for a set that the flat settings do not describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtls_openssl.batfile.left import Left, shown
from mtls_openssl.batfile.whole import Authority, Leaf, Whole
from mtls_openssl.language import _
from mtls_openssl.settings import Settings

Table = dict[str, object]

_PASSPHRASE = "passphrase"  # noqa: S105 - the name of a setting


def tables(found: Whole, settings: Settings) -> tuple[dict[str, Any], tuple[Left, ...]]:
    """The tables of a set, by their names, and what of them the settings refuse.

    Args:
        found: the set.
        settings: what holds for all of it.
    """
    left: list[Left] = []
    made: dict[str, Any] = {}
    if found.root and (table := _root(found.root)):
        made["ca"] = _fitting("ca", table, found.root.line, settings, left)
    if found.intermediate:
        table = _intermediate(found.intermediate)
        made["intermediate"] = _fitting(
            "intermediate", table, found.intermediate.line, settings, left
        )
    for role in ("server", "client"):
        leaves = [leaf for leaf in found.leaves if leaf.role == role]
        if leaves:
            made[role] = [
                _fitting(role, _leaf(leaf, settings, left), leaf.line, settings, left)
                for leaf in leaves
            ]
    left += (
        Left(0, text, _("it is refused: {why}", why=why)) for text, why in _refused(made, settings)
    )
    return made, tuple(left)


def _root(root: Authority) -> Table:
    table: Table = {}
    if not root.key.kind.startswith("RSA-") and root.key.kind:
        table["key"] = root.key.kind
    if root.key.encrypted:
        table[_PASSPHRASE] = "ask"
    if root.extensions.path_length is not None:
        table["path_length"] = root.extensions.path_length
    return table


def _intermediate(authority: Authority) -> Table:
    table: Table = {"cn": authority.subject.cn, "days": authority.days}
    if authority.key.kind:
        table["key"] = authority.key.kind
    if authority.key.encrypted:
        table[_PASSPHRASE] = "ask"
    if authority.extensions.path_length is not None:
        table["path_length"] = authority.extensions.path_length
    return table


def _leaf(leaf: Leaf, settings: Settings, left: list[Left]) -> Table:
    table: Table = {"name": leaf.name, "cn": leaf.subject.cn or leaf.name}
    read = leaf.extensions
    names = {"dns": read.dns, "ip": read.ip, "email": read.email, "uri": read.uri}
    table |= {kind: list(values) for kind, values in names.items() if values}
    if leaf.role == "server" and not any(names.values()):
        why = _("it has no subjectAltName, which every client asks for: it gets its own name")
        left.append(Left(leaf.line, shown(leaf.subject.cn), why))
    if leaf.key.kind and leaf.key.kind != f"RSA-{settings.key_size}":
        table["key"] = leaf.key.kind
    if read.peer:
        table["peer"] = True
    if leaf.days != settings.cert_days:
        table["days"] = leaf.days
    reader = ["windows2016" if one.old else "default" for one in leaf.bundles]
    if reader != (["default"] if leaf.role == "client" else []):
        table["p12"] = reader
    if leaf.bundles and leaf.bundles[0].name not in {"", leaf.subject.cn}:
        table["p12_name"] = leaf.bundles[0].name
    return table


def _fitting(kind: str, table: Table, line: int, settings: Settings, left: list[Left]) -> Table:
    """A table without what the settings refuse in it; that is told."""
    kept: Table = {}
    for key, value in table.items():
        tried = {**({"name": "name"} if kind in {"server", "client"} else {}), key: value}
        whole = {kind: [tried] if kind in {"server", "client"} else tried}
        refused = _refused(whole, settings)
        if refused and key != "name":
            said = shown(f"{key} = {value}")
            left.append(Left(line, said, _("it is refused: {why}", why=refused[0][1])))
        else:
            kept[key] = value
    return kept


def _refused(made: Mapping[str, object], settings: Settings) -> list[tuple[str, str]]:
    # As few batch files need it as need tables.
    from mtls_openssl.settings.config import Document  # noqa: PLC0415
    from mtls_openssl.settings.described import tables_of  # noqa: PLC0415

    _tables, refusals = tables_of(Document("mtls.toml", made, {}), settings)
    return [(f"{one.field} {one.value}".strip(), one.why) for one in refusals]
