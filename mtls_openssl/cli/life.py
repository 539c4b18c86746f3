"""The commands that keep a set up to date: apply, renew."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtls_openssl.cli import changing, console, options, replacing
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.passphrase import PASSPHRASE
from mtls_openssl.cli.within import asked, within
from mtls_openssl.errors import Exit, UsageError
from mtls_openssl.language import Text, _, spoken
from mtls_openssl.manifest import INTERMEDIATE, ROOT

if TYPE_CHECKING:
    from mtls_openssl.cli.changing import Decided
    from mtls_openssl.fleet.renewing import Due
    from mtls_openssl.life.decision import Decision

_WITHIN = (
    within(help="Renew what ends within this time, such as 30d or 6w."),
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
                help=spoken(
                    _("Certificates to renew whatever their end, such as client or intermediate.")
                ),
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
    from mtls_openssl.cli import renewing  # noqa: PLC0415 - as below: what a command needs
    from mtls_openssl.life.decision import Wish  # noqa: PLC0415
    from mtls_openssl.plan.naming import Names  # noqa: PLC0415

    authorities = Names((ROOT, INTERMEDIATE))
    replace = frozenset(authorities.spelt(name) or name for name in choices["replace"] or ())
    if strange := replace - {ROOT, INTERMEDIATE}:
        raise UsageError(
            _("{name} is no authority.", name=", ".join(sorted(strange))),
            fix=_("give --replace ca or --replace intermediate"),
        )
    folder: Path = choices["out"]
    wish = Wish(datetime.now(UTC), asked(choices), rekey=choices["rekey"], replace=replace)
    decided = changing.looked_at(choices, "apply", wish, described=True)
    if unknown := replace - {one.name for one in decided.decision.manifest.authorities}:
        raise UsageError(
            _("mtls.toml describes no authority {name}.", name=", ".join(unknown)),
            fix=_("describe it there: [intermediate]"),
        )
    fleet = renewing.advice(renewing.looked_at(folder, wish))
    _do(choices, "apply", decided.noting(*replacing.noted(folder, decided.decision), *fleet))


@takes(
    _NAMES, options.RUN, _DRY, options.SETTINGS, _WITHIN, options.P12_PASSWORD, PASSPHRASE
)  # fmt: skip
def renew(choices: Choices) -> None:
    """Renew what nears its end, or what is named; exit code 10 if there was nothing to do."""
    from mtls_openssl.cli import renewing  # noqa: PLC0415
    from mtls_openssl.life.decision import Wish  # noqa: PLC0415

    names = frozenset(choices["names"] or ())
    wish = Wish(
        datetime.now(UTC), asked(choices), names=names, rekey=choices["rekey"], only_renew=True
    )
    folder: Path = choices["out"]
    of_set, of_fleet = renewing.meant(folder, names)
    decided, due = None, None
    if not names or of_set:
        own = dataclasses.replace(wish, names=of_set)
        decided = changing.looked_at(choices, "renew", own, described=False)
        decided = decided.noting(*replacing.with_an_old_chain(folder, decided.decision))
    if not names or of_fleet:
        due = renewing.looked_at(folder, dataclasses.replace(wish, names=of_fleet))
    if not _do(choices, "renew", decided, due):
        raise typer.Exit(Exit.NOTHING_TO_DO)


def _do(choices: Choices, name: str, decided: Decided | None, due: Due | None = None) -> bool:
    """Do what is to be done for a set and for its fleet; whether that was anything."""
    from mtls_openssl.cli import renewing  # noqa: PLC0415

    dry, folder = choices["dry_run"], choices["out"]
    decision = decided.decision if decided else None
    idle = (decision is None or decision.idle) and not (due and due.count)
    tells = not (choices["quiet"] or choices["json"])
    if tells:
        for line in _told(decision, due, dry=dry, idle=idle):
            typer.echo(spoken(line))
    result, done = None, None
    if not dry and decided and not decided.decision.idle:
        if tells:
            typer.echo("")
        result = changing.carried_out(choices, decided, name)
    if not dry and due and due.count:
        done = renewing.carried_out(choices, due)
        for line in renewing.outcome(done) if tells else ():
            typer.echo(spoken(line))
    console.be_deaf()
    if choices["json"]:
        data = {"command": name, "ok": True, "folder": str(folder.absolute())}
        if decision:
            data |= changing.data_of(name, decision, folder, result)
        if due:
            data["fleet"] = renewing.data_of(due, done)
        console.print_data({**data, "dry_run": dry} if dry or idle else data)
    return not idle


def _told(decision: Decision | None, due: Due | None, *, dry: bool, idle: bool) -> Iterator[Text]:
    from mtls_openssl.cli import renewing  # noqa: PLC0415

    if decision:
        yield from changing.told(decision, dry=dry, alone=not (due and (due.count or due.left)))
    elif dry and not idle:
        yield _("This would be done:")
    if due:
        yield from renewing.told(due)
