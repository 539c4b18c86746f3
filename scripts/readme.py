"""Writes the output blocks of README.md and README.zh-CN.md anew, by running their commands.

A block is a comment and the fenced text after it:

    <!-- output: python -m mtls_openssl ca --out certs -->   the text is what the command prints
    <!-- file: site/mtls.toml -->                            the text is written to that file

The commands run in their order in one empty folder, without a terminal and without any MTLS_*
variable, so that a later one sees what an earlier one made. `| findstr /b WORD` after a command
keeps the lines that begin with WORD, as on Windows. An exit code other than 0 stands below the
output. What differs from machine to machine is replaced (see `normalised`):

    the temporary folder        left out, and / in the paths below it
    a version of OpenSSL        OpenSSL X.Y.Z
    a time                      2026-01-01T00:00:00.000Z
    the id of a run             0123456789ab
    seconds                     0.00
    lines that begin "  Note:"  left out: they tell of the machine's file system or openssl

`python scripts/readme.py` writes the blocks; with `--check` it writes nothing, prints what differs
and ends with exit code 1 if something does.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import functools
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")

_BLOCK = re.compile(
    r"^<!-- (?P<kind>output|file): (?P<what>[^\n]+?) -->\n```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_OURS = "python -m mtls_openssl "
_FILTER = " | findstr /b "


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of a page.

    Args:
        kind: `output` or `file`.
        what: the command, or the path of the file.
        text: what a file holds; empty for an output, since that is to be found out.
    """

    kind: str
    what: str
    text: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check pages.

    Args:
        arguments: of the command line, without the program's name.

    Returns:
        The exit code: 1 if `--check` found a difference, else 0.
    """
    parser = argparse.ArgumentParser(description="Write the output blocks of the README anew.")
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("pages", nargs="*", type=Path, default=READMES, metavar="PAGE")
    chosen = parser.parse_args(arguments)
    getattr(sys.stdout, "reconfigure", lambda **_: None)(encoding="utf-8")
    same = True
    for page in chosen.pages:
        old = page.read_text("utf-8")
        new = rewritten(old)
        if chosen.check:
            same = same and old == new
            lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
            sys.stdout.writelines(difflib.unified_diff(*lines, page.name, "as it is now"))
        elif old != new:
            page.write_text(new, "utf-8", newline="\n")
    return 0 if same else 1


def rewritten(page: str) -> str:
    """A page with the text of each output block as it is now."""
    found = list(_BLOCK.finditer(page))
    blocks = (Block(m["kind"], m["what"], m["text"] * (m["kind"] == "file")) for m in found)
    for match, text in reversed([*zip(found, texts(tuple(blocks)), strict=True)]):
        page = page[: match.start("text")] + text + page[match.end("text") :]
    return page


@functools.cache
def texts(blocks: tuple[Block, ...]) -> tuple[str, ...]:
    """The text of each block, all of them run in one empty folder."""
    environment = _environment()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        return tuple(_text(block, folder, environment) for block in blocks)


def _environment() -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.upper().startswith("MTLS_")
    }
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "100"}
    environment["MTLS_LANG"] = "en"
    # Named once, so that no log tells of the others that a machine may have.
    named = os.environ.get("MTLS_OPENSSL")
    if not named:
        named, _ = _run(["locate", "--quiet"], ROOT, environment)
    return environment | {"MTLS_OPENSSL": named.strip()}


def _text(block: Block, folder: Path, environment: dict[str, str]) -> str:
    if block.kind == "file":
        file = folder / block.what
        file.parent.mkdir(exist_ok=True)
        file.write_text(block.text, "utf-8", newline="\n")
        return block.text
    command, _, beginning = block.what.partition(_FILTER)
    if not command.startswith(_OURS):
        raise SystemExit(f"not a command of ours: {command}")
    printed, code = _run(shlex.split(command.removeprefix(_OURS)), folder, environment)
    lines = normalised(printed, folder).splitlines()
    kept = [line.rstrip() for line in lines if line.startswith(beginning)]
    ending = [f"[exit code {code}]"] if code else []
    return "\n".join([f"> {block.what}", *kept, *ending, ""])


def _run(arguments: Sequence[str], folder: Path, environment: dict[str, str]) -> tuple[str, int]:
    finished = subprocess.run(
        [sys.executable, "-m", "mtls_openssl", *arguments],
        cwd=folder,
        env=environment,
        input=b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return finished.stdout.decode("utf-8"), finished.returncode


def normalised(printed: str, folder: Path) -> str:
    """What a command printed, without what differs from machine to machine.

    Args:
        printed: what it printed.
        folder: the folder it ran in.
    """
    text = printed.replace("\r\n", "\n").replace(os.sep, "/").replace(f"{folder.as_posix()}/", "")
    # cmd quotes a path for what was in it.
    text = re.sub(r'--out "([\w-]+)"', r"--out \1", text)
    text = re.sub(r"^  Note: .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\bOpenSSL \d+\.\d+\.\d+\w*", "OpenSSL X.Y.Z", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-01-01T00:00:00.000Z", text)
    text = re.sub(r"\brun [0-9a-f]{12}\b", "run 0123456789ab", text)
    return re.sub(r" +\d+\.\d\d s\b", "    0.00 s", text)


if __name__ == "__main__":
    sys.exit(main())
