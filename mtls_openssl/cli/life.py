"""The commands that keep a set up to date: apply, renew."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.changing import carried_out, data_of, looked_at, told
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.passphrase import PASSPHRASE
from mtls_openssl.errors import Exit, UsageError
from mtls_openssl.language import _, spoken
from mtls_openssl.manifest import INTERMEDIATE, ROOT

if TYPE_CHECKING:
    from mtls_openssl.life.deciding import Wish

_DAYS = re.compile(r"(\d{1,5}) ?(d|day|days|w|week|weeks)?", re.IGNORECASE)
_WITHIN = (
    option(
        str | None, "--within", metavar="DAYS",
        help="Renew what ends within this time, such as 30d or 6w.",
        show_default="30d, or a third of its life",
    ),
    option(bool, "--rekey", default=False, help="A new key for what is renewed."),
)  # fmt: skip
_REPLACE = (
    option(
        list[str] | None, "--replace", metavar="AUTHORITY",
        help="Make an authority anew, ca or intermediate, and with it all that it has issued.",
    ),
)  # fmt: skip
_DRY = (
    option(
        bool, "--dry-run", default=False, help="Print what would be done, and why.",
    ),
)  # fmt: skip
_NAMES = (
    inspect.Parameter(
        "names",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            list[str] | None,
            typer.Argument(
                help=spoken(_("Certificates to renew whatever their end, such as client.")),
                metavar="[NAME]...",
            ),
        ],
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(apply)
    app.command()(renew)


@takes(options.RUN, _DRY, options.SETTINGS, _WITHIN, _REPLACE, options.P12_PASSWORD, PASSPHRASE)
def apply(choices: Choices) -> None:
    """Make the folder what mtls.toml says, and nothing more; a second run does nothing."""
    from mtls_openssl.life.deciding import Wish  # noqa: PLC0415 - what a command needs, when it does

    replace = frozenset(choices["replace"] or ())
    if strange := replace - {ROOT, INTERMEDIATE}:
        raise UsageError(
            _("{name} is no authority.", name=", ".join(sorted(strange))),
            fix=_("give --replace ca or --replace intermediate"),
        )
    wish = Wish(datetime.now(UTC), days(choices), rekey=choices["rekey"], replace=replace)
    _do(choices, "apply", wish, described=True)


@takes(
    _NAMES, options.RUN, _DRY, options.SETTINGS, _WITHIN, options.P12_PASSWORD, PASSPHRASE
)  # fmt: skip
def renew(choices: Choices) -> None:
    """Renew what nears its end, or what is named; exit code 10 if there was nothing to do."""
    from mtls_openssl.life.deciding import Wish  # noqa: PLC0415

    wish = Wish(
        datetime.now(UTC),
        days(choices),
        names=frozenset(choices["names"] or ()),
        rekey=choices["rekey"],
        only_renew=True,
    )
    if not _do(choices, "renew", wish, described=False):
        raise typer.Exit(Exit.NOTHING_TO_DO)


def _do(choices: Choices, name: str, wish: Wish, *, described: bool) -> bool:
    decided = looked_at(choices, name, wish, described=described)
    decision = decided.decision
    quiet = choices["quiet"] or choices["json"]
    if choices["dry_run"] or decision.idle:
        if choices["json"]:
            console.print_data(
                {**data_of(name, decision, choices["out"]), "dry_run": choices["dry_run"]}
            )
        elif not quiet:
            for line in told(decision, dry=choices["dry_run"]):
                typer.echo(spoken(line))
        return not decision.idle
    if not quiet:
        for line in told(decision):
            typer.echo(spoken(line))
        typer.echo("")
    carried_out(choices, decided, name)
    return True


def days(choices: Choices) -> int | None:
    """The time that `--within` says, in days; None where it was not typed.

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
    return int(found[1]) * (7 if (found[2] or "d").lower().startswith("w") else 1)
