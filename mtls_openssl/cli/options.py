"""The options of the command line: one table, from which every command takes its groups.

An option that stands for a setting bears the setting's name; what it may be is `settings`'
business, so that an option, a variable and a line of `mtls.toml` are refused in the same words.
"""

from __future__ import annotations

import enum
import functools
import inspect
import keyword
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mtls_openssl.cli.console import guarded
from mtls_openssl.errors import UsageError
from mtls_openssl.language import LANGUAGES, Text, _, joined, named, spoken
from mtls_openssl.profiles import P12_FOR

_ON_WINDOWS = os.name == "nt"

Choices = dict[str, Any]
"""What was typed: by parameter name; None for what was not."""


class Format(enum.StrEnum):
    """What a dry run prints."""

    TEXT = "text"
    BAT = "bat"
    SH = "sh"
    PS1 = "ps1"
    JSON = "json"


class ScriptFormat(enum.StrEnum):
    """What the audit log can be turned into."""

    BAT = "bat"
    SH = "sh"
    PS1 = "ps1"
    JSON = "json"


class Group(enum.StrEnum):
    """The groups of RFC 7919, Appendix A, that are ready."""

    FFDHE2048 = "ffdhe2048"
    FFDHE3072 = "ffdhe3072"
    FFDHE4096 = "ffdhe4096"


def option(
    kind: Any,
    *flags: str,
    help: str,  # noqa: A002 - typer's own name for it
    default: Any = None,
    panel: str = "Options",
    **more: Any,
) -> inspect.Parameter:
    """An option of a command.

    Args:
        kind: the type of its value.
        flags: as they are typed; the first long one names it in Choices, with a `_` behind a word
            of Python.
        help: what it is, in one line; a message of the catalogue, as is `show_default`.
        default: what it is if it is not typed.
        panel: the heading that it stands under in the help.
        more: further arguments of `typer.Option`.
    """
    # Who reads a file says that it can't be read; typer would take that for wrong usage.
    more.setdefault("readable", False)
    if isinstance(more.get("show_default"), str):
        more["show_default"] = _said(more["show_default"])
    name = next(flag for flag in flags if flag.startswith("--")).lstrip("-").split("/")[0]
    return inspect.Parameter(
        name.replace("-", "_") + "_" * keyword.iskeyword(name),
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[
            kind, typer.Option(*flags, help=_said(help), rich_help_panel=panel, **more)
        ],
    )


def secret(
    name: str,
    panel: str,
    env: str = _("Environment variable that has it."),
    file: str = _("File that has it in its first line."),
    stdin: str = _("Read it from standard input."),
) -> tuple[inspect.Parameter, ...]:
    """The options that name where a password is; it is never typed itself.

    Args:
        name: what they begin with.
        panel: the heading that they stand under in the help.
        env: the help of the first, `--NAME-env`.
        file: of `--NAME-file`.
        stdin: of `--NAME-stdin`.
    """
    return (
        option(str | None, f"--{name}-env", metavar="NAME", panel=panel, help=env),
        option(Path | None, f"--{name}-file", metavar="FILE", panel=panel, help=file),
        option(bool, f"--{name}-stdin", default=False, panel=panel, help=stdin),
    )


def _said(text: str) -> str:
    return spoken(text if isinstance(text, Text) else Text(text))


def _spoken_here(name: str | None) -> str | None:
    if name and named(name) is None:
        known = joined(_(", "), LANGUAGES)
        raise typer.BadParameter(
            spoken(_("{name!r} is not one of {languages}.", name=name, languages=known))
        )
    return name


_SET = "What is made (profile < mtls.toml < MTLS_* < option)"
_RUN = "How it runs"
_PASSWORD = "Password of the PKCS#12 file (else MTLS_P12_PASSWORD, else asked, else made)"  # noqa: S105

FOLDER = (
    option(
        Path, "--out", "-o", default=Path(), help="Folder of the set.", panel=_RUN,
        metavar="DIR", show_default="the current folder",
    ),
)  # fmt: skip
OPENSSL = (
    option(
        Path | None, "--openssl", help="The openssl to use, or its folder.", panel=_RUN,
        metavar="PATH", show_default="MTLS_OPENSSL, else searched",
    ),
)  # fmt: skip
LANGUAGE = (
    option(
        str | None, "--lang", metavar="LANGUAGE", panel=_RUN, envvar="MTLS_LANG",
        show_default="the system's", callback=_spoken_here,
        help="Language of what is printed: en or zh.",
    ),
)  # fmt: skip
OUTPUT = (
    *LANGUAGE,
    option(bool, "--json", default=False, help="Print data for a program.", panel=_RUN),
    option(bool, "--quiet", "-q", default=False, help="Print only errors.", panel=_RUN),
    option(bool, "--verbose", "-v", default=False, help="Print every command.", panel=_RUN),
)  # fmt: skip
LOOK = (
    *FOLDER,
    *OPENSSL,
    option(
        float | None, "--timeout", min=0.1, metavar="SECONDS", panel=_RUN,
        help="What any one command may take.", show_default="60",
    ),
    *OUTPUT,
)  # fmt: skip
RUN = (
    *FOLDER,
    *OPENSSL,
    option(
        int | None, "--jobs", "-j", min=1, help="openssl processes at the same time.", panel=_RUN,
        show_default="the processors",
    ),
    option(
        float | None, "--timeout", min=0.1, metavar="SECONDS", panel=_RUN,
        help="What any one openssl command may take.", show_default="60; keys 600; dhparam 3600",
    ),
    *OUTPUT,
)  # fmt: skip
DRY = (
    option(bool, "--dry-run", default=False, help="Print what would be run.", panel=_RUN),
    option(Format, "--format", default=Format.TEXT, help="Form of a dry run.", panel=_RUN),
)
SETTINGS = (
    option(str | None, "--profile", help="bat, guide or modern.", panel=_SET, show_default="bat"),
    option(
        Path | None, "--config", help="Settings file.", panel=_SET, metavar="FILE",
        show_default="mtls.toml in the folder",
    ),
)  # fmt: skip
SUBJECT = (
    option(str | None, "--country", help="Country, two letters (C).", panel=_SET),
    option(str | None, "--state", help="State or province (ST).", panel=_SET),
    option(str | None, "--city", help="City (L).", panel=_SET),
    option(str | None, "--org", help='Organization (O); the CA\'s is "ORG CA".', panel=_SET),
)
CA = (
    option(str | None, "--ca-days", help="Days that the CA lasts.", panel=_SET),
    option(str | None, "--ca-key-size", help="Bits of the CA's RSA key.", panel=_SET),
    option(str | None, "--ca-cn", help="The CA's common name.", panel=_SET),
)
KEY_SIZE = (option(str | None, "--key-size", help="Bits of an RSA key.", panel=_SET),)
LEAF = (option(str | None, "--cert-days", help="Days that certificates last.", panel=_SET),)
SERVER = (
    option(str | None, "--domain", help="Domain of the server.", panel=_SET),
    option(str | None, "--server-cn", help="The server's common name.", panel=_SET),
    option(
        list[str] | None, "--server-dns", metavar="NAME", panel=_SET,
        help="DNS name of the server; repeatable, replaces the profile's.",
    ),
    option(
        list[str] | None, "--server-ip", metavar="ADDRESS", panel=_SET,
        help="IP address of the server; repeatable, replaces the profile's.",
    ),
)  # fmt: skip
CLIENT = (option(str | None, "--client-cn", help="The client's common name.", panel=_SET),)
CONTEXT = (inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),)
"""What typer knows of the command, such as whether one below it was typed."""

KEEP = (
    option(
        bool | None, "--keep-csr/--no-keep-csr", panel=_SET, show_default=False,
        help="Keep requests, serial and extension files.",
    ),
)  # fmt: skip
P12_PASSWORD = secret("p12-password", _PASSWORD)
P12 = (
    option(str | None, "--p12-name", help="Friendly name in client.p12.", panel=_SET),
    option(
        str | None, "--p12-for", metavar="READER", panel=_SET, show_default="the openssl's choice",
        help=_("Who must be able to read client.p12: {readers}.", readers=", ".join(P12_FOR)),
    ),
    *P12_PASSWORD,
)  # fmt: skip
PACK = (
    inspect.Parameter(
        "packed",
        inspect.Parameter.KEYWORD_ONLY,
        default="client",
        annotation=Annotated[
            str,
            typer.Argument(
                help=spoken(
                    _(
                        "client, or the name of another certificate: its key and chain, of a server"
                        " without the root; truststore: the CA alone, for Java."
                    )
                ),
                metavar="[NAME]",
            ),
        ],
    ),
    option(
        str | None, "--p12-name", "--name", help="Friendly name in the file.", panel=_SET,
        show_default="MyClientCert, MyServerCert, MyRootCA",
    ),
    option(
        str | None, "--p12-for", "--for", metavar="READER", panel=_SET,
        show_default="the openssl's choice",
        help=_("Who must be able to read it: {readers}.", readers=", ".join(P12_FOR)),
    ),
    *P12_PASSWORD,
)  # fmt: skip
DHPARAM = (
    option(int, "--bits", default=2048, min=2048, max=8192, help="Bits of a fresh prime."),
    option(
        Group | None, "--group",
        help="Take a group of RFC 7919 instead, at once: its prime is public, as any server's"
        " is, was chosen so that nobody could hide a weakness in it, and is known to TLS peers.",
    ),
)  # fmt: skip

ONE_RUN = (
    option(str | None, "--run", metavar="ID", help="One run only.", show_default="all"),
)  # fmt: skip
LAST_RUN = (
    option(
        str | None, "--run", metavar="ID", help="One run only.",
        show_default="the last that made something",
    ),
)  # fmt: skip
SCRIPT = (
    option(
        ScriptFormat,
        "--format",
        default=ScriptFormat.BAT if os.name == "nt" else ScriptFormat.SH,
        help="What to turn it into.",
    ),
)


def _refuse_swallowed(choices: Choices) -> None:
    r"""Refuse a path with a double quote, which no file of Windows has.

    A backslash before the one that closes it, as in `"dir\"`, makes it a part of the path, with
    all that stands behind it (Microsoft C++, "Parsing C command-line arguments").
    """
    typed = (one for value in choices.values() for one in _several(value))
    path = next((str(one) for one in typed if isinstance(one, Path) and '"' in str(one)), "")
    if not path:
        return
    meant = path.partition('"')[0]
    raise UsageError(
        _("{path} is no name on Windows: there is a quotation mark in it.", path=path),
        cause=_(
            "a backslash before the closing quotation mark makes it a part of the name, and all"
            " that stands behind it"
        ),
        fix=_("type it without the backslash at the end: {path}", path=f'"{meant}"')
        if not meant.endswith(":")
        else _("type it without quotation marks: {path}", path=f"{meant}\\"),
    )


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def takes(
    *groups: tuple[inspect.Parameter, ...],
) -> Callable[[Callable[[Choices], None]], Callable[..., None]]:
    """Let a command have the options of `groups`, and its errors told as errors are."""
    parameters = [parameter for group in groups for parameter in group]

    def decorate(command: Callable[[Choices], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def invoke(**choices: Any) -> None:
            with guarded(json=bool(choices.get("json")), verbose=bool(choices.get("verbose"))):
                if _ON_WINDOWS:
                    _refuse_swallowed(choices)
                command(choices)

        invoke.__doc__ = spoken(Text(inspect.cleandoc(command.__doc__ or "")))
        invoke.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        invoke.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return invoke

    return decorate
