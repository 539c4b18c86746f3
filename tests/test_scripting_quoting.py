"""An argument comes out of each shell exactly as it went in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.scripting import Written, quoting, script

AWKWARD = "  %!'\"&$;<>^|`~#()[]{}*?=,@+-\\\\/:.0aB\u4e2d\u6587\u2018\u2019\u201a\u201b\U0001f600é"
CHARACTERS = st.one_of(
    st.sampled_from(AWKWARD), st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
)
ARGUMENTS = st.lists(st.text(CHARACTERS, max_size=24), min_size=1, max_size=40)
BY_HAND = [
    "",
    " ",
    'My "Best" Org',
    '3" of snow',
    'a\\"b c\\',
    "ends in a backslash\\",
    "two\\\\",
    "it's",
    "100%",
    "%PATH%",
    "%%",
    "!PATH!",
    "$HOME",
    "`id`",
    "a&b|c<d>e^f;g",
    '"&echo pwned&"',
    '%"&echo pwned&"%',
    "\u4e2d\u6587 \U0001f600",
    "\u2019; Remove-Item x; \u2019",
    "-subj",
    "-a.b",
    "-a:b",
    "007",
    "0x10",
    "/C=CN/O=MyOrganization CA/CN=MyRootCA",
]

_DUMP = "import json, os, sys; print(json.dumps([os.fsencode(a).decode() for a in sys.argv[1:]]))"

for_shells = settings(
    max_examples=6 if sys.platform == "win32" else 40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def _run(name: str, text: str, *command: str) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "dump.py").write_text(_DUMP, encoding="utf-8")
        Path(folder, name).write_bytes(text.encode())
        done = subprocess.run(
            [*command, name],
            cwd=folder,
            env={**os.environ, "PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]


def _as_cmd_reads(argument: str) -> set[str]:
    # Without a console, cmd reads a batch file in the OEM code page, whatever chcp is told.
    return {argument, argument.encode().decode("cp437")}


def _powershell_words(line: str) -> list[str]:
    """What PowerShell's tokenizer makes of bare words and single-quoted ones."""
    single = "'\u2018\u2019\u201a\u201b"
    words, at = [], 0
    while at < len(line):
        word = ""
        if line[at] in single:
            at += 1
            while line[at] not in single or line[at + 1 : at + 2] in [*single]:
                at += 2 if line[at] in single else 1
                word += line[at - 1]
            at += 1
        else:
            end = line.find(" ", at)
            end = len(line) if end < 0 else end
            word = line[at:end]
            at = end
            assert not set(word) & set(single + '"`$&|;<>(){}@,#% ')
        words.append(word)
        assert line[at : at + 1] in ("", " ")
        at += 1
    return words


def _c_runtime_words(line: str) -> list[str]:
    """What a Windows program's start-up code makes of its command line."""
    words: list[str] = []
    word, quoted, backslashes = "", False, 0
    for character in [*line, " "]:
        if character == "\\":
            backslashes += 1
            continue
        if character == '"':
            word += "\\" * (backslashes // 2)
            if backslashes % 2:
                word += '"'
            else:
                quoted = not quoted
        else:
            word += "\\" * backslashes
            if character == " " and not quoted:
                words.append(word)
                word = ""
            else:
                word += character
        backslashes = 0
    assert not quoted
    return words


@pytest.mark.posix
@for_shells
@example(BY_HAND)
@given(ARGUMENTS)
def test_sh_hands_over_every_argument_as_it_is(arguments: list[str]) -> None:
    line = quoting.posix_line([sys.executable, "-S", "dump.py", *arguments])
    assert _run("run.sh", f"{line}\n", "/bin/sh") == [arguments]


@pytest.mark.windows
@for_shells
@example(BY_HAND)
@given(ARGUMENTS)
def test_cmd_hands_over_every_argument_as_it_is(arguments: list[str]) -> None:
    argv = [sys.executable, "-S", "dump.py", *arguments]
    line = " ".join(quoting.batch(argument) for argument in argv)
    head = "@echo off\r\nsetlocal DisableDelayedExpansion\r\nchcp 65001 >nul\r\n"
    (came,) = _run("run.bat", f"{head}{line}\r\n", "cmd", "/d", "/c")
    assert len(came) == len(arguments)
    assert [
        (had, has)
        for has, had in zip(came, arguments, strict=True)
        if has not in _as_cmd_reads(had)
    ] == []


@pytest.mark.windows
def test_cmd_writes_a_file_line_by_line_as_it_is(tmp_path: Path) -> None:
    content = "[req]\n\n  a = \"b & c\" %PATH% !x! ^ | < > ( ) 'y' ~`#\n; note\n1\n2\n,\n=\n$x\\\n"
    text = script("bat", [Written("a b.cnf", content)], temporary=[], title="A file")
    (tmp_path / "run.bat").write_bytes(text.encode())
    subprocess.run(
        ["cmd", "/d", "/c", "run.bat"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert (tmp_path / "a b.cnf").read_text(encoding="utf-8") == content


@given(ARGUMENTS)
@example(BY_HAND)
@settings(deadline=None, database=None)
def test_powershell_reads_back_every_argument_as_it_is(arguments: list[str]) -> None:
    line = " ".join(quoting.powershell(argument) for argument in arguments)
    assert _powershell_words(line) == arguments


@given(ARGUMENTS)
@example(BY_HAND)
@settings(deadline=None, database=None)
def test_a_windows_program_reads_back_every_argument_as_it_is(arguments: list[str]) -> None:
    assert _c_runtime_words(" ".join(map(quoting.c_runtime, arguments))) == arguments


def test_plain_arguments_are_not_quoted_in_any_shell() -> None:
    for argument in ("ca.key", "-x509", "2048", "env:MTLS_P12_PASSWORD"):
        for quote in (quoting.batch, quoting.cmd, quoting.posix, quoting.powershell):
            assert quote(argument) == argument


def test_a_batch_file_keeps_to_plain_double_quotes_where_they_do() -> None:
    assert quoting.batch("/O=A & B 100%") == '"/O=A & B 100%%"'


def test_an_argument_with_a_double_quote_never_starts_a_quotation_in_cmd() -> None:
    assert quoting.batch('a "&b') == r'^"a \^"^&b^"'


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\t", "\x1b", "\x7f"])
def test_an_argument_that_breaks_its_line_is_refused(character: str) -> None:
    for quote in (quoting.batch, quoting.cmd, quoting.posix, quoting.powershell):
        with pytest.raises(SettingRefusedError):
            quote(f"a{character}b")


def test_nothing_between_two_percent_signs_is_a_variable_at_a_cmd_prompt() -> None:
    typed = quoting.cmd("C:\\%OS%\\my %PATH:~0,1%\\%%")

    assert typed == '"C:\\\\"%"OS"%"\\my "%"PATH:~0,1"%"\\\\"%%""'
    assert _c_runtime_words(typed) == ["C:\\%OS%\\my %PATH:~0,1%\\%%"]


def test_a_single_percent_sign_stays_in_plain_double_quotes_at_a_prompt() -> None:
    assert quoting.cmd("a 100% b") == '"a 100% b"'


@given(ARGUMENTS)
@example(BY_HAND)
@settings(deadline=None, database=None)
def test_what_cmd_takes_for_a_variable_has_a_quote_in_its_name(arguments: list[str]) -> None:
    line = " ".join(map(quoting.cmd, arguments))

    assert [name for name in line.split("%")[1:-1] if name and '"' not in name] == []


@pytest.mark.windows
@for_shells
@example(BY_HAND)
@given(ARGUMENTS)
def test_cmd_hands_over_every_argument_that_is_typed_at_its_prompt(arguments: list[str]) -> None:
    line = quoting.cmd_line([sys.executable, "-S", "-c", _DUMP, *arguments])
    done = subprocess.run(
        f'cmd /d /v:off /s /c "{line}"',
        env={**os.environ, "PYTHONUTF8": "1", "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == arguments
