"""The manifest of a whole set, from the settings and the tables of `mtls.toml`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mtls_openssl.manifest import (
    INTERMEDIATE,
    ROOT,
    Authority,
    Key,
    Leaf,
    Manifest,
    Name,
    Packing,
    Role,
)
from mtls_openssl.settings import values
from mtls_openssl.settings.model import Settings

if TYPE_CHECKING:
    # A run without tables does not load their models.
    from mtls_openssl.settings.tables import LeafTable, Tables

DEFAULT_READER = "default"
"""The word in `p12` for whom the openssl release likes best to write for."""


def manifest_of(settings: Settings, tables: Tables | None = None) -> Manifest:
    """What is to be made.

    Args:
        settings: what holds for all of it.
        tables: what is said of each authority and certificate; without one of a kind, there is the
            batch file's.
    """
    if tables is None:
        return Manifest(_root(settings), (_server(settings), _client(settings)))
    leaves = (
        *(leaf_of(one, Role.SERVER, settings) for one in tables.server),
        *(leaf_of(one, Role.CLIENT, settings) for one in tables.client),
    )
    whole = Manifest(
        _root(settings, tables),
        leaves or (_server(settings), _client(settings)),
        _intermediate(settings, tables),
    )
    if tables.ca is None:
        return whole
    return dataclasses.replace(
        whole,
        crl_url=tables.ca.crl_url,
        ocsp_url=tables.ca.ocsp_url,
        crl_days=tables.ca.crl_days,
    )


def _root(settings: Settings, tables: Tables | None = None) -> Authority:
    root = Authority(
        ROOT,
        settings.ca_subject,
        settings.ca_days,
        _key(settings.ca_key_size),
    )
    ca = tables.ca if tables else None
    if ca is None:
        return root
    return Authority(
        ROOT,
        _subject(settings, ca.cn or settings.ca_cn, suffix=values.CA_SUFFIX),
        ca.days or root.days,
        ca.key or root.key,
        encrypted=bool(ca.passphrase),
        path_length=ca.path_length,
        permitted=ca.permitted,
        excluded=ca.excluded,
    )


def _intermediate(settings: Settings, tables: Tables) -> Authority | None:
    table = tables.intermediate
    if table is None:
        return None
    return Authority(
        INTERMEDIATE,
        _subject(settings, table.cn, suffix=values.CA_SUFFIX),
        table.days,
        table.key or _key(settings.ca_key_size),
        encrypted=bool(table.passphrase),
        path_length=table.path_length,
        permitted=table.permitted,
        excluded=table.excluded,
    )


def _server(settings: Settings) -> Leaf:
    return Leaf(
        "server",
        Role.SERVER,
        settings.server_subject,
        settings.cert_days,
        _key(settings.key_size),
        (
            *(f"DNS:{name}" for name in settings.server_dns),
            *(f"IP:{address}" for address in settings.server_ip),
        ),
        settings.server_ext,
        settings.critical_key_usage,
    )


def _client(settings: Settings) -> Leaf:
    return Leaf(
        "client",
        Role.CLIENT,
        settings.client_subject,
        settings.cert_days,
        _key(settings.key_size),
        (settings.client_san,) if settings.client_san else (),
        "v3_client.ext",
        settings.critical_key_usage,
        (Packing("client.p12", settings.p12_name, settings.p12_for),),
    )


def leaf_of(table: LeafTable, role: Role, settings: Settings) -> Leaf:
    """One certificate, as a table describes it.

    Args:
        table: the table.
        role: which side it is for.
        settings: what holds where the table says nothing.
    """
    from mtls_openssl.settings.tables import ServerTable  # noqa: PLC0415 - as above

    name = table.name
    if role is Role.SERVER:
        common_name = table.cn or (table.dns[0] if table.dns else f"{name}.{settings.domain}")
    else:
        common_name = table.cn or name
    alternatives = table.alternatives
    if not alternatives and role is Role.SERVER:
        alternatives = (f"DNS:{common_name}",)
    elif not alternatives and settings.client_san:
        alternatives = (values.alternative_name(common_name),)
    return Leaf(
        name,
        role,
        _subject(settings, common_name),
        table.days or settings.cert_days,
        table.key or _key(settings.key_size),
        alternatives,
        f"v3_{name}.ext",
        settings.critical_key_usage,
        tuple(_packings(table, role, settings, common_name)),
        peer=isinstance(table, ServerTable) and table.peer,
    )


def _packings(table: LeafTable, role: Role, settings: Settings, common_name: str) -> list[Packing]:
    wanted = table.p12
    if wanted is None:
        usual = settings.p12_for or DEFAULT_READER
        wanted = (usual,) if role is Role.CLIENT else ()
    readers = [None if reader == DEFAULT_READER else reader for reader in wanted]
    return [
        Packing(
            f"{table.name}.p12" if not number else f"{table.name}.{reader}.p12",
            table.p12_name or common_name,
            reader,
        )
        for number, reader in enumerate(readers)
    ]


def _key(size: int | None) -> Key:
    return Key("EC", curve="P-256") if size is None else Key("RSA", bits=size)


def _subject(settings: Settings, common_name: str, *, suffix: str = "") -> Name:
    attributes = (
        ("C", settings.country),
        ("ST", settings.state),
        ("L", settings.city),
        ("O", settings.org + suffix),
        ("CN", common_name),
    )
    return tuple((key, value) for key, value in attributes if value)
