"""A JSON Schema of `mtls.toml`, made of the models, for editors that know one.

Taplo, which Even Better TOML is made of, knows draft 4; what is used here is the same in every
later one. It says what a single value may be; what they may be together, only `load` says.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Union

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from mtls_openssl.language import spoken
from mtls_openssl.profiles import BAT, P12_FOR, PROFILES
from mtls_openssl.settings import names, values
from mtls_openssl.settings.model import Settings
from mtls_openssl.settings.tables import READERS, Tables

Schema = dict[str, Any]

_DIGITS = r"^[ \t]*[0-9]{1,9}[ \t]*$"
_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": values.LONGEST_NAME}
# Digits in quotes are taken for a number too.
_NUMBER: Schema = {"type": ["integer", "string"], "pattern": _DIGITS}
_RULES: Mapping[Callable[..., object], Schema] = {
    values.country: {"type": "string", "pattern": "^[A-Za-z]{2}$"},
    values.name: _NAME,
    values.optional_name: {"type": "string", "maxLength": values.LONGEST_NAME},
    values.organization: {**_NAME, "maxLength": values.LONGEST_NAME - len(values.CA_SUFFIX)},
    values.dns_name: {"type": "string", "minLength": 1, "pattern": r"^[^\s/:@]+$"},
    values.server_name: {"type": "string", "minLength": 1, "pattern": r"^[^\s/:@]+$"},
    values.ip_address: {"type": "string", "pattern": "^[0-9A-Fa-f:.]+$"},
    values.days: {**_NUMBER, "minimum": 1, "maximum": values.MOST_DAYS},
    values.rsa_size: {
        **_NUMBER,
        "minimum": values.RSA_SIZES.start,
        "maximum": values.RSA_SIZES.stop - 1,
        "multipleOf": values.RSA_SIZES.step,
    },
    values.yes_or_no: {"type": ["boolean", "string", "integer"]},
    names.file_name: {
        "type": "string",
        "pattern": "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        "maxLength": names.LONGEST_FILE_NAME,
    },
    names.key_kind: {
        "type": "string",
        "pattern": "^([Rr][Ss][Aa][-_ ]?[0-9]{4,5}|[Pp][-_]?(256|384)|[Ee][Dd]25519)$",
    },
    names.mail: {"type": "string", "pattern": "^[^@]+@[^@]+$"},
    names.address: {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:"},
    names.limit: _NAME,
    names.passphrase_source: {"type": "string", "pattern": "^(|ask|env:[A-Za-z_].*|file:.+)$"},
    names.web_address: {"type": "string", "pattern": "^(|[Hh][Tt]{2}[Pp][Ss]?://.*|ldap://.*)$"},
    names.path_length: {**_NUMBER, "minimum": 0, "maximum": names.LONGEST_PATH},
    names.reader: {"type": "string", "enum": list(READERS)},
}
_CHOICES = {"profile": list(PROFILES), "p12_for": [*P12_FOR, ""]}


def schema() -> Schema:
    """The schema of a whole file, its descriptions in the language of this process."""
    settings = {name: _field(field) for name, field in Settings.model_fields.items()}
    for name, known in _CHOICES.items():
        settings[name] = {**settings[name], "enum": known}
    for name, value in BAT.values.items():
        if "{" not in str(value):
            settings[name]["default"] = list(value) if isinstance(value, tuple) else value
    # Both spellings are taken, and one of them offered.
    dashed = {
        name.replace("_", "-"): {**one, "x-taplo": {"hidden": True}}
        for name, one in settings.items()
        if "_" in name
    }
    tables = {name: _field(field) for name, field in Tables.model_fields.items()}
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "mtls.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {**settings, **tables, **dashed},
    }


def _field(field: FieldInfo) -> Schema:
    """What a field may be, said by its own rule, else by its type."""
    found = _of(field.annotation, field.metadata)
    if field.description:
        found = {**found, "description": spoken(field.description)}
    return found


def _of(kind: Any, metadata: Any = ()) -> Schema:
    """What a type may be.

    Args:
        kind: the type.
        metadata: what `Annotated` says besides.
    """
    rules = [one.func for one in metadata if isinstance(one, BeforeValidator)]
    rule = next((_RULES[one] for one in rules if one in _RULES), None)
    if rule is not None:
        return dict(rule)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        inner, *more = arguments
        described = next((one for one in more if isinstance(one, FieldInfo)), None)
        found = _of(inner, more)
        said = described.description if described else None
        return {**found, "description": spoken(said)} if said else found
    if origin in {Union, types.UnionType}:
        # TOML has no null: what may be None is left out.
        return next(_of(one, metadata) for one in arguments if one is not types.NoneType)
    if origin is tuple:
        items = _of(arguments[0])
        # A list may be a text with commas.
        return {"type": ["array", "string"] if rules else "array", "items": items}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _table(kind)
    return dict(_TEXT)


def _table(model: type[BaseModel]) -> Schema:
    fields = model.model_fields
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _field(field) for name, field in fields.items()},
        **(
            {"required": needed}
            if (needed := [n for n in fields if fields[n].is_required()])
            else {}
        ),
    }
