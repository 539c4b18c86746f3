"""What is said when settings are refused."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import Text, _, joined

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Refusal:
    """One setting that is refused.

    Args:
        field: its name.
        value: the value as text, escaped where it can't be printed, and shortened.
        source: where it came from: `option --org`, `environment MTLS_ORG`, `mtls.toml line 3`,
            `profile bat` or `made from --domain`.
        why: the end of a sentence that begins with the value.
        allowed: what would be taken.
        fix: the edit that mends it.
    """

    field: str
    value: str
    source: str
    why: str
    allowed: str
    fix: str

    def __str__(self) -> str:
        return str(self.words)

    @property
    def words(self) -> Text:
        """All of it, in a sentence."""
        return _(
            "{setting} ({source}) {why}; allowed: {allowed}",
            setting=joined(" ", filter(None, (self.field, self.value))),
            source=self.source,
            why=self.why,
            allowed=self.allowed,
        )


class SettingsRefusedError(SettingRefusedError):
    """One or more settings are refused, and nothing was run.

    Args:
        refusals: every setting that is refused.
        fixes: how many ways to mend them are told at most: of the rows of a table there may be
            hundreds, and each refusal names its own; None for all.
    """

    def __init__(self, refusals: Sequence[Refusal], *, fixes: int | None = None) -> None:
        first = _("A setting is refused:")
        if len(refusals) != 1:
            first = _("{count} settings are refused:", count=len(refusals))
        super().__init__(
            joined("\n  ", [first, *(refusal.words for refusal in refusals)]),
            fix=joined(_("; "), _few(dict.fromkeys(refusal.fix for refusal in refusals), fixes)),
        )
        self.refusals = tuple(refusals)


def _few(fixes: Collection[str], most: int | None) -> Iterator[str]:
    yield from itertools.islice(fixes, most)
    if most and len(fixes) > most:
        yield _("and {count} more", count=len(fixes) - most)


def shown(value: object) -> str:
    """A value for a message: escaped where it can't be printed, 60 characters at most."""
    try:
        text = repr(value)
    except ValueError:  # a whole number too long for Python to write in digits
        return _("a number of thousands of digits")
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def nearest(word: str, words: Iterable[str]) -> str:
    """The end of a sentence that asks whether the word most like `word` was meant."""
    import difflib  # noqa: PLC0415 - for a message only

    near = difflib.get_close_matches(word, list(words), n=1)
    return _("; did you mean {word}?", word=near[0]) if near else ""
