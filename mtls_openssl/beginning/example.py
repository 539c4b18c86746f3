"""What a file of settings says where nobody has said anything: every default, and what it means.

A line that begins with `#` and a blank explains; one that begins with `#` alone is a setting that
counts as soon as the `#` is gone.
"""

from __future__ import annotations

import dataclasses
import json
import textwrap
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence

from mtls_openssl.beginning.explained import BETWEEN, HEADING, SCHEMA, SETTINGS, TABLES
from mtls_openssl.language import _, spoken, width
from mtls_openssl.settings import Settings
from mtls_openssl.steps import Render

SCHEMA_FILE = "mtls.schema.json"
"""What the schema is called beside a file of settings."""

_TEMPLATE = "settings/mtls.toml.j2"
_COLUMNS = 96


@dataclasses.dataclass(frozen=True)
class Entry:
    """A setting in the file.

    Args:
        name: its name.
        value: its value, as TOML has it.
        comment: the lines that explain it.
        given: whether somebody has given it, so that it counts.
    """

    name: str
    value: str
    comment: Sequence[str]
    given: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """A table that is only an example.

    Args:
        header: its header.
        comment: the lines that explain it.
        entries: its settings.
    """

    header: str
    comment: Sequence[str]
    entries: Sequence[Entry]


def example(
    settings: Settings, given: Collection[str], *, name: str, schema: bool = False
) -> Render:
    """A file of settings, in the language of this process.

    Args:
        settings: what it says.
        given: the names of the settings that somebody has given.
        name: what the file is called.
        schema: whether the schema lies beside it.
    """
    return Render(
        _TEMPLATE,
        name,
        "",
        {
            "schema": SCHEMA_FILE if schema else "",
            "heading": _wrapped(*HEADING, *(() if schema else SCHEMA)),
            "settings": tuple(_settings(settings, given)),
            "between": _wrapped(*BETWEEN),
            "tables": tuple(_tables(settings)),
        },
    )


def _settings(settings: Settings, given: Collection[str]) -> Iterator[Entry]:
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if name == "p12_for" and value is None:
            value = "modern"  # nobody in particular has no name
        if value is None:
            continue  # the profile makes keys of one size
        allowed = _("Allowed: {values}", values=Settings.model_fields[name].description or "")
        yield Entry(name, _value(value), _wrapped(SETTINGS[name], allowed), given=name in given)


def _tables(settings: Settings) -> Iterator[Table]:
    values = _values(settings)
    for header, meaning, entries in TABLES:
        table = header.strip("[]")
        yield Table(
            header,
            _wrapped(meaning),
            tuple(
                Entry(name, _value(values[table][name]), _wrapped(said) if said else ())
                for name, said in entries
            ),
        )


def _values(settings: Settings) -> Mapping[str, Mapping[str, object]]:
    """A value for each setting of each table, such that together they are taken."""
    domain, days = settings.domain, settings.cert_days
    # No certificate lasts longer than the one that issues it.
    between = max(min(1825, settings.ca_days), days)
    return {
        "ca": {
            "cn": settings.ca_cn,
            "days": settings.ca_days,
            "key": "P-384",
            "passphrase": "ask",
            "path_length": 1,
            "permitted": [domain, "127.0.0.0/8"],
            "excluded": [f"secret.{domain}"],
            "crl_url": f"http://pki.{domain}/crl.der",
            "ocsp_url": f"http://ocsp.{domain}/",
            "crl_days": 30,
        },
        "intermediate": {
            "cn": "MyIssuingCA",
            "days": between,
            "key": "P-256",
            "passphrase": "env:MTLS_ISSUING_PASSPHRASE",
        },
        "server": {
            "name": "api",
            "cn": f"api.{domain}",
            "dns": [f"api.{domain}", f"*.api.{domain}"],
            "ip": ["127.0.0.1"],
            "key": "P-256",
            "days": min(90, days),
            "peer": True,
            "p12": ["windows2016"],
        },
        "client": {
            "name": "alice",
            "cn": "Alice",
            "email": [f"alice@{domain}"],
            "uri": [f"spiffe://{domain}/alice"],
            "p12": ["default", "java8"],
            "p12_name": "Alice",
        },
    }


def _wrapped(*texts: str) -> tuple[str, ...]:
    """Texts as lines of a comment; an empty one stands for an empty line."""
    lines: list[str] = []
    for text in texts:
        said = spoken(text)
        if width(said) == len(said):
            lines += textwrap.wrap(said, _COLUMNS, break_on_hyphens=False) or [""]
        else:
            lines += _folded(said)
    return tuple(lines)


def _folded(text: str) -> Iterator[str]:
    """Lines of a text in which a break may stand behind most characters (UAX #14)."""
    line = ""
    for letter in text:
        stays = letter.isascii() or unicodedata.category(letter).startswith("P")
        if width(line) >= _COLUMNS - 2 and not stays:
            yield line
            line = ""
        line += letter
    yield line


def _value(value: object) -> str:
    """A value of TOML; what JSON has for it is the same."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
