"""The commands that write files anew: convert, key encrypt, key decrypt."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from mtls_openssl.cli import console, options, secret
from mtls_openssl.cli.files import argument, heard
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.wording import App
from mtls_openssl.errors import UsageError
from mtls_openssl.language import Text, _, joined, spoken
from mtls_openssl.profiles import P12_FOR

if TYPE_CHECKING:
    from mtls_openssl.inspection.conversion import Form
    from mtls_openssl.inspection.objects import Holding
    from mtls_openssl.inspection.writing import Job, Written

_Choice = TypeVar("_Choice", bound=enum.StrEnum)

_WORK = tuple(one for one in options.LOOK if one not in options.FOLDER)
_FORCE = option(
    bool, "--force", default=False, help="Replace what is there; it goes to backup/ beside it."
)
_CONVERT = (
    argument("files", list[Path], "FILE...", "What to convert; several are joined."),
    argument("result", Path, "RESULT", "File to write; with --split, a folder."),
    option(
        str | None, "--to", metavar="FORM", show_default="by the ending of RESULT",
        help="pem, der, p12 or p7b.",
    ),
    option(
        str | None, "--only", metavar="PART", show_default="all",
        help="certificate, chain (the other certificates) or key.",
    ),
    option(bool, "--split", default=False, help="Write each part to a file of its own."),
    option(
        bool, "--no-encryption", default=False,
        help="Write private keys WITHOUT a password: whoever can read the file has them.",
    ),
    option(
        str | None, "--name", metavar="NAME", show_default="as it was, else RESULT's",
        help="Friendly name in a PKCS#12 file.",
    ),
    option(
        str, "--p12-for", "--for", metavar="READER", default="modern",
        help=_("Who must be able to read a PKCS#12 file: {readers}.", readers=", ".join(P12_FOR)),
    ),
    _FORCE,
)  # fmt: skip
_KEY = (argument("key", Path, "KEY", "The file of the private key."), _FORCE)


def _out_file(ending: str) -> tuple[inspect.Parameter, ...]:
    return (
        option(
            Path | None, "--out-file", metavar="FILE", help="File to write.",
            show_default=_("NAME{ending} beside it", ending=ending),
        ),
    )  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(convert)
    keys = App(help="Put a password on a private key, or take it off (Appendix E).")
    for command in (encrypt, decrypt):
        keys.command()(command)
    app.add_typer(
        keys, name="key", short_help=spoken(_("Put a password on a private key, or take it off."))
    )


@takes(_CONVERT, secret.PASSWORD, secret.NEW_PASSWORD, _WORK)
def convert(choices: Choices) -> None:
    """Write files in another form: PEM, DER, PKCS#12, PKCS#7; split and join (Appendix E)."""
    from mtls_openssl.inspection import conversion  # noqa: PLC0415 - as all below: when needed
    from mtls_openssl.inspection.writing import Job  # noqa: PLC0415

    result: Path = choices["result"]
    form = _form(choices["to"], result, split=choices["split"])
    only = _one_of(conversion.Only, choices["only"], "--only") if choices["only"] else None
    if choices["p12_for"] not in P12_FOR:
        raise _unknown(choices["p12_for"], "--p12-for", P12_FOR)

    def planned(holdings: Sequence[Holding]) -> Job:
        items = conversion.parts(holdings, only)
        wish = conversion.Wish(
            form,
            plain=choices["no_encryption"],
            name=choices["name"] or conversion.friendly_name(items) or result.stem,
            profile=choices["p12_for"],
        )
        if conversion.needs_password(items, wish) or (
            conversion.is_secret(items) and secret.is_named(choices, "new-password")
        ):
            wish = wish.protected(secret.chosen(choices, result))
        if choices["split"]:
            return Job(wish, conversion.split(items, form))
        return Job(wish, {result.name: items})

    folder, elsewhere = result.parent, _("name a file in another folder")
    if choices["split"]:
        folder, elsewhere = result, _("name another folder")
    written = _written(
        choices, choices["files"], folder, planned, command="convert", elsewhere=elsewhere
    )
    _tell(choices, written)


@takes(_KEY, _out_file(".enc.key"), secret.PASSWORD, secret.NEW_PASSWORD, _WORK)
def encrypt(choices: Choices) -> None:
    """Write a private key anew with a password, by AES-256; the old file stays."""
    _rewrite(choices, ".enc.key", plain=False)


@takes(_KEY, _out_file(".dec.key"), secret.PASSWORD, _WORK)
def decrypt(choices: Choices) -> None:
    """Write a private key anew WITHOUT its password; the old file stays."""
    _rewrite(choices, ".dec.key", plain=True)


def _rewrite(choices: Choices, ending: str, *, plain: bool) -> None:
    from mtls_openssl.inspection import conversion  # noqa: PLC0415
    from mtls_openssl.inspection.writing import Job  # noqa: PLC0415

    source: Path = choices["key"]
    result: Path = choices["out_file"] or source.with_name(source.stem + ending)
    if source.exists() and result.exists() and result.samefile(source):
        raise UsageError(
            _("{file} would be written over, and may be the only copy of the key.", file=source),
            fix=_("name another file with --out-file"),
        )

    def planned(holdings: Sequence[Holding]) -> Job:
        items = conversion.parts(holdings)
        if len(items) != 1 or not conversion.is_secret(items):
            raise UsageError(
                _("{file} does not hold one private key and nothing else.", file=source),
                fix=_("python -m mtls_openssl convert --only key takes the key out of a file"),
            )
        encrypted = conversion.is_encrypted(items[0])
        if plain and not encrypted:
            raise UsageError(_("{file} has no password that could be taken off.", file=source))
        if not plain and encrypted and not secret.is_named(choices, "new-password"):
            raise UsageError(
                _("{file} has a password already.", file=source),
                fix=_(
                    "to give it another one, name that with --new-password-env,"
                    " --new-password-file or --new-password-stdin"
                ),
            )
        wish = conversion.Wish(conversion.Form.PEM, plain=plain)
        return Job(
            wish if plain else wish.protected(secret.chosen(choices, result)), {result.name: items}
        )

    written = _written(
        choices, [source], result.parent, planned,
        command="key decrypt" if plain else "key encrypt",
        elsewhere=_("name a file in another folder with --out-file"),
    )  # fmt: skip
    _tell(choices, written)


def _written(
    choices: Choices,
    sources: Sequence[Path],
    folder: Path,
    planned: Callable[[Sequence[Holding]], Job],
    *,
    command: str,
    elsewhere: Text,
) -> Written:
    from mtls_openssl.inspection.writing import write  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415
    from mtls_openssl.workspace.causes import advising  # noqa: PLC0415

    asked = secret.asked(choices)
    door = Door()
    found = find(choices["openssl"], door)
    with advising(elsewhere):
        return write(
            sources, folder, planned, found=found, door=door, asked=asked, command=command,
            force=choices["force"], limit=choices["timeout"], heard=heard(choices),
        )  # fmt: skip


def _tell(choices: Choices, written: Written) -> None:
    from mtls_openssl.inspection import conversion, telling  # noqa: PLC0415

    console.be_deaf()
    job = written.job
    if choices["json"]:
        files = {
            str(written.folder / name): [item.kind.value for item in items]
            for name, items in job.files.items()
        }
        backup = str(written.backup) if written.backup else None
        console.print_data(
            {
                "ok": True, "form": job.wish.form.value, "files": files, "backup": backup,
                "notes": [str(note) for note in written.warnings],
            }
        )  # fmt: skip
        return
    if choices["quiet"]:
        return
    for name, items in job.files.items():
        what = joined(_(", "), map(telling.title, items))
        line = _("Written and read back: {file} ({what})", file=written.folder / name, what=what)
        typer.echo(spoken(line))
        if conversion.is_open(items, job.wish):
            line = _("  Note: its key has no password: whoever can read the file has the key")
            typer.echo(spoken(line))
    if written.backup:
        typer.echo(spoken(_("What was there before is in {folder}", folder=written.backup)))
    for warning in written.warnings:
        typer.echo(spoken(_("  Note: {note}", note=warning)))


def _form(to: str | None, result: Path, *, split: bool) -> Form:
    from mtls_openssl.inspection.conversion import FORMS, Form  # noqa: PLC0415

    if to:
        return _one_of(Form, to, "--to")
    if split:
        return Form.PEM
    known = FORMS.get(result.suffix.lower())
    if known is None:
        raise UsageError(
            _("The ending of {file} does not say in which form to write it.", file=result.name),
            fix=_("say it: --to pem, --to der, --to p12 or --to p7b"),
        )
    return known


def _one_of(kind: type[_Choice], value: str, flag: str) -> _Choice:
    try:
        return kind(value.lower())
    except ValueError:
        raise _unknown(value, flag, [one.value for one in kind]) from None


def _unknown(value: str, flag: str, known: Sequence[str]) -> UsageError:
    return UsageError(
        _("{flag} {value} is not known.", flag=flag, value=value),
        fix=_("choose one of {known}", known=", ".join(known)),
    )
