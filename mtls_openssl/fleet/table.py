"""A table of clients: a CSV file (RFC 4180) as Excel and other programs save it."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.language import _, joined
from mtls_openssl.settings.refusals import nearest

COLUMNS = ("name", "cn", "dns", "ip", "email", "uri", "key", "days")
"""What a column may be called."""

_LISTS = frozenset({"dns", "ip", "email", "uri"})
_BETWEEN = re.compile(r"[;,\s]+")
_DELIMITERS = ",;\t"
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """A client that is asked for.

    Args:
        source: where, for messages.
        values: what is asked for, by the name of the column.
        fault: why the row can't be read; empty if it can.
        fixes: what mends a value, by the name of its column, where that is no edit of the row.
    """

    source: str
    values: Mapping[str, object]
    fault: str = ""
    fixes: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Table:
    """A CSV file with a row of names above the others.

    Args:
        path: the file.

    Raises:
        FolderUnavailableError: it can't be read.
        SettingRefusedError: it is no such table.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._text = _decoded(bytes_of(path), path.name)
        first = self._text.lstrip().partition("\n")[0]
        self._delimiter = max(_DELIMITERS, key=first.count)
        self._columns = self._header()

    def rows(self) -> Iterator[Row]:
        """Each row of the table in turn, without empty ones; may be asked for again."""
        records = self._records()
        next(records)
        for number, cells in records:
            source = _("{file} line {line}", file=self._name, line=number)
            if any(cells[len(self._columns) :]):
                why = _(
                    "has {count} values for {columns} columns",
                    count=len(cells),
                    columns=len(self._columns),
                )
                yield Row(source, {}, why)
                continue
            given = zip(self._columns, cells, strict=False)
            values = {name: _value(name, cell) for name, cell in given if cell}
            yield Row(source, values, fixes=_fixes(values))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(
            io.StringIO(self._text, newline=""), delimiter=self._delimiter, strict=True
        )
        number = 1
        try:
            for record in reader:
                cells = [cell.strip() for cell in record]
                if any(cells):
                    yield number, cells
                number = reader.line_num + 1
        except csv.Error as error:
            raise SettingRefusedError(
                _("{file} line {line} can't be read as CSV.", file=self._name, line=number),
                cause=_("{why}", why=error),
                fix=_("see to the quotes in that line"),
            ) from None

    def _header(self) -> tuple[str, ...]:
        _number, names = next(self._records(), (1, []))
        columns = tuple(name.lower() for name in names)
        strange = [name for name in columns if name not in COLUMNS]
        twice = [name for name in columns if columns.count(name) > 1]
        if not strange and not twice and {"name", "cn"} & set(columns):
            return columns
        why = _("{name} is there twice", name="".join(twice[:1]))
        if not names:
            why = _("it is empty")
        elif strange:
            near = nearest(strange[0], COLUMNS)
            why = joined("", (_("{name!r} is no column", name=strange[0]), near))
        elif not twice:
            why = _("there is neither a name nor a cn")
        raise SettingRefusedError(
            _("The first line of {file} does not name the columns.", file=self._name),
            cause=why,
            fix=_("begin the file with a line of names out of: {names}", names=", ".join(COLUMNS)),
        )


def _value(name: str, cell: str) -> object:
    return [one for one in _BETWEEN.split(cell) if one] if name in _LISTS else cell


def _fixes(values: Mapping[str, object]) -> dict[str, str]:
    """What mends the name of somebody who is called in letters that no file is to have."""
    if str(values.get("name", values.get("cn", ""))).isascii():
        return {}
    fix = _(
        "say what the files of each are called: in a column name, with A-Z a-z 0-9 . _ - alone;"
        " what is in other letters goes into the column cn"
    )
    return {"name": fix}


def _decoded(content: bytes, name: str) -> str:
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding, "replace")
    # What says something in GBK, as Excel in China saves it, is next to never UTF-8 too.
    for encoding in ("utf-8", "gbk"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SettingRefusedError(
        _("{file} is neither UTF-8 nor GBK.", file=name),
        cause=_("it is damaged, no table, or was saved in another code page"),
        fix=_("save it as CSV in UTF-8"),
    )
