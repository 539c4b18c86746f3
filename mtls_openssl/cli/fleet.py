"""The command that issues many clients at once: issue."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import cluster, console, making, options
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.passphrase import PASSPHRASE, of_folder
from mtls_openssl.errors import UsageError
from mtls_openssl.language import Text, _, few, spoken

if TYPE_CHECKING:
    from mtls_openssl.fleet.asking import Asked, Wanted
    from mtls_openssl.fleet.nouns import Done, Whom
    from mtls_openssl.manifest import Leaf
    from mtls_openssl.settings import Loaded

_SHOWN = 5
_PAUSE = 0.2
_ONE_AT_A_TIME = ("cn", "name")

_WHO = (
    option(
        Path | None, "--from", metavar="FILE",
        help="CSV file with a line for each; columns: name, cn, dns, ip, email, uri, key, days.",
    ),
    option(int | None, "--count", "-n", min=1, max=1_000_000, help="Or so many, numbered."),
    option(
        str | None, "--cn", metavar="PATTERN",
        help="Common name of each, with {} or {:05d} where its number goes.",
    ),
    option(
        str | None, "--name", metavar="PATTERN", show_default="as --cn",
        help="What the files of each are called, likewise.",
    ),
    option(int, "--start", default=1, min=0, help="The number of the first."),
    option(
        str | None, "--key", metavar="KIND", show_default="by profile and --key-size",
        help="Kind of key: RSA-2048 to RSA-16384, P-256, P-384, Ed25519.",
    ),
    option(str | None, "--days", help="Days that each lasts.", show_default="by profile"),
    option(
        list[str] | None, "--p12", metavar="READER", show_default="none",
        help="Pack each for a reader, as `p12 --for`, or for any: default; repeatable.",
    ),
    option(bool, "--zip", default=False, help="An archive for each instead of a folder."),
    option(
        bool, "--reissue", default=False,
        help="Issue again who is there and asked for otherwise now.",
    ),
)  # fmt: skip
_DRY = (
    option(bool, "--dry-run", default=False, help="Print what would be issued."),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(issue)


@takes(
    _WHO, _DRY, cluster.CLUSTER, options.RUN, options.SETTINGS, options.SUBJECT, options.KEY_SIZE,
    PASSPHRASE,
)  # fmt: skip
def issue(choices: Choices) -> None:
    """Issue clients by the hundred, on all processors; the same again goes on where it stopped."""
    from mtls_openssl.fleet.asking import wanted  # noqa: PLC0415 - what a command needs, when it does

    read = making.loaded(choices)
    folder: Path = choices["out"]
    asked = _asked(choices)
    settings = read.settings
    who = wanted(_with(asked, choices), settings, _readers(choices), folder)
    cluster.require(choices)
    if choices["dry_run"]:
        _show(choices, who)
        return
    done = issued(choices, read, who)
    console.be_deaf()
    if choices["json"]:
        console.print_data(_data(done))
    elif not choices["quiet"]:
        for line in _told(done):
            typer.echo(spoken(line))


def _asked(choices: Choices) -> Asked:
    from mtls_openssl.fleet.series import Series  # noqa: PLC0415
    from mtls_openssl.fleet.table import Table  # noqa: PLC0415

    file: Path | None = choices["from_"]
    if (file is None) == (choices["count"] is None):
        raise UsageError(
            _("Who is to get a certificate?"),
            fix=_(
                "give a table: --from clients.csv; or a number and a pattern:"
                ' -n 500 --cn "device-{:05d}"'
            ),
        )
    patterns = {name: choices[name] for name in _ONE_AT_A_TIME if choices[name] is not None}
    if file is not None:
        if patterns:
            raise UsageError(
                _("--cn and --name are for numbered clients."),
                fix=_("put them into the columns cn and name of {file}", file=file),
            )
        return Table(file)
    if "cn" not in patterns:
        raise UsageError(
            _("-n says how many, and nothing says what they are called."),
            fix=_('add --cn "device-{:05d}"'),
        )
    return Series(choices["count"], choices["start"], patterns, {})


@dataclasses.dataclass(frozen=True)
class _With:
    """Rows, with values for those that say nothing themselves."""

    asked: Asked
    values: dict[str, object]

    def rows(self) -> Iterator[Any]:
        typed = {name: _("change {option}", option=f"--{name}") for name in self.values}
        for row in self.asked.rows():
            fixes = {name: fix for name, fix in typed.items() if name not in row.values}
            yield dataclasses.replace(
                row, values={**self.values, **row.values}, fixes={**row.fixes, **fixes}
            )


def _with(asked: Asked, choices: Choices) -> Asked:
    return _With(asked, {name: choices[name] for name in ("key", "days") if choices[name]})


def _readers(choices: Choices) -> tuple[str, ...]:
    readers = tuple(choices["p12"] or ())
    return () if readers == ("none",) else readers


def _show(choices: Choices, who: Wanted) -> None:
    from mtls_openssl.fleet.choosing import foreseen  # noqa: PLC0415

    first = list(itertools.islice(who.leaves(), _SHOWN))
    done = foreseen(choices["out"], who, zipped=choices["zip"], reissues=choices["reissue"])
    if choices["json"]:
        data = {
            "count": who.count,
            "there": done.there,
            "again": done.again,
            "others": done.others,
            "revoked": done.revoked,
            "notes": [str(note) for note in notes(done)],
            "first": [_leaf(leaf) for leaf in first],
        }
        console.print_data({"command": "issue", "ok": True, "dry_run": True, **data})
        return
    typer.echo(spoken(_("This would be issued:")))
    for leaf in first:
        names = ", ".join(leaf.alternatives) or "-"
        said = f"  {leaf.name}: {dict(leaf.subject)['CN']} ({names}), {leaf.key}, "
        typer.echo(said + spoken(_("{days} days", days=leaf.days)))
    if who.count > len(first):
        typer.echo(spoken(_("  and {count} more", count=who.count - len(first))))
    if done.again:
        typer.echo(spoken(_again(done.again)))
    if done.there:
        what = _(
            "{count} of them {count:is|are} there already, and"
            " {count:stays as it is|stay as they are}",
            count=done.there,
        )
        typer.echo(spoken(what))
    for note in notes(done):
        typer.echo(spoken(_("Note: {note}", note=note)))


def _again(count: int) -> Text:
    return _(
        "{count} of them {count:was|were} there, and {count:was|were} not as"
        " {count:it is|they are} asked for",
        count=count,
    )


def _leaf(leaf: Leaf) -> dict[str, Any]:
    return {
        "name": leaf.name,
        "subject": dict(leaf.subject),
        "names": list(leaf.alternatives),
        "key": str(leaf.key),
        "days": leaf.days,
    }


def issued(
    choices: Choices, read: Loaded, who: Whom, *, renews: bool = False, rekey: bool = False
) -> Done:
    """Issue clients, or renew them.

    Args:
        choices: what was typed.
        read: the settings.
        who: whom.
        renews: whether they are there and get new certificates.
        rekey: whether they get new keys then.
    """
    from mtls_openssl.fleet.issuing import issue  # noqa: PLC0415
    from mtls_openssl.fleet.nouns import Order  # noqa: PLC0415
    from mtls_openssl.life import condition  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    folder: Path = choices["out"]
    manifest = condition.with_authorities(read.manifest, folder, described=read.tables)
    order = Order(
        folder=folder,
        manifest=manifest,
        whom=who,
        # One more than processors: while we read what one has made, none of them is idle.
        jobs=choices["jobs"] or making.processors() + 1,
        zipped=choices.get("zip", False),
        renews=renews,
        rekey=rekey,
        reissues=choices.get("reissue", False),
        limit=choices["timeout"],
        passphrases=of_folder(choices, folder, read.passphrases, issuer=manifest.issuer.name),
    )
    door = Door()
    found = find(choices["openssl"], door)
    quiet = choices["quiet"] or choices["json"]
    with cluster.helped(choices, order) as ordered, _Progress.shown(quiet=quiet) as progress:
        return issue(ordered, found, door=door, watcher=progress)


class _Progress:
    """A line at a terminal: how many, how fast, how long still."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self._since = time.monotonic()
        self._said = 0.0
        self._state = (0, 0)

    @classmethod
    @contextlib.contextmanager
    def shown(cls, *, quiet: bool) -> Iterator[_Progress]:
        """A line, for as long as the block lasts; none where nobody would see it."""
        if quiet or not sys.stderr.isatty():
            yield cls(None)
            return
        from rich.console import Console  # noqa: PLC0415 - at a terminal only

        with Console(stderr=True).status(spoken(_("begins..."))) as line:
            yield cls(line)

    def progress(self, made: int, left: int) -> None:
        """So many have been made, and so many are left."""
        self._state = (made, left)
        self.tick()

    def tick(self) -> None:
        """Say how it goes, a few times a second."""
        now = time.monotonic()
        made, left = self._state
        if self._line is None or not made or now - self._said < _PAUSE:
            return
        self._said = now
        rate = made / (now - self._since)
        said = _(
            "{made} made, {left} left; {rate:.0f} a second, {seconds:.0f} s still",
            made=made, left=left, rate=rate, seconds=left / rate,
        )  # fmt: skip
        self._line.update(spoken(said))


def _told(done: Done) -> Iterator[Text]:
    if done.made:
        yield _(
            "{count} client{count:|s} issued and proven in {seconds:.1f} s: {folder}",
            count=done.made,
            seconds=done.seconds,
            folder=done.folder / "clients",
        )
    else:
        yield _("Nothing to do: {count:|all }{count} {count:is|are} there.", count=done.wanted)
    if done.hosts:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(done.hosts.items()))
        yield _("Their keys were made on: {names}", names=names)
    if done.again:
        yield _again(done.again)
    if done.backup:
        yield _("What was there before is in {folder}", folder=done.backup)
    if done.there and done.made:
        yield _(
            "{count} of them {count:was|were} there already, and"
            " {count:stays as it is|stay as they are}",
            count=done.there,
        )
    if done.passwords:
        yield _("The passwords of their .p12 files: {file}", file=done.passwords)
    for note in notes(done):
        yield _("Note: {note}", note=note)


def notes(done: Done) -> Iterator[str]:
    """What a person should know besides, a sentence each."""
    if done.others:
        yield _(
            "{count} of those that were there {count:is|are} not as {count:it is|they are} asked"
            " for now: {names}; --reissue issues {count:it|them} again",
            count=done.others,
            names=", ".join(done.named) + ("…" if done.others > len(done.named) else ""),
        )
    if done.revoked:
        yield _(
            "revoked, and left as {count:it is|they are}: {names}; --reissue issues"
            " {count:it|them} again, with a new key",
            count=len(done.revoked),
            names=few(done.revoked, _SHOWN),
        )
    if done.entered:
        yield _(
            "{count} {count:was|were} in no register, and {count:was|were} entered",
            count=done.entered,
        )
    if done.strangers:
        yield _(
            "Another authority has issued these, or they can't be read: {names}",
            names=few(done.strangers, _SHOWN),
        )
    yield from done.notes


def _data(done: Done) -> dict[str, Any]:
    return {
        "command": "issue",
        "ok": True,
        "folder": str(done.folder),
        "count": done.wanted,
        "made": done.made,
        "again": done.again,
        "there": done.there,
        "others": done.others,
        "revoked": done.revoked,
        "hosts": dict(done.hosts),
        "passwords": str(done.passwords) if done.passwords else None,
        "notes": [str(note) for note in notes(done)],
        "seconds": round(done.seconds, 3),
    }
