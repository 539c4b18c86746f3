"""The option that says how long before its end a certificate is taken for ending."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from mtls_openssl.cli.options import Choices, option
from mtls_openssl.errors import UsageError
from mtls_openssl.language import _

_DAYS = re.compile(r"(\d{1,5}) ?(d|day|days|w|week|weeks)?", re.IGNORECASE | re.ASCII)


def within(*more: str, help: str) -> Any:  # noqa: A002 - typer's own name for it
    """The option `--within`.

    Args:
        more: its other flags.
        help: what it does, in a sentence that leaves out when nobody gives it.
    """
    return option(
        str | None, "--within", *more, metavar="DAYS", help=help,
        show_default="30d, or a third of its life",
    )  # fmt: skip


def asked(choices: Choices) -> timedelta | None:
    """The time that `--within` says; None where it was not typed.

    Raises:
        UsageError: it is no time.
    """
    wanted: str | None = choices["within"]
    if wanted is None:
        return None
    found = _DAYS.fullmatch(wanted.strip())
    if not found:
        raise UsageError(
            _("--within {value!r} is no time in days.", value=wanted),
            fix=_("give a number of days or weeks, such as 30d or 6w"),
        )
    weeks = (found[2] or "").lower().startswith("w")
    return timedelta(days=int(found[1]) * (7 if weeks else 1))
