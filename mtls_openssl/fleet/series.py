"""Clients that differ in a number only: `device-{:05d}` from 1 to 5000."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from mtls_openssl.errors import UsageError
from mtls_openssl.fleet.table import Row
from mtls_openssl.language import _

_NUMBER = re.compile(r"\{(?::0?\d{0,2}d?)?\}")
_EXAMPLE = '--name "dev{:03d}"'


@dataclasses.dataclass(frozen=True)
class Series:
    """Numbered clients.

    Args:
        count: how many.
        first: the number of the first.
        patterns: the values of each, by the name of the column, with `{}` or `{:05d}` where its
            number goes.
        values: those that are the same for all.
    """

    count: int
    first: int
    patterns: dict[str, str]
    values: dict[str, object]

    def __post_init__(self) -> None:
        for option in ("cn", "name"):
            pattern = self.patterns.get(option)
            if pattern is not None and not _NUMBER.search(pattern):
                raise UsageError(
                    _("--{option} {pattern} gives all the same.", option=option, pattern=pattern),
                    cause=_("nothing in it says where the number goes"),
                    fix=_("put {} or {:05d} there, such as device-{:05d}"),
                )

    def rows(self) -> Iterator[Row]:
        """Each client in turn; may be asked for again."""
        fixes = self._fixes()
        for number in range(self.first, self.first + self.count):
            values = {name: _filled(text, number) for name, text in self.patterns.items()}
            source = _("number {number}", number=number)
            yield Row(source, {**self.values, **values}, fixes=fixes)

    def _fixes(self) -> dict[str, str]:
        """The options that the values come from: there is no row that could be edited."""
        fixes: dict[str, str] = {
            name: _("change {option}", option=f"--{name}")
            for name in (*self.values, *self.patterns)
        }
        if "name" not in self.patterns:
            fixes["name"] = _("say what their files are called: add {option}", option=_EXAMPLE)
        return fixes


def _filled(pattern: str, number: int) -> str:
    return _NUMBER.sub(lambda found: found[0].format(number), pattern)
