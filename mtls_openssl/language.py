"""What a person reads, in English and in their own language (gettext).

`_` marks a message where it is made. What it returns is the English text, a `str` like any other
for logs, data and comparisons; it remembers how it was put together, so that `spoken` can say it
in the language of this process where it is shown.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Self

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""Every language there is a catalogue for, by its gettext name; English needs none."""

_DOMAIN = "messages"
_spoken_here = "en"


class Text(str):
    """A message in English that can be said in another language.

    Args:
        template: the message as it stands in the catalogue, `{name}` where a value goes.
        values: the values; one that is a Text itself is translated as well.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:  # noqa: D102
        text = super().__new__(cls, template.format(**values) if values else template)
        text.template = template
        text.values = values
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.template, dict(self.values))


class Joined(Text):
    """Texts in a row, each of them translated by itself; make it with `joined`."""

    __slots__ = ()


def _(template: str, /, **values: Any) -> Text:
    """A message.

    Args:
        template: the English text, with `{name}` for each value. Where it has values, a brace of
            its own is doubled.
        values: what goes there.
    """
    return Text(template, **values)


def joined(separator: str, texts: Iterable[str]) -> Text:
    """Texts with `separator` between them, each of which keeps its translation."""
    several = tuple(texts)
    text = Joined.__new__(Joined, "{it}", it=separator.join(several))
    text.values = {"separator": separator, "texts": several}
    return text


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
    return translated.format(
        **{
            name: spoken(value) if isinstance(value, str) else value
            for name, value in text.values.items()
        }
    )


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
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == "--lang":
            return named(value if equals else following) or "en"
    wanted = environ.get("MTLS_LANG")
    if wanted:
        return named(wanted) or "en"
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(variable):
            return named(environ[variable].partition(":")[0]) or "en"
    return named(_system_language()) or "en"


def named(name: str) -> str | None:
    """The key of LANGUAGES that a name such as `zh`, `zh-CN`, `zh_CN.UTF-8` or `C` stands for."""
    plain = name.partition(".")[0].partition("@")[0].replace("-", "_").lower()
    if plain in {"c", "posix"}:
        return "en"
    language = plain.partition("_")[0]
    return next((key for key in LANGUAGES if key.partition("_")[0] == language), None)


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

    catalogue = files("mtls_openssl") / "locale" / language / "LC_MESSAGES" / f"{_DOMAIN}.mo"
    with catalogue.open("rb") as file:
        return gettext.GNUTranslations(file)


def _again(template: str, values: dict[str, Any]) -> Text:
    if "texts" in values and "separator" in values:
        return joined(values["separator"], values["texts"])
    return Text(template, **values)
