"""The commands that make and check: all, ca, server, client, verify, p12, dhparam."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices, takes
from mtls_openssl.errors import UsageError

if TYPE_CHECKING:
    from mtls_openssl.plan import Plan
    from mtls_openssl.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("all")(all_)
    for command in (ca, server, client, verify, p12, dhparam):
        app.command()(command)


_MAKING = (options.RUN, options.DRY, options.SETTINGS)


@takes(
    *_MAKING, options.SUBJECT, options.CA, options.LEAF, options.KEY_SIZE, options.SERVER,
    options.CLIENT, options.KEEP, options.P12,
)  # fmt: skip
def all_(choices: Choices) -> None:
    """Do what generate_certs.bat does, and prove it."""
    _make(choices, lambda plan, settings: plan.everything(settings), packs=True)


@takes(*_MAKING, options.SUBJECT, options.CA, options.KEY_SIZE)
def ca(choices: Choices) -> None:
    """Make the root CA: ca.key, ca.crt (step 2)."""
    _make(choices, lambda plan, settings: plan.ca(settings))


@takes(
    *_MAKING, options.SUBJECT, options.LEAF, options.KEY_SIZE, options.SERVER, options.KEEP
)  # fmt: skip
def server(choices: Choices) -> None:
    """Make server.key and issue server.crt (step 3)."""
    _make(choices, lambda plan, settings: plan.server(settings))


@takes(
    *_MAKING, options.SUBJECT, options.LEAF, options.KEY_SIZE, options.CLIENT, options.KEEP
)  # fmt: skip
def client(choices: Choices) -> None:
    """Make client.key and issue client.crt (step 4)."""
    _make(choices, lambda plan, settings: plan.client(settings))


@takes(*_MAKING, options.P12)
def p12(choices: Choices) -> None:
    """Pack the client's key and chain as client.p12 (step 5.2)."""
    _make(choices, lambda plan, settings: plan.p12(settings), packs=True)


@takes(options.RUN, options.DRY)
def verify(choices: Choices) -> None:
    """Check the set of a folder strictly (step 5.1)."""
    from mtls_openssl import plan  # noqa: PLC0415 - as all below: what a command needs, when it does

    folder: Path = choices["out"]

    def there(*names: str) -> list[str]:
        return [name for name in names if (folder / name).is_file()]

    certificates = there("server.crt", "client.crt") or ["server.crt", "client.crt"]
    keys = there("ca.key", *(f"{Path(name).stem}.key" for name in certificates))
    _run(choices, plan.verify(certificates, beside=keys), None)


@takes(options.RUN, options.DRY, options.DHPARAM)
def dhparam(choices: Choices) -> None:
    """Make Diffie-Hellman parameters, dhparam.pem (Appendix D)."""
    from mtls_openssl import plan  # noqa: PLC0415

    group = choices["group"]
    _run(choices, plan.dhparam(choices["bits"], str(group) if group else None), None)


def _make(choices: Choices, planned: Callable[..., Plan], *, packs: bool = False) -> None:
    from mtls_openssl.settings import load  # noqa: PLC0415

    settings = load(
        {name: choices.get(name) for name in _setting_names() if choices.get(name) is not None},
        environ=os.environ,
        config=_config(choices),
    ).settings
    from mtls_openssl import plan  # noqa: PLC0415

    _run(choices, planned(plan, settings), settings, packs=packs)


def _setting_names() -> list[str]:
    from mtls_openssl.settings import Settings  # noqa: PLC0415

    return list(Settings.model_fields)


def _config(choices: Choices) -> Path | None:
    named: Path | None = choices["config"]
    beside: Path = choices["out"] / "mtls.toml"
    return named or (beside if beside.exists() else None)


def _run(choices: Choices, plan: Plan, settings: Settings | None, *, packs: bool = False) -> None:
    if choices["dry_run"]:
        _show(choices, plan, settings)
        return
    if choices["format"] is not options.Format.TEXT:
        raise UsageError("--format is the form of a dry run.", fix="add --dry-run")
    quiet = choices["quiet"] or choices["json"]
    from mtls_openssl import pipeline, report  # noqa: PLC0415
    from mtls_openssl.cli.password import password  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    target = pipeline.Target(
        folder=choices["out"],
        jobs=choices["jobs"] or _processors(),
        limit=choices["timeout"],
        keep=bool(settings and settings.keep_csr),
        password=password(choices) if packs else None,
    )
    door = Door()
    found = find(choices["openssl"], door)
    if not quiet and plan.name == "all":
        typer.echo("=== Generating Mutual TLS Certificates ===")
    progress = console.Progress(plan.stages, plan.commands, quiet=quiet, verbose=choices["verbose"])
    try:
        result = pipeline.make(plan, settings, target, found, door=door, watcher=progress)
    finally:
        progress.close()
    console.be_deaf()
    if choices["json"]:
        console.print_data(report.data(result))
    elif not quiet:
        if plan.name == "all":
            typer.echo("\n=== All certificates generated successfully! ===\n")
        for line in report.text(result):
            typer.echo(line)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _show(choices: Choices, plan: Plan, settings: Settings | None) -> None:
    from mtls_openssl import proof, scripting, templating  # noqa: PLC0415
    from mtls_openssl.plan import CONFIG  # noqa: PLC0415
    from mtls_openssl.steps import Render  # noqa: PLC0415

    form: options.Format = options.Format.JSON if choices["json"] else choices["format"]
    steps = plan.steps
    if form in {options.Format.TEXT, options.Format.JSON}:
        steps = (*steps, *proof.commands(plan.makes or plan.needs, settings))
    lines = [
        scripting.Written(step.name, templating.render(step)) if isinstance(step, Render) else step
        for step in steps
    ]
    kept = bool(settings and settings.keep_csr)
    temporary = (CONFIG,) if kept else (CONFIG, *plan.scratch)
    script = scripting.script(
        form.value, lines, temporary=temporary, title=f"mtls_openssl {plan.name}"
    )
    console.print_script(script)
