"""Where the pass phrase of an authority's key comes from: named, or asked for once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mtls_openssl.cli import console, options, secret
from mtls_openssl.cli.options import Choices
from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.inspection.files import is_encrypted
from mtls_openssl.language import _
from mtls_openssl.manifest import INTERMEDIATE, ROOT, passphrase_variable

if TYPE_CHECKING:
    from mtls_openssl.plan import Plan

_SHORTEST = 4
"""What openssl asks for at least (PEM_def_callback)."""
_LONGEST = 1023
_PANEL = _("Pass phrase of the CA's key (else mtls.toml, else MTLS_CA_PASSPHRASE, else asked)")

PASSPHRASE = options.secret("ca-passphrase", _PANEL)
"""The key that issues: the root's, or the intermediate authority's where there is one."""


def passphrases(
    choices: Choices, plan: Plan, sources: Mapping[str, str], *, issuer: str = ROOT
) -> dict[str, str]:
    """The pass phrases that a plan needs, by the variable that openssl reads.

    Args:
        choices: what was typed.
        plan: what will be run.
        sources: where the file of settings says they are, by the authority's name.
        issuer: the authority that the options are for.

    Raises:
        SettingRefusedError: one is nowhere to be had, or can't be used.
        UsageError: two places are named.
    """
    wanted = {name for command in plan.commands for name in command.secrets}
    made = set(plan.makes)
    return {
        passphrase_variable(authority): _fit(
            _found(
                choices,
                authority,
                sources.get(authority, ""),
                typed=authority == issuer,
                new=f"{authority}.key" in made,
            ),
            authority,
        )
        for authority in (ROOT, INTERMEDIATE)
        if passphrase_variable(authority) in wanted
    }


def of_folder(
    choices: Choices, folder: Path, sources: Mapping[str, str], *, issuer: str
) -> dict[str, str]:
    """The pass phrases of the keys in a folder, by the variable that openssl reads.

    Args:
        choices: what was typed.
        folder: the folder of the set.
        sources: as for `passphrases`.
        issuer: the authority whose key is needed, and that the options are for; another one's
            is taken where it is to be had without asking.

    Raises:
        SettingRefusedError: the issuer's is nowhere to be had, or one can't be used.
        UsageError: two places are named.
    """
    encrypted = [
        authority
        for authority in (ROOT, INTERMEDIATE)
        if (folder / f"{authority}.key").is_file() and is_encrypted(folder / f"{authority}.key")
    ]
    return {
        passphrase_variable(one): _fit(
            _found(choices, one, sources.get(one, ""), typed=one == issuer, new=False), one
        )
        for one in encrypted
        if one == issuer or _is_at_hand(one, sources.get(one, ""))
    }


def _is_at_hand(authority: str, source: str) -> bool:
    kind, _colon, place = source.partition(":")
    variable = place if kind == "env" else passphrase_variable(authority)
    return kind == "file" or variable in os.environ


def of(choices: Choices, authority: str, source: str = "") -> str:
    """The pass phrase of an authority's key that is there.

    Args:
        choices: what was typed.
        authority: whose key it is; the options are for it.
        source: where the file of settings says it is; empty where it does not.

    Raises:
        SettingRefusedError: it is nowhere to be had, or can't be used.
        UsageError: two places are named.
    """
    return _fit(_found(choices, authority, source, typed=True, new=False), authority)


def _found(choices: Choices, authority: str, source: str, *, typed: bool, new: bool) -> str:
    if typed and (given := secret.named(choices, "ca-passphrase")) is not None:
        return given
    kind, _colon, place = source.partition(":")
    variable = place if kind == "env" else passphrase_variable(authority)
    if kind == "file":
        return secret.first_line(Path(place), _("mtls.toml"))
    if variable in os.environ:
        return os.environ[variable]
    if console.is_interactive():
        once = f"the typed {variable}"  # a command may have two runs
        if once not in choices:
            question = _("Pass phrase of {file}", file=f"{authority}.key")
            choices[once] = console.ask_twice(question) if new else console.ask_once(question)
        return str(choices[once])
    raise SettingRefusedError(
        _("The pass phrase of {file} is not known.", file=f"{authority}.key"),
        cause=_("its key is encrypted, and there is no terminal to ask at"),
        fix=_("set the variable {variable}, or give --ca-passphrase-file FILE", variable=variable),
    )


def _fit(value: str, authority: str) -> str:
    if not (_SHORTEST <= len(value) <= _LONGEST and value.isascii() and value.isprintable()):
        raise SettingRefusedError(
            _(
                "The pass phrase of {file} is not {least} to {most} printable ASCII characters.",
                file=f"{authority}.key",
                least=_SHORTEST,
                most=_LONGEST,
            ),
            cause=_("systems encode other characters in different ways (passphrase-encoding(7))"),
            fix=_("choose another one"),
        )
    return value
