"""The commands of the audit log: audit show, audit verify, audit export."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices, takes
from mtls_openssl.cli.wording import App
from mtls_openssl.errors import FolderUnavailableError, NotProvenError
from mtls_openssl.language import _, joined, recalled, spoken

if TYPE_CHECKING:
    from mtls_openssl import scripting
    from mtls_openssl.audit import Line
    from mtls_openssl.steps import Command

_SHOWN = 10

app = App(
    help="The log of every openssl command: read it, prove it unbroken, turn it into a script."
)


def add_to(whole: App) -> None:
    """Add the commands of this module to `whole`."""
    whole.add_typer(
        app,
        name="audit",
        short_help=spoken(_("Read, prove and export the log of all commands.")),
    )


@app.command()
@takes(options.FOLDER, options.ONE_RUN, options.OUTPUT)
def show(choices: Choices) -> None:
    """Print the log, a command a line."""
    lines = _of_run(_lines(choices), choices["run"])
    if choices["json"]:
        console.print_data([dataclasses.asdict(line) for line in lines])
        return
    for line in _in_the_guides_order(lines):
        if line.event == "end":
            ended = _("run {run} ended: {how}", run=line.run, how=recalled(line.purpose))
            typer.echo(f"{line.time}  {spoken(ended)}")
        elif line.event == "command":
            code = spoken(_("exit {code}", code="-" if line.exit is None else line.exit))
            words = " ".join(line.argv)
            typer.echo(f"{line.time}  {line.step:>3}  {code}  {line.seconds:6.2f} s  {words}")
            if choices["verbose"]:
                _print_details(line)


def _in_the_guides_order(lines: Sequence[Line]) -> list[Line]:
    # Commands that ran at the same time stand in the log as they ended.
    runs = {run: number for number, run in enumerate(dict.fromkeys(line.run for line in lines))}
    return sorted(lines, key=lambda line: (runs[line.run], line.event == "end", line.step))


def _print_details(line: Line) -> None:
    place = _(
        "{purpose}; {program} ({version}) in {folder}",
        purpose=recalled(line.purpose),
        program=line.openssl,
        version=line.openssl_version,
        folder=line.cwd,
    )
    typer.echo(f"      {spoken(place)}")
    for name, digest in (*line.reads.items(), *line.writes.items()):
        way = _("wrote") if name in line.writes else _("read ")
        typer.echo(f"      {spoken(way)} {name} sha256 {digest}")
    for text in (*line.stdout.splitlines(), *line.stderr.splitlines()):
        typer.echo(f"      | {text}")


@app.command()
@takes(options.FOLDER, options.OUTPUT)
def verify(choices: Choices) -> None:
    """Prove that no line was changed, removed, added or moved, and that the files are the log's."""
    from mtls_openssl import audit  # noqa: PLC0415 - what a command needs, when it does

    folder: Path = choices["out"]
    path = _path(folder)
    verdict = audit.verify(path, folder=path.parent)
    if choices["json"]:
        console.print_data(
            {
                "ok": not verdict.faults,
                "log": str(path),
                "lines": verdict.lines,
                "runs": verdict.runs,
                "faults": [
                    {"line": fault.line, "flaw": fault.flaw.value, "what": fault.what}
                    for fault in verdict.faults
                ],
                "notes": list(verdict.notes),
            }
        )
        if verdict.faults:
            raise typer.Exit(NotProvenError.code)
        return
    for note in verdict.notes:
        typer.echo(spoken(_("Note: {note}", note=note)))
    if verdict.faults:
        found = [
            _("line {line}: {what}", line=fault.line, what=fault.what) for fault in verdict.faults
        ]
        if len(found) > _SHOWN:
            more = len(found) - _SHOWN
            found[_SHOWN:] = [_("and {count} faults more (--json has them all)", count=more)]
        raise NotProvenError(
            _(
                "The log {path} is not as it was written: {faults}.",
                path=path,
                faults=joined(_("; "), found),
            ),
            fix=_("compare it with a copy that you trust; backups of the set are in backup/"),
        )
    if not choices["quiet"]:
        runs = _("{count} run{count:|s}", count=verdict.runs)
        unbroken = _(
            "{path}: {count} line{count:|s} of {runs}, unbroken",
            path=path,
            count=verdict.lines,
            runs=runs,
        )
        typer.echo(spoken(unbroken))


@app.command()
@takes(options.FOLDER, options.LAST_RUN, options.SCRIPT, options.LANGUAGE)
def export(choices: Choices) -> None:
    """Turn what was really run into a script that does the same."""
    from mtls_openssl import scripting  # noqa: PLC0415
    from mtls_openssl.plan import CONFIG, MADE_BY  # noqa: PLC0415
    from mtls_openssl.steps import Command  # noqa: PLC0415

    lines = list(_lines(choices))
    run = choices["run"] or _last_done(lines, _path(choices["out"]))
    steps = _steps(_of_run(lines, run))
    kept = _published(_of_run(lines, run))
    made = [
        name
        for step in steps
        for name in (_touched(step) if isinstance(step, Command) else [step.name])
    ]
    temporary = [name for name in dict.fromkeys(made) if name not in {*MADE_BY, *kept} - {CONFIG}]
    script = scripting.script(
        choices["format"].value, steps, temporary=temporary, title=f"run {run} of the audit log"
    )
    console.print_script(script)


def _steps(lines: Sequence[Line]) -> list[scripting.Line]:
    from mtls_openssl.scripting import Written  # noqa: PLC0415
    from mtls_openssl.steps import Command, Join, Kind  # noqa: PLC0415

    made = _made(lines)
    steps: list[scripting.Line] = []
    for line in sorted(lines, key=lambda line: line.step):
        if line.event == "render":
            steps += [Written(name, line.stdout) for name in line.writes]
        elif line.event == "join":
            steps += [Join(tuple(line.reads), name, line.purpose) for name in line.writes]
        elif line.event == "command" and (
            line.kind == Kind.GUIDE.value or (line.kind == Kind.TOOL.value and line.writes)
        ):
            # Who came first then need not come first in the script.
            reads = tuple(name for name in line.reads if name not in {*line.writes} & made)
            steps.append(
                Command(
                    tuple(line.argv[1:]),
                    line.purpose,
                    reads=reads,
                    writes=tuple(name for name in line.writes if name not in reads),
                    secrets=tuple(name for name in line.env if _is_secret(name)),
                    program=Path(line.argv[0]) if line.kind == Kind.TOOL.value else None,
                )
            )
    return steps


def _made(lines: Sequence[Line]) -> set[str]:
    """The names of the files that were not there when a run began."""
    seen, made = set[str](), set[str]()
    for line in lines:
        made |= {*line.writes} - {*line.reads} - seen
        seen |= {*line.writes, *line.reads}
    return made


def _is_secret(variable: str) -> bool:
    from mtls_openssl.manifest import PASSPHRASE_VARIABLES  # noqa: PLC0415
    from mtls_openssl.openssl.pkcs12 import PASSWORD_VARIABLE  # noqa: PLC0415

    return variable in PASSPHRASE_VARIABLES or variable.startswith(PASSWORD_VARIABLE)


def _touched(command: Command) -> tuple[str, ...]:
    return (*command.writes, *command.updates)


def _published(lines: Sequence[Line]) -> set[str]:
    return {name for line in lines if line.event == "end" for name in line.writes}


def _last_done(lines: Sequence[Line], path: Path) -> str:
    for line in reversed(lines):
        if line.event == "end" and line.exit == 0 and line.writes:
            return line.run
    raise FolderUnavailableError(
        _("The log {path} has no run that made something to the end.", path=path),
        fix=_("name a run with --run; `audit show` lists them"),
    )


def _of_run(lines: Sequence[Line], run: str | None) -> list[Line]:
    chosen = [line for line in lines if run is None or line.run == run]
    if run is not None and not chosen:
        raise FolderUnavailableError(
            _("The log has no run {run}.", run=run), fix=_("`audit show` lists the runs")
        )
    return chosen


def _lines(choices: Choices) -> list[Line]:
    from mtls_openssl.audit import read  # noqa: PLC0415

    return list(read(_path(choices["out"])))


def _path(out: Path) -> Path:
    # A copy of a log is read as well as the log of a folder.
    return out if out.is_file() else out / "mtls-audit.jsonl"
