"""Checks the tables of a file of settings, one by one and together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import Leaf, Role
from mtls_openssl.settings import values
from mtls_openssl.settings.config import Document, Place
from mtls_openssl.settings.model import Settings
from mtls_openssl.settings.refusals import Refusal, SettingsRefusedError, nearest, shown
from mtls_openssl.settings.tables import (
    CaTable,
    IntermediateTable,
    LeafTable,
    ServerTable,
    Tables,
)
from mtls_openssl.settings.values import UnfitError
from mtls_openssl.settings.whole import leaf_of

_MODELS: dict[str, type[BaseModel]] = {
    "ca": CaTable,
    "intermediate": IntermediateTable,
    "server": ServerTable,
    "client": LeafTable,
}


def tables_of(document: Document, settings: Settings) -> tuple[Tables | None, list[Refusal]]:
    """The tables of a file.

    Args:
        document: the file.
        settings: what holds for all of them.

    Returns:
        The tables, None if one is refused; and every refusal.
    """
    try:
        tables = Tables.model_validate(
            {name: value for name, value in document.content.items() if name in _MODELS}
        )
    except ValidationError as error:
        problems = error.errors(include_url=False)
        return None, [_refusal(document, problem) for problem in problems]
    unfit = [
        _refused(document, place, value, reason)
        for place, value, reason in _unfit_together(tables, settings)
    ]
    return (None if unfit else tables), unfit


def one_leaf(given: Mapping[str, object], role: Role, settings: Settings) -> Leaf:
    """One more certificate, of values from the command line.

    Args:
        given: values by the name of the option; those of `LeafTable`.
        role: which side it is for.
        settings: what holds where nothing is given.

    Raises:
        SettingsRefusedError: a value can't be used.
    """
    document = Document("", {role.value: [dict(given)]}, {})
    tables, refusals = tables_of(document, settings)
    if tables is None:
        raise SettingsRefusedError([_typed(refusal) for refusal in refusals])
    (table,) = tables.server or tables.client
    return leaf_of(table, role, settings)


def leaf_in_row(
    given: Mapping[str, object], source: str, settings: Settings
) -> tuple[Leaf | None, list[Refusal]]:
    """One client of many, of values from a row of a table.

    Args:
        given: values by the name of the column; those of `LeafTable`.
        source: the row, for messages.
        settings: what holds where nothing is given.

    Returns:
        What is asked for, None if a value can't be used; and every refusal.
    """
    document = Document("", {Role.CLIENT.value: [dict(given)]}, {})
    tables, refusals = tables_of(document, settings)
    if tables is None:
        return None, [in_row(refusal, source) for refusal in refusals]
    return leaf_of(tables.client[0], Role.CLIENT, settings), []


def in_row(refusal: Refusal, source: str) -> Refusal:
    """A refusal of a value in a row of a table."""
    return dataclasses.replace(
        refusal,
        field=refusal.field.rpartition(" ")[2],
        source=source,
        fix=_("edit {place}", place=source),
    )


def _typed(refusal: Refusal) -> Refusal:
    """A refusal of a value that was typed."""
    field = refusal.field.rpartition(" ")[2]
    option = "NAME" if field == "name" else f"--{field.replace('_', '-')}"
    return dataclasses.replace(
        refusal,
        field=field,
        source=_("option {option}", option=option),
        fix=_("change {option}", option=option),
    )


def _refusal(document: Document, problem: Any) -> Refusal:
    place = tuple(part for part in problem["loc"] if isinstance(part, int) or part.isidentifier())
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _unknown(document, problem["loc"])
    if kind == "missing":
        why = UnfitError(_("is missing"))
        return _refused(document, problem["loc"], None, why)
    reason = problem.get("ctx", {}).get("error")
    if not isinstance(reason, UnfitError):
        reason = UnfitError(_not_fitting(kind, problem["msg"]))
    return _refused(document, place, problem["input"], reason)


def _not_fitting(kind: str, said: str) -> Text:
    if kind in {"tuple_type", "list_type"}:
        return _("is not a list of tables, which stand under [[server]] or [[client]]")
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        return _("is not a table")
    return _("can't be used: {why}", why=said)


def _refused(document: Document, place: Place, value: object, reason: UnfitError) -> Refusal:
    source = document.source(place)
    # What was meant as a pass phrase is not shown.
    hidden = value is None or "passphrase" in place
    text = "" if hidden else shown(value)
    edit = _("edit {place}", place=source)
    return Refusal(_said(place), text, source, reason.why, _allowed(place), edit)


def _unknown(document: Document, place: Place) -> Refusal:
    table, key = str(place[0]), str(place[-1])
    known = list(_MODELS[table].model_fields)
    source = document.source(place)
    near = nearest(key.replace("-", "_").lower(), known)
    why = joined("", (_("is no setting of {table}", table=_header(place)), near))
    edit = _("edit {place}", place=source)
    return Refusal(shown(key)[1:-1], "", source, why, ", ".join(known), edit)


def _header(place: Place) -> str:
    table = str(place[0])
    return f"[[{table}]]" if table in {"server", "client"} else f"[{table}]"


def _said(place: Place) -> str:
    names = [part for part in place[1:] if isinstance(part, str)]
    return " ".join((_header(place), *names[:1]))


def _allowed(place: Place) -> str:
    names = [part for part in place[1:] if isinstance(part, str)]
    field = _MODELS[str(place[0])].model_fields.get(names[0]) if names else None
    return (field.description or "") if field else _("a table with a name of its own")


_Unfit = tuple[Place, object, UnfitError]


def _unfit_together(tables: Tables, settings: Settings) -> Iterator[_Unfit]:
    ca_days = (tables.ca.days if tables.ca else None) or settings.ca_days
    issuer_days, issuer = ca_days, "[ca]"
    if tables.intermediate:
        issuer_days, issuer = tables.intermediate.days, "[intermediate]"
        if issuer_days > ca_days:
            yield ("intermediate", "days"), issuer_days, _too_long(ca_days, "[ca]")
        if tables.ca and tables.ca.path_length == 0:
            why = _("leaves no room for [intermediate] below it")
            yield ("ca", "path_length"), 0, UnfitError(why)
    seen: dict[str, str] = {}
    for place, leaf in _leaves(tables):
        days = leaf.days or settings.cert_days
        if days > issuer_days:
            yield (*place, "days"), days, _too_long(issuer_days, issuer)
        letters = "".join(letter if letter.isalnum() else "_" for letter in leaf.name.lower())
        if letters in seen:
            why = _("is too like the name {name} of another certificate", name=seen[letters])
            yield (*place, "name"), leaf.name, UnfitError(why)
        seen[letters] = leaf.name
        if leaf.p12 and len(set(leaf.p12)) < len(leaf.p12):
            yield (*place, "p12"), list(leaf.p12), UnfitError(_("names somebody twice"))
        yield from _unfit_names(place, leaf, settings)


def _unfit_names(place: Place, leaf: LeafTable, settings: Settings) -> Iterator[_Unfit]:
    if leaf.alternatives:
        return
    common_name = leaf.cn or leaf.name
    try:
        if place[0] == "server":
            values.server_name(leaf.cn or f"{leaf.name}.{settings.domain}")
        elif settings.client_san:
            values.alternative_name(common_name)
    except UnfitError as error:
        why = _("{why}; give dns or another name that it stands for", why=error.why)
        yield (*place, "cn" if leaf.cn else "name"), common_name, UnfitError(why)


def _leaves(tables: Tables) -> Iterable[tuple[Place, LeafTable]]:
    for number, server in enumerate(tables.server):
        yield ("server", number), server
    for number, client in enumerate(tables.client):
        yield ("client", number), client


def _too_long(most: int, issuer: str) -> UnfitError:
    return UnfitError(
        _(
            "is longer than the certificate that issues it lasts, {days} days ({issuer})",
            days=most,
            issuer=issuer,
        )
    )
