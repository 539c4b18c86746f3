"""The commands of the guide that make something: all, ca, server, client, p12, dhparam."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices, takes
from mtls_openssl.errors import OpensslNotFoundError, SettingRefusedError, UsageError
from mtls_openssl.interrupts import held
from mtls_openssl.language import _, spoken

if TYPE_CHECKING:
    from mtls_openssl.manifest import Manifest
    from mtls_openssl.plan import Plan
    from mtls_openssl.proof import Proving
    from mtls_openssl.settings import Loaded


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("all")(all_)
    for command in (ca, p12, dhparam):
        app.command()(command)


_FEW = 3
_GROWN = ("intermediate.crt", "index.txt")
"""What a set has that was changed since its first day."""

_MAKING = (options.RUN, options.DRY, options.SETTINGS)
_PROVE = (
    options.option(
        bool, "--prove", default=False, help="Then prove it by real connections (handshake)."
    ),
)


@takes(
    *_MAKING, options.SUBJECT, options.CA, options.LEAF, options.KEY_SIZE, options.SERVER,
    options.CLIENT, options.KEEP, options.P12, _PROVE,
)  # fmt: skip
def all_(choices: Choices) -> None:
    """Do what generate_certs.bat does, and prove it."""
    _make(choices, lambda plan, manifest: plan.everything(manifest))


@takes(*_MAKING, options.SUBJECT, options.CA, options.KEY_SIZE)
def ca(choices: Choices) -> None:
    """Make the root CA: ca.key, ca.crt (step 2)."""
    _make(choices, lambda plan, manifest: plan.ca(manifest))


@takes(
    *_MAKING, options.SUBJECT, options.LEAF, options.KEY_SIZE, options.SERVER, options.KEEP,
    options.CONTEXT,
)  # fmt: skip
def server(choices: Choices) -> None:
    """Make server.key and issue server.crt (step 3); `server add NAME` makes another one."""
    if choices["context"].invoked_subcommand:
        return
    _make(choices, lambda plan, manifest: plan.server(manifest))


@takes(
    *_MAKING, options.SUBJECT, options.LEAF, options.KEY_SIZE, options.CLIENT, options.KEEP,
    options.CONTEXT,
)  # fmt: skip
def client(choices: Choices) -> None:
    """Make client.key and issue client.crt (step 4); `client add NAME` makes another one."""
    if choices["context"].invoked_subcommand:
        return
    _make(choices, lambda plan, manifest: plan.client(manifest))


@takes(*_MAKING, options.PACK)
def p12(choices: Choices) -> None:
    """Pack a key and its chain as PKCS#12 (step 5.2): the client's, another's, or the CA's."""
    from mtls_openssl import plan  # noqa: PLC0415 - as all below: what a command needs, when it does
    from mtls_openssl.openssl.pkcs12 import BUNDLES, TRUSTSTORE  # noqa: PLC0415

    wanted = _packed(choices, [one.owner for one in BUNDLES])
    usual = next((one for one in BUNDLES if one.owner == wanted), None)
    between = (choices["out"] / "intermediate.crt").is_file() and usual is not TRUSTSTORE
    if usual is None or between:
        from mtls_openssl.cli import adding  # noqa: PLC0415

        read = loaded(choices)
        run(choices, plan.p12(adding.bundle_of(choices, wanted, read)), read)
        return
    if usual.owner != "client" and choices["p12_name"] is None:
        choices["p12_name"] = usual.name
    java = _keytool(choices) if usual is TRUSTSTORE else None
    read = loaded(choices)
    settings = read.settings
    bundle = dataclasses.replace(usual, name=settings.p12_name, reader=settings.p12_for)
    made = plan.truststore(bundle, java) if usual is TRUSTSTORE else plan.p12(bundle)
    run(choices, made, read)


def _packed(choices: Choices, usual: Sequence[str]) -> str:
    """What is to be packed, as it is spelt in the folder, else in the guide."""
    from mtls_openssl.life import condition  # noqa: PLC0415
    from mtls_openssl.plan.naming import Names  # noqa: PLC0415

    typed: str = choices["packed"]
    there = Names(condition.leaves_there(condition.files_in(choices["out"])))
    return there.spelt(typed) or Names(usual).spelt(typed) or typed


def _keytool(choices: Choices) -> Path | None:
    """Java's keytool; None where there is none, and openssl can do its work."""
    from mtls_openssl.locate import Version, find, find_keytool  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    if not choices["p12_name"].isascii():
        raise SettingRefusedError(
            _("The name {name} in a truststore is not ASCII.", name=choices["p12_name"]),
            cause=_("Java's keytool reads it in the encoding of each machine"),
            fix=_("give another --name"),
        )
    java = find_keytool()
    if java is None:
        openssl = find(choices["openssl"], Door()).chosen
        if openssl.version is None or openssl.version < Version(3, 2, 0):
            raise OpensslNotFoundError(
                _("There is no program here that can make a truststore for Java."),
                cause=_(
                    "there is no keytool, and OpenSSL {version} can't mark a certificate as one"
                    " that Java trusts: that begins with 3.2",
                    version=openssl.version,
                ),
                fix=_(
                    "install a JDK, or name a newer openssl with --openssl; or give ca.crt to"
                    " whoever has Java: {command}",
                    command="keytool -importcert -noprompt -alias MyRootCA -file ca.crt"
                    " -keystore truststore.p12 -storetype PKCS12",
                ),
            )
    return java


@takes(options.RUN, options.DRY, options.DHPARAM)
def dhparam(choices: Choices) -> None:
    """Make Diffie-Hellman parameters, dhparam.pem (Appendix D)."""
    from mtls_openssl import plan  # noqa: PLC0415

    group = choices["group"]
    run(choices, plan.dhparam(choices["bits"], str(group) if group else None), None)


def _make(choices: Choices, planned: Callable[..., Plan]) -> None:
    from mtls_openssl import plan  # noqa: PLC0415
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415

    read = loaded(choices)
    if read.tables:
        raise UsageError(
            _("mtls.toml describes a whole set, with tables such as [[server]]."),
            cause=_("this command makes the set of the batch file: one server and one client"),
            fix=ours(choices["out"], "apply"),
        )
    made: Plan = planned(plan, read.manifest)
    if any((choices["out"] / name).is_file() for name in _GROWN):
        made = _of_more_than_a_batch_file(choices["out"], made, read)
    run(choices, made, read)


def _of_more_than_a_batch_file(folder: Path, plan: Plan, read: Loaded) -> Plan:
    """The plan for a set that has become more than the batch file's."""
    from mtls_openssl import register  # noqa: PLC0415 - few folders need all of this
    from mtls_openssl.inventory import clients  # noqa: PLC0415
    from mtls_openssl.life import condition  # noqa: PLC0415
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415
    from mtls_openssl.workspace.commit import CLIENTS  # noqa: PLC0415

    files = condition.files_in(folder)
    if "intermediate.crt" in files:
        raise UsageError(
            _("In {folder} an intermediate authority issues.", folder=folder.absolute()),
            cause=_("this command makes the set of the batch file, which has none"),
            fix=_("bring the set up to date: apply, renew, server add, client add"),
        )
    others = sorted({*condition.leaves_there(files)} - {"server", "client"})
    others += [f"{CLIENTS}/{name}" for name in clients.names(folder)[:_FEW]]
    if "ca.crt" not in plan.makes:
        there = condition.with_authorities(read.manifest, folder, described=False)
        return register.entered(plan, there.issuer)
    if others:
        raise UsageError(
            _("A new CA would make worthless what the old one has issued."),
            cause=_("besides server and client there are: {names}", names=", ".join(others)),
            fix=_(
                "make it in another folder; or describe the set in mtls.toml and make all of it"
                " anew: {command}",
                command=ours(folder, "apply", "--replace", "ca"),
            ),
        )
    return plan


def loaded(choices: Choices) -> Loaded:
    """The settings, from all places that they may come from.

    Raises:
        SettingsRefusedError: one can't be used.
    """
    from mtls_openssl.settings import load  # noqa: PLC0415

    return load(
        {name: choices.get(name) for name in _setting_names() if choices.get(name) is not None},
        environ=os.environ,
        config=config_of(choices),
    )


def _setting_names() -> list[str]:
    from mtls_openssl.settings import Settings  # noqa: PLC0415

    return list(Settings.model_fields)


def config_of(choices: Choices) -> Path | None:
    """The file of settings; None if there is none."""
    named: Path | None = choices["config"]
    beside: Path = choices["out"] / "mtls.toml"
    return named or (beside if beside.exists() else None)


def run(
    choices: Choices,
    plan: Plan,
    read: Loaded | None,
    proving: Proving | None = None,
    there: Manifest | None = None,
) -> None:
    """Run a plan, or print it where a dry run is asked for; and tell what came of it.

    Args:
        choices: what was typed.
        plan: what to do.
        read: the settings that it was made from; None where it was not made from any.
        proving: what must be proven besides.
        there: what there is, where it was not made from settings.
    """
    keep = bool(read and read.settings.keep_csr)
    manifest = read.manifest if read else there
    if choices["dry_run"]:
        show(choices, plan, manifest, keep=keep)
        return
    if choices["format"] is not options.Format.TEXT:
        raise UsageError(_("--format is the form of a dry run."), fix=_("add --dry-run"))
    quiet = choices["quiet"] or choices["json"]
    from mtls_openssl.cli.password import password  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    # First of all: it may stand in the environment, which what we start inherits.
    passwords = {bundle.file: password(choices, bundle) for bundle in plan.bundles}
    door = Door()
    with door.meanwhile(find, choices["openssl"], door) as search:
        _load()
        found = search()
    from mtls_openssl import pipeline  # noqa: PLC0415
    from mtls_openssl.proof import NOTHING_BESIDES  # noqa: PLC0415

    target = pipeline.Target(
        folder=choices["out"],
        jobs=choices["jobs"] or processors(),
        limit=choices["timeout"],
        keep=keep,
        passwords=passwords,
    )
    if not quiet and plan.name == "all":
        typer.echo(spoken(_("=== Generating Mutual TLS Certificates ===")))
    progress = console.Progress(plan.stages, plan.commands, quiet=quiet, verbose=choices["verbose"])
    try:
        result = pipeline.make(
            plan, manifest, target, found, door=door, watcher=progress,
            proving=proving or NOTHING_BESIDES,
        )  # fmt: skip
    finally:
        progress.close()
    if not choices.get("prove"):
        console.be_deaf()
    from mtls_openssl import report  # noqa: PLC0415

    if choices["json"]:
        console.print_data({**report.data(result), **_proven(choices)})
        return
    if not quiet:
        if plan.name == "all":
            typer.echo(f"\n{spoken(_('=== All certificates generated successfully! ==='))}\n")
        for line in report.text(result):
            typer.echo(line)
    _proven(choices)


@held
def _load() -> None:
    """Load what a run needs. Python may lose an interrupt that comes while it loads a module."""
    import mtls_openssl.pipeline  # noqa: F401, PLC0415


def _proven(choices: Choices) -> dict[str, Any]:
    """What real connections prove of the set that was made, for a program."""
    if not choices.get("prove"):
        return {}
    from mtls_openssl.cli import live  # noqa: PLC0415

    if not (choices["quiet"] or choices["json"]):
        typer.echo(f"\n{spoken(_('=== Handshakes ==='))}\n")
    return {"handshake": live.prove(choices)}


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def show(choices: Choices, plan: Plan, manifest: Manifest | None, *, keep: bool = False) -> None:
    """Print what `plan` would run, in the form that was asked for.

    Args:
        choices: what was typed.
        plan: what would be run.
        manifest: what it was made from; None where it was not made from any.
        keep: whether requests, serial and extension files would stay.
    """
    from mtls_openssl import scripting, templating  # noqa: PLC0415
    from mtls_openssl.plan import CONFIG  # noqa: PLC0415
    from mtls_openssl.proof import Proof  # noqa: PLC0415
    from mtls_openssl.steps import Render  # noqa: PLC0415

    form: options.Format = options.Format.JSON if choices["json"] else choices["format"]
    steps = plan.steps
    if form in {options.Format.TEXT, options.Format.JSON}:
        proof = Proof(plan.proven, manifest, plan.bundles, plan.java)
        steps = (*steps, *proof.commands)
    lines = [
        scripting.Written(step.name, templating.render(step)) if isinstance(step, Render) else step
        for step in steps
    ]
    temporary = (CONFIG,) if keep else (CONFIG, *plan.scratch)
    script = scripting.script(
        form.value, lines, temporary=temporary, title=f"mtls_openssl {plan.name}"
    )
    if form is options.Format.TEXT:
        typer.echo(spoken(script), nl=False)  # for a reader, in the encoding of the console
    else:
        console.print_script(script)
