"""The command that signs requests of others: sign."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import adding, console, making, options
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.files import argument, heard
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.passphrase import PASSPHRASE
from mtls_openssl.cli.requests import ROLE, made, role_of, tell
from mtls_openssl.errors import MtlsError, UsageError
from mtls_openssl.language import _, padded, spoken, width
from mtls_openssl.manifest import Manifest

if TYPE_CHECKING:
    from mtls_openssl.desk import Desk
    from mtls_openssl.openssl.x509 import Description
    from mtls_openssl.pipeline import Handing, Result
    from mtls_openssl.plan import Plan
    from mtls_openssl.proof import Proving
    from mtls_openssl.settings import Loaded, Settings
    from mtls_openssl.signing.asking import Asked
    from mtls_openssl.signing.granting import Grant, Policy, There

_LABEL = 2

_REQUESTS = (argument("requests", list[Path], "REQUEST...", "Requests, PEM or DER."),)
_SIGN = (
    option(
        list[str] | None, "--grant-san", metavar="NAMES", show_default="none",
        help="The names (SAN) that may be granted of those asked for: all, none, or a list with"
        " commas; repeatable.",
    ),
    option(
        str, "--subject", default="cn", metavar="WHICH",
        help="Whose subject: cn (the request's common name in this set's subject) or as-asked.",
    ),
    option(
        str | None, "--cn", metavar="NAME", show_default="the request's",
        help="Common name, of one request only.",
    ),
    option(
        str | None, "--name", metavar="NAME", show_default="the request's file, else its CN",
        help="What the certificate's files are called, of one request only.",
    ),
    option(
        str | None, "--cert-days", "--days", help="Days that it lasts.", show_default="by profile"
    ),
    option(
        bool, "--replace", default=False,
        help="Replace a certificate of that name which is for another key; it goes to backup/.",
    ),
    option(bool, "--yes", "-y", default=False, help="Do not ask: grant what the options say."),
    option(bool, "--dry-run", default=False, help="Show what is asked and granted; sign nothing."),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command()(sign)


@takes(
    _REQUESTS, options.RUN, options.SETTINGS, options.SUBJECT, ROLE, _SIGN, PASSPHRASE
)  # fmt: skip
def sign(choices: Choices) -> None:
    """Sign requests of others: shows what they ask for, and grants only what is said here."""
    from mtls_openssl.plan import Foreign, signed  # noqa: PLC0415
    from mtls_openssl.signing import asking, proving, telling  # noqa: PLC0415

    read = making.loaded(choices)
    policy = _policy(choices, read.settings)
    folder: Path = choices["out"]
    manifest = adding.authorities(read, folder)
    quiet = choices["quiet"] or choices["json"]
    with desk(choices, "sign") as at_desk:
        at_desk.heard = heard(choices)
        from mtls_openssl.inspection.reading import Reader  # noqa: PLC0415

        reader = Reader(at_desk, lambda _path: None)
        requests = [asking.read(reader, path) for path in choices["requests"]]
        policy = _granting(choices, policy, requests)
        grants = _decided(choices, at_desk, policy, requests, manifest)
    data = {"requests": [telling.data(grant.asked, grant) for grant in grants]}
    if not quiet:
        for grant in grants:
            _show(grant.asked, grant)
    if choices["dry_run"]:
        if choices["json"]:
            console.print_data({"command": "sign", "ok": True, "dry_run": True, **data})
        return
    if _asks(choices) and not typer.confirm(spoken(_("Sign?")), default=False):
        raise typer.Abort
    manifest = dataclasses.replace(manifest, leaves=tuple(grant.leaf for grant in grants))
    plan = signed(manifest, [Foreign(one.leaf, one.asked.pem, one.asked.subject) for one in grants])
    result = issued(choices, plan, manifest, read, proving.of_certificates(grants))
    tell(choices, result, {"dry_run": False, **data})
    if not quiet:
        files = [name for name in plan.makes if name.endswith(".crt")]
        typer.echo(
            spoken(
                _(
                    "Send back {files} and {ca}; no key goes with them",
                    files=", ".join(files),
                    ca=manifest.root.certificate_file,
                )
            )
        )


def _asks(choices: Choices) -> bool:
    """Whether somebody is asked before anything is signed."""
    quiet = choices["quiet"] or choices["json"] or choices["yes"] or choices["dry_run"]
    return not quiet and console.is_interactive()


def _policy(choices: Choices, settings: Settings) -> Policy:
    from mtls_openssl.signing.granting import NONE, Policy  # noqa: PLC0415

    if choices["subject"] not in {"cn", "as-asked"}:
        raise UsageError(
            _("--subject {value!r} is not known.", value=choices["subject"]),
            fix=_("give --subject cn or --subject as-asked"),
        )
    whole = choices["subject"] == "as-asked"
    if whole and choices["cn"]:
        raise UsageError(
            _("--cn and --subject as-asked do not go together."), fix=_("give one of them")
        )
    for flag in ("name", "cn"):
        if choices[flag] and len(choices["requests"]) > 1:
            raise UsageError(
                _("--{flag} is for one request, and there are several.", flag=flag),
                fix=_("sign them one by one"),
            )
    return Policy(
        settings,
        role_of(choices),
        _listed(choices["grant_san"] or [NONE]),
        whole,
        choices["name"] or "",
        choices["cn"] or "",
        peer=choices["peer"],
        replace=choices["replace"],
    )


def _listed(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for word in words for part in word.split(",") if (one := part.strip()))


def _granting(choices: Choices, policy: Policy, requests: Sequence[Asked]) -> Policy:
    """The policy with the names that may be granted: as typed, else as answered."""
    from mtls_openssl.signing import granting, telling  # noqa: PLC0415

    named = any(asked.alternatives for asked in requests)
    if not choices["grant_san"] and named and _asks(choices):
        for asked in requests:
            _print(list(telling.rows(asked, None)))
        question = spoken(_("Names to grant: all, none, or a list with commas"))
        answer: str = typer.prompt(question, default=granting.NONE, err=True)
        policy = dataclasses.replace(policy, names=_listed([answer]))
    if strange := granting.unasked(policy.names, requests):
        raise UsageError(
            _("No request asks for the name {names}.", names=", ".join(strange)),
            cause=_(
                "they ask for: {names}",
                names=", ".join(name for asked in requests for name in asked.alternatives) or "-",
            ),
            fix=_("grant names as they are asked for, such as --grant-san DNS:www.example.com"),
        )
    return policy


def _decided(
    choices: Choices,
    at_desk: Desk,
    policy: Policy,
    requests: Sequence[Asked],
    manifest: Manifest,
) -> list[Grant]:
    """What is granted of each request; nothing at all if one of them can't be signed."""
    from mtls_openssl.signing import granting, telling  # noqa: PLC0415

    there = _there(choices, at_desk, policy, requests, manifest)
    grants: list[Grant] = []
    data: list[dict[str, Any]] = []
    failed: list[MtlsError] = []
    for asked in requests:
        try:
            grant = granting.granted(asked, policy, there)
        except MtlsError as error:
            failed.append(error)
            data.append(telling.data(asked, None, str(error.what)))
            if not (choices["json"] or choices["quiet"]):
                _show(asked, None)
            continue
        data.append(telling.data(asked, grant))
        grants.append(grant)
    names = [grant.leaf.name.lower() for grant in grants]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        failed.append(
            UsageError(
                _("Two requests are for the name {names}.", names=", ".join(twice)),
                fix=_("sign them one by one, with --name NAME"),
            )
        )
    if failed:
        first = failed[0]
        if len(requests) > 1:
            first.cause = _("nothing was signed, since this is the matter with one of the requests")
        first.data = {"command": "sign", "requests": data}
        raise first
    return grants


def _there(
    choices: Choices,
    at_desk: Desk,
    policy: Policy,
    requests: Sequence[Asked],
    manifest: Manifest,
) -> There:
    """What there is in the folder that has to do with the requests."""
    from mtls_openssl.inspection.files import is_encrypted  # noqa: PLC0415
    from mtls_openssl.life import condition, taken  # noqa: PLC0415
    from mtls_openssl.openssl import pkey  # noqa: PLC0415
    from mtls_openssl.signing import granting  # noqa: PLC0415
    from mtls_openssl.steps import Command, Kind  # noqa: PLC0415

    folder: Path = choices["out"]
    files, there = condition.files_in(folder), taken.taken(folder)
    theirs = set[str]()
    for asked in requests:
        with contextlib.suppress(UsageError):
            theirs.add(granting.name_for(asked, policy, there))
    names = [*(one.name for one in manifest.authorities), *theirs]
    fleet: Mapping[str, Description] = {}
    if _may_be_known(folder, policy, requests):
        names += condition.leaves_there(files)
        fleet = _fleet(folder)
    certificates = {
        file: found
        for file in dict.fromkeys(f"{name}.crt" for name in names)
        if file in files and (found := condition.read(at_desk, folder, file))
    }
    keys: dict[str, str] = {}
    for name in theirs:
        key = f"{name}.key"
        if key not in files or is_encrypted(folder / key):
            continue
        command = Command(
            pkey.public_key(key), _("read the key's public half"), Kind.LOOK, reads=(key,),
            verdict=True,
        )  # fmt: skip
        if public := pkey.parse_pem(at_desk.ask(command, folder=folder).finished.stdout):
            keys[name] = public
    return granting.There({**certificates, **fleet}, keys, there)


def _fleet(folder: Path) -> dict[str, Description]:
    """What the certificates of the fleet say, by what each client is called in the folder."""
    from mtls_openssl.inventory import clients  # noqa: PLC0415
    from mtls_openssl.workspace.causes import unavailable  # noqa: PLC0415

    try:
        return {
            clients.entry(folder, one.name): one.described
            for one in clients.all_in(folder)
            if one.described
        }
    except OSError as error:
        what = _("{folder} can't be looked into", folder=folder / "clients")
        raise unavailable(what, error) from error


def _may_be_known(folder: Path, policy: Policy, requests: Sequence[Asked]) -> bool:
    """Whether somebody else may have a name that is asked for; the register answers at once."""
    from mtls_openssl import register  # noqa: PLC0415
    from mtls_openssl.openssl import ca  # noqa: PLC0415

    if policy.common_name:
        return False  # who signs has said whose name it is
    if not register.is_kept(folder) or not all(one.common_names for one in requests):
        return True
    names = {name for one in requests for name in one.common_names}
    asked = {f"/CN={spelt}" for name in names for spelt in ca.spellings(name)}
    subjects = [ca.bare(entry.subject) for entry in register.entries(folder)]
    return any(name in subject for subject in subjects for name in asked)


def _show(asked: Asked, grant: Grant | None) -> None:
    from mtls_openssl.signing import telling  # noqa: PLC0415

    _print(list(telling.rows(asked, grant)))
    for line in telling.remarks(grant) if grant else ():
        typer.echo(spoken(line))
    typer.echo("")


def _print(rows: Sequence[tuple[str, str, str]]) -> None:
    said = [tuple(map(spoken, row)) for row in rows]
    columns = [max(width(row[at]) for row in said) for at in range(_LABEL)]
    for label, asked, granted in said:
        line = f"  {padded(label, columns[0])}  {padded(asked, columns[1])}  {granted}"
        typer.echo(line.rstrip())


def issued(
    choices: Choices,
    plan: Plan,
    manifest: Manifest,
    read: Loaded,
    proving: Proving,
    *,
    handing: Handing | None = None,
) -> Result:
    """Issue what a plan says, and enter it into the register where there is one.

    Args:
        choices: what was typed.
        plan: what to issue.
        manifest: what it was made from.
        read: the settings.
        proving: what must be proven besides.
        handing: who hands it over elsewhere.
    """
    from mtls_openssl import register  # noqa: PLC0415
    from mtls_openssl.cli.passphrase import passphrases  # noqa: PLC0415

    if register.is_kept(choices["out"]):
        plan = register.entered(plan, manifest.issuer)
    secrets = passphrases(choices, plan, read.passphrases, issuer=manifest.issuer.name)
    keep = read.settings.keep_csr
    return made(choices, plan, manifest, proving, secrets, keep=keep, handing=handing)
