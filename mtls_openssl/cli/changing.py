"""How a change of a set is looked at, told, and carried out."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console, making
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.options import Choices
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.language import Text, _, clauses, joined, spoken
from mtls_openssl.manifest import INTERMEDIATE, ROOT

if TYPE_CHECKING:
    from mtls_openssl.desk import Desk
    from mtls_openssl.life.decision import Action, Decision, Wish
    from mtls_openssl.manifest import Leaf, Manifest
    from mtls_openssl.openssl.pkcs12 import Password
    from mtls_openssl.pipeline import Result
    from mtls_openssl.plan import Plan
    from mtls_openssl.proof import Proving
    from mtls_openssl.settings import Loaded

_MADE_BYTES = 18
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Decided:
    """What is to be done, and what it takes.

    Args:
        decision: what is to be done.
        loaded: the settings.
    """

    decision: Decision
    loaded: Loaded

    def noting(self, *notes: Text) -> Decided:
        """The same, with more to know."""
        decision = dataclasses.replace(self.decision, notes=(*self.decision.notes, *notes))
        return dataclasses.replace(self, decision=decision)


def looked_at(choices: Choices, purpose: str, wish: Wish, *, described: bool) -> Decided:
    """What is to be done for the set of the folder.

    Args:
        choices: what was typed.
        purpose: the command of ours.
        wish: how it is to be brought up to date.
        described: whether a file of settings must say what is wanted; else what it does not name
            is wanted as it is.

    Raises:
        FolderUnavailableError: there is no such file, no folder, or no certificate of a name.
    """
    from mtls_openssl.life import condition, describing, taken  # noqa: PLC0415 - when it does
    from mtls_openssl.life.deciding import decide  # noqa: PLC0415
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415

    folder: Path = choices["out"]
    config = making.config_of(choices)
    if described and config is None:
        raise FolderUnavailableError(
            _(
                "There is no mtls.toml in {folder}, which would say what is wanted.",
                folder=folder.absolute(),
            ),
            fix=_(
                "write one with all that it may say: {command}",
                command=ours(folder, "init"),
            ),
        )
    loaded = making.loaded(choices)
    if described:
        taken.require_own_names(loaded.manifest.leaves, folder)
    by_file = {leaf.name for leaf in loaded.manifest.leaves} if config else set()
    manifest = condition.with_authorities(loaded.manifest, folder, described=described)
    with desk(choices, purpose) as asking:
        if not described:
            manifest = _as_they_are(asking, folder, manifest, wish, known=config is not None)
        passwords = _known(choices, manifest, folder)
        there = condition.examine(asking, folder, manifest, passwords, by_file)
    if not described:
        leaves = (
            leaf if leaf.name in by_file else describing.called_as_now(leaf, there.called)
            for leaf in manifest.leaves
        )
        manifest = dataclasses.replace(manifest, leaves=tuple(leaves))
    return Decided(decide(manifest, there, wish), loaded)


def _as_they_are(
    asking: Desk, folder: Path, manifest: Manifest, wish: Wish, *, known: bool
) -> Manifest:
    """A manifest of the certificates that there are: as it is described, else as each one is."""
    from mtls_openssl.inspection.files import bytes_of  # noqa: PLC0415
    from mtls_openssl.life import condition, describing  # noqa: PLC0415
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415

    files = condition.files_in(folder)
    there = condition.leaves_there(files)
    authorities = {one.name for one in manifest.authorities}
    if missing := sorted(wish.names - authorities - set(there)):
        raise FolderUnavailableError(
            _(
                "There is no certificate {names} in {folder}.",
                names=", ".join(missing),
                folder=folder.absolute(),
            ),
            cause=_("there are: {names}", names=", ".join((*there, *_of_fleet(folder))) or "-"),
            fix=_(
                "give one of these names; or make it: {command}",
                command=ours(folder, "client", "add", "NAME"),
            ),
        )
    leaves: list[Leaf] = []
    for name in there:
        leaf = manifest.leaf(name) if known else None
        if leaf is None and (read := condition.read(asking, folder, f"{name}.crt")):
            leaf = describing.leaf_from(name, read, files, lambda file: bytes_of(folder / file))
        if leaf:
            leaves.append(leaf)
    return dataclasses.replace(manifest, leaves=tuple(leaves))


def _of_fleet(folder: Path) -> Iterator[str]:
    """The names of the first clients of the fleet."""
    from mtls_openssl.inventory import clients  # noqa: PLC0415

    names = clients.names(folder)
    yield from names[:_SHOWN]
    if len(names) > _SHOWN:
        yield "…"


def _known(choices: Choices, manifest: Manifest, folder: Path) -> dict[str, str]:
    """The passwords of the PKCS#12 files that there are, as far as somebody has said them."""
    from mtls_openssl.cli.password import given  # noqa: PLC0415

    files = [packing.file for leaf in manifest.leaves for packing in leaf.packings]
    one = given(choices)
    return {
        file: password
        for file in files
        if (password := one or kept(folder / f"{file}.password")) is not None
    }


def kept(file: Path) -> str | None:
    """The password that we made up and put beside its file; None if there is none."""
    try:
        return file.read_text("ascii").strip() or None
    except (OSError, ValueError):
        return None


def told(decision: Decision, *, dry: bool = False, alone: bool = True) -> Iterator[Text]:
    """What is to be done, a line each, with the reasons.

    Args:
        decision: it.
        dry: whether it is only told.
        alone: whether nothing else is done in the same run.
    """
    if decision.idle and alone:
        yield _("Nothing to do: everything is as it should be.")
    elif dry:
        yield _("This would be done:")
    for action in decision.actions:
        if action.verb.value != "keep":
            yield _line(action)
    kept_ = [action.name for action in decision.actions if action.verb.value == "keep"]
    if kept_:
        yield _("  as they are: {names}", names=", ".join(kept_))
    for note in decision.notes:
        yield _("  Note: {note}", note=note)


def _line(action: Action) -> Text:
    what = action.verb.title
    if action.verb.value in {"renew", "reissue"}:
        key = _("with a new key") if action.new_key else _("with the same key")
        what = clauses((what, key))
    return _(
        "  {name} {what}: {reasons}",
        name=action.name,
        what=what,
        reasons=joined(_("; "), action.reasons),
    )


def data_of(
    name: str, decision: Decision, folder: Path, result: Result | None = None
) -> dict[str, Any]:
    """The same for a program, and what came of it."""
    from mtls_openssl import report  # noqa: PLC0415

    return {
        **(report.data(result) if result else {}),
        "command": name,
        "ok": True,
        "folder": str(folder.absolute()),
        "actions": [
            {
                "name": action.name,
                "action": action.verb.value,
                "new_key": action.new_key,
                "reasons": [str(reason) for reason in action.reasons],
            }
            for action in decision.actions
        ],
        "notes": [str(note) for note in (*decision.notes, *(result.notes if result else ()))],
    }


def carried_out(choices: Choices, decided: Decided, name: str) -> Result:
    """Do what was decided, and tell a person what came of it."""
    from mtls_openssl import pipeline, register, report  # noqa: PLC0415
    from mtls_openssl.cli.passphrase import passphrases  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    decision, folder = decided.decision, choices["out"]
    plan, proving = _holding(choices, decision, decision.plan(name))
    if register.is_kept(folder) and not (decision.makes(ROOT) or decision.makes(INTERMEDIATE)):
        plan = register.entered(plan, decision.manifest.issuer)
    quiet = choices["quiet"] or choices["json"]
    target = pipeline.Target(
        folder=folder,
        jobs=choices["jobs"] or making.processors(),
        limit=choices["timeout"],
        keep=decided.loaded.settings.keep_csr,
        passwords={bundle.file: _password(choices, folder, bundle.file) for bundle in plan.bundles},
        passphrases=passphrases(
            choices, plan, decided.loaded.passphrases, issuer=decision.manifest.issuer.name
        ),
    )
    door = Door()
    found = find(choices["openssl"], door)
    progress = console.Progress(plan.stages, plan.commands, quiet=quiet, verbose=choices["verbose"])
    try:
        result = pipeline.make(
            plan, decision.manifest, target, found, door=door, watcher=progress, proving=proving
        )
    finally:
        progress.close()
    console.be_deaf()
    if not quiet:
        typer.echo("")
        for line in report.text(result):
            typer.echo(line)
        for note in _addresses(decision):
            typer.echo(spoken(_("Note: {note}", note=note)))
    return result


def _holding(choices: Choices, decision: Decision, plan: Plan) -> tuple[Plan, Proving]:
    """A plan that also proves what stands below an authority that gets another certificate."""
    from mtls_openssl.life import authority, below, condition  # noqa: PLC0415
    from mtls_openssl.proof import NOTHING_BESIDES  # noqa: PLC0415

    if not decision.renews(INTERMEDIATE):
        return plan, NOTHING_BESIDES
    folder: Path = choices["out"]
    leaves = condition.leaves_there(condition.files_in(folder))
    with desk(choices, plan.name) as asking:
        held = below.gather(asking, folder, leaves, plan.makes)
    return below.held(plan, held), below.proving(held, authority.as_it_was(folder))


def _addresses(decision: Decision) -> tuple[Text, ...]:
    """What it means that the new certificates name where to ask whether they are revoked."""
    from mtls_openssl.revocation import advice  # noqa: PLC0415

    manifest = decision.manifest
    issued = any(action.work and action.work.issue for action in decision.actions)
    if not issued or not (manifest.crl_url or manifest.ocsp_url):
        return ()
    return advice.addresses(crl_url=manifest.crl_url, ocsp_url=manifest.ocsp_url)


def _password(choices: Choices, folder: Path, file: str) -> Password:
    from mtls_openssl.cli.password import given  # noqa: PLC0415
    from mtls_openssl.openssl.pkcs12 import Password  # noqa: PLC0415

    one = given(choices)
    if one is not None:
        return Password(one)
    before = kept(folder / f"{file}.password")
    return Password(before or secrets.token_urlsafe(_MADE_BYTES), keep=True)
