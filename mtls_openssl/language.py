"""What a person reads, in English and in their own language (gettext).

`_` marks a message where it is made. What it returns is the English text, a `str` like any other
for logs, data and comparisons; it remembers how it was put together, so that `spoken` can say it
in the language of this process where it is shown.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""Every language that is spoken here, by its gettext name; English needs no catalogue."""

_DOMAIN = "messages"
_CHOICE = re.compile(r"\{(?P<name>\w+):(?P<one>[^{}|]*)\|(?P<many>[^{}|]*)\}")
_FEWEST_LETTERS = 4
_spoken_here = "en"


class Text(str):
    """A message in English that can be said in another language.

    Args:
        template: the message as it stands in the catalogue, `{name}` where a value goes, and
            `{name:one|many}` for which of two words, or endings, goes with a number.
        values: the values; one that is a Text itself is translated as well.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:  # noqa: D102
        text = super().__new__(cls, _filled(template, values) if values else template)
        text.template = template
        text.values = values
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.template, dict(self.values))


class Joined(Text):
    """Texts in a row, each of them translated by itself; make it with `joined`."""

    __slots__ = ()


class Recalled(Text):
    """A message taken from its English text; make it with `recalled`."""

    __slots__ = ()


def _(template: str, /, **values: Any) -> Text:
    """A message.

    Args:
        template: the English text, with `{name}` for each value, and `client{count:|s}` where a
            word goes by a number. Where it has values, a brace of its own is doubled.
        values: what goes there.
    """
    return Text(template, **values)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    # Chinese has one form for all: a translation needs no more than str.format.
    if "|" in template:
        template = _CHOICE.sub(
            lambda found: found["one" if str(values[found["name"]]) == "1" else "many"], template
        )
    return template.format(**values)


def joined(separator: str, texts: Iterable[str]) -> Text:
    """Texts with `separator` between them, each of which keeps its translation."""
    several = tuple(texts)
    text = Joined.__new__(Joined, "{it}", it=separator.join(several))
    text.values = {"separator": separator, "texts": several}
    return text


def few(names: Sequence[str], most: int) -> Text:
    """The first of some names, and a mark where there are more.

    Args:
        names: the names.
        most: how many are told.
    """
    first = joined(_(", "), names[:most])
    return joined("", (first, "…")) if len(names) > most else first


def clauses(texts: Iterable[str]) -> Text:
    """Texts as parts of one sentence, each of which keeps its translation.

    A list of things is `joined` by a comma: Chinese has a mark of its own for that.
    """
    several = tuple(texts)
    said = joined("", several[:1])
    for one in several[1:]:
        said = _("{said}, {clause}", said=said, clause=one)
    return said


def spoken(text: str) -> str:
    """`text` in the language of this process; a plain `str` as it is."""
    if _spoken_here == "en" or not isinstance(text, Text):
        return str(text)
    if isinstance(text, Joined):
        separator = spoken(text.values["separator"])
        return separator.join(spoken(one) for one in text.values["texts"])
    translated = _catalogue(_spoken_here).gettext(text.template) if text.template else ""
    if not text.values:
        return translated
    values = {
        name: spoken(value) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    if isinstance(text, Recalled):
        values = {name: _Written(value) for name, value in values.items()}
    return translated.format(**values)


def recalled(text: str) -> str:
    """The message that an English text was made from: what a log or a library says.

    Args:
        text: such a text; one that was made from no message of the catalogue comes back as it is.
    """
    if _spoken_here == "en" or isinstance(text, Text):
        return text
    for shape in _shapes(_spoken_here):
        if values := shape.values_in(text):
            message = Recalled.__new__(Recalled, "{it}", it=text)
            message.template = shape.template
            # A single word is a name, such as that of a command, whatever else it means.
            message.values = {
                name: recalled(value) if " " in value else value for name, value in values.items()
            }
            return message
    return Text(text)


def speak(language: str) -> None:
    """Say everything in `language`, a key of LANGUAGES, from now on."""
    global _spoken_here  # noqa: PLW0603 - a process speaks one language
    _spoken_here = language


def current() -> str:
    """The language of this process, a key of LANGUAGES."""
    return _spoken_here


def chosen(argv: Iterable[str], environ: Mapping[str, str]) -> str:
    """The language to speak: `--lang`, `MTLS_LANG`, else the system's; English if it is no other.

    Args:
        argv: the arguments of the command line.
        environ: the environment; of the system's own variables, those of gettext(1) are read.
    """
    words = list(argv)
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name == "--lang":
            return named(value if equals else following) or "en"
    wanted = environ.get("MTLS_LANG")
    if wanted:
        return named(wanted) or "en"
    locale = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    # As gettext(1) has it: LANGUAGE is a list, and counts for nothing in the locale C.
    is_c = locale.partition(".")[0] in {"", "C", "POSIX"}
    several = [] if is_c else environ.get("LANGUAGE", "").split(":")
    return next(filter(None, map(named, [*several, locale or _system_language()])), "en")


def named(name: str) -> str | None:
    """The key of LANGUAGES that a name such as `zh`, `zh-CN`, `zh_CN.UTF-8` or `C` stands for."""
    plain = name.partition(".")[0].partition("@")[0].replace("-", "_").lower()
    if plain in {"c", "posix"}:
        return "en"
    language = plain.partition("_")[0]
    return next((key for key in LANGUAGES if key.partition("_")[0] == language), None)


def width(text: str) -> int:
    """How many columns `text` takes on a terminal: a Han character takes two (UAX #11)."""
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415 - English goes without

    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def padded(text: str, columns: int) -> str:
    """`text` with blanks behind it, so that it takes as many columns at least."""
    return text + " " * (columns - width(text))


class _Written(str):
    # What stands in a text already is in the form that the message gave it.
    __slots__ = ()

    def __format__(self, _: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


class _Shape:
    """A message with values, as it is found again in a text."""

    def __init__(self, template: str) -> None:
        self.template = template
        parts = re.split(r"(?<!\{)\{(\w+)([^{}]*)\}", template)
        self._literals = [part.replace("{{", "{").replace("}}", "}") for part in parts[::3]]
        self._names, self._forms = parts[1::3], parts[2::3]
        self.begins = bool(self._literals[0])
        self.length = sum(map(len, self._literals))
        self.letters = sum(map(str.isalpha, "".join(self._literals)))

    def values_in(self, text: str) -> dict[str, str] | None:
        if not (text.startswith(self._literals[0]) and text.endswith(self._literals[-1])):
            return None
        found = re.fullmatch(self._pattern, text, re.DOTALL)
        return found.groupdict() if found else None

    @functools.cached_property
    def _pattern(self) -> str:
        pattern, seen = re.escape(self._literals[0]), set[str]()
        for name, form, literal in zip(self._names, self._forms, self._literals[1:], strict=True):
            if "|" in form:
                one, many = map(re.escape, form.removeprefix(":").split("|"))
                pattern += f"(?:{one}|{many})"
            else:
                pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.*?)"
                seen.add(name)
            pattern += re.escape(literal)
        return pattern


def _system_language() -> str:
    if sys.platform != "win32":
        return "en"
    import ctypes  # noqa: PLC0415 - there only
    import locale  # noqa: PLC0415

    number = ctypes.windll.kernel32.GetUserDefaultUILanguage()
    return locale.windows_locale.get(number, "en")


@functools.cache
def _catalogue(language: str) -> Any:
    import gettext  # noqa: PLC0415 - English goes without
    import io  # noqa: PLC0415

    return gettext.GNUTranslations(io.BytesIO(_compiled(language)))


@functools.cache
def _compiled(language: str) -> bytes:
    from importlib.resources import files  # noqa: PLC0415 - English goes without

    catalogue = files("mtls_openssl") / "locale" / language / "LC_MESSAGES" / f"{_DOMAIN}.mo"
    return catalogue.read_bytes()


@functools.cache
def _shapes(language: str) -> list[_Shape]:
    """The messages with values and some words of their own, the most telling first."""
    shapes = [_Shape(template) for template in _originals(_compiled(language)) if "{" in template]
    telling = [shape for shape in shapes if shape.letters >= _FEWEST_LETTERS]
    return sorted(telling, key=lambda shape: (not shape.begins, -shape.length))


def _originals(compiled: bytes) -> Iterator[str]:
    """The English messages of a catalogue (GNU gettext manual, "The Format of GNU MO Files")."""
    import struct  # noqa: PLC0415 - English goes without

    order = "<" if compiled.startswith(b"\xde\x12\x04\x95") else ">"
    count, table = struct.unpack_from(f"{order}II", compiled, 8)
    for length, start in struct.iter_unpack(f"{order}II", compiled[table : table + 8 * count]):
        yield compiled[start : start + length].decode()


def _again(template: str, values: dict[str, Any]) -> Text:
    if "texts" in values and "separator" in values:
        return joined(values["separator"], values["texts"])
    return Text(template, **values)
