"""What each kind of script looks like to its reader."""

from __future__ import annotations

import json
import re
import shlex
from typing import get_args

import pytest

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.scripting import Format, Written, script
from mtls_openssl.steps import Command
from tests import guide_recipe

TITLE = "Certificates for mutual TLS"
FORMATS: tuple[Format, ...] = get_args(Format)
SHELLS: tuple[Format, ...] = ("bat", "sh", "ps1")


def _made(form: Format) -> str:
    return script(form, guide_recipe.lines(), temporary=guide_recipe.TEMPORARY, title=TITLE)


def _commands() -> list[Command]:
    return [line for line in guide_recipe.lines() if isinstance(line, Command)]


@pytest.mark.parametrize("form", SHELLS)
def test_every_command_stands_on_a_line_of_its_own_in_order(form: Format) -> None:
    lines = [line for line in _made(form).splitlines() if line.startswith("openssl ")]
    assert [shlex.split(line) for line in lines] == [
        ["openssl", *command.argv] for command in _commands()
    ]


def test_the_batch_file_checks_the_exit_code_after_each_command() -> None:
    lines = _made("bat").split("\r\n")
    after = [lines[i + 1 : i + 3] for i, line in enumerate(lines) if line.startswith("openssl ")]
    check = ['set "CODE=%ERRORLEVEL%"', 'if not "%CODE%"=="0" goto :failed']
    assert after == [check] * len(_commands())


def test_powershell_checks_the_exit_code_after_each_command() -> None:
    lines = _made("ps1").split("\r\n")
    after = [lines[i + 1] for i, line in enumerate(lines) if line.startswith("openssl ")]
    assert len(after) == len(_commands())
    assert all(line.startswith("if ($LASTEXITCODE -ne 0) {") for line in after)


@pytest.mark.parametrize("form", ["bat", "ps1"])
def test_windows_scripts_end_their_lines_as_windows_does(form: Format) -> None:
    assert "\n" not in _made(form).replace("\r\n", "")


def test_no_variable_in_the_powershell_script_runs_into_a_colon() -> None:
    # "$status: ..." is a syntax error there: what stands before a colon is taken for a drive.
    assert set(re.findall(r"\$(\w+):", _made("ps1"))) == {"env", "global"}


def test_the_powershell_script_closes_all_that_it_opens() -> None:
    code = re.sub(r"'(?:[^']|'')*'", "", _made("ps1"))
    for opening, closing in ("()", "{}", "[]"):
        assert code.count(opening) == code.count(closing)


def test_the_posix_script_has_no_carriage_return() -> None:
    assert "\r" not in _made("sh")


def test_only_powershell_gets_a_byte_order_mark() -> None:
    assert [form for form in FORMATS if _made(form).startswith("\ufeff")] == ["ps1"]


def test_the_batch_file_writes_a_text_file_one_line_at_a_time() -> None:
    made = script("bat", [Written("v3.ext", "a = 1\n\nb = <2>\n")], temporary=[], title=TITLE)
    lines = made.split("\r\n")
    at = lines.index("> v3.ext echo a = 1")
    assert lines[at : at + 3] == [
        "> v3.ext echo a = 1",
        ">> v3.ext echo.",
        ">> v3.ext echo b = ^<2^>",
    ]


def test_a_text_that_holds_the_end_mark_stays_whole_in_the_posix_script() -> None:
    made = script("sh", [Written("v3.ext", "a\nEND\nb\n")], temporary=[], title=TITLE)
    assert "cat > v3.ext <<'END_'\na\nEND\nb\nEND_\n" in made


@pytest.mark.parametrize("form", SHELLS)
def test_files_are_removed_by_name_and_never_by_pattern(form: Format) -> None:
    removing = [
        line
        for line in _made(form).splitlines()
        if " del " in line or line.startswith("rm ") or "::Delete" in line
    ]
    assert len(removing) == len(guide_recipe.TEMPORARY)
    assert all(
        name in line and "*" not in line
        for line, name in zip(removing, guide_recipe.TEMPORARY, strict=True)
    )


@pytest.mark.parametrize("form", SHELLS)
def test_every_file_that_is_made_is_looked_for_before_anything_is_done(form: Format) -> None:
    head = _made(form).partition("\nopenssl ")[0]
    for name in {*guide_recipe.KEPT, *guide_recipe.TEMPORARY}:
        assert name in head


@pytest.mark.parametrize("form", SHELLS)
def test_a_run_without_secrets_asks_for_none(form: Format) -> None:
    made = script(form, guide_recipe.lines()[:3], temporary=[], title=TITLE)
    assert "PASSWORD" not in made


def test_the_purpose_of_each_command_is_shown_as_it_is() -> None:
    assert "echo verify server.crt ^& its chain" in _made("bat")
    assert "printf '%s\\n' 'verify server.crt & its chain'" in _made("sh")
    assert "Write-Host 'verify server.crt & its chain'" in _made("ps1")


def test_json_holds_every_step_in_order() -> None:
    data = json.loads(_made("json"))
    assert [step.get("argv", step.get("write")) for step in data["steps"]] == [
        ["openssl", *line.argv] if isinstance(line, Command) else line.name
        for line in guide_recipe.lines()
    ]
    assert data["remove"] == [*guide_recipe.TEMPORARY]


def test_the_text_numbers_the_steps_and_says_what_each_is_for() -> None:
    made = _made("text").splitlines()
    assert made[0] == TITLE
    assert "  1. write openssl.cnf" in made
    assert "  2. openssl genrsa -out ca.key 2048   # make ca's key" in made
    assert made[-1].startswith(" 15. remove openssl.cnf, ")


@pytest.mark.parametrize("line", ["echo /? me", "on", " OFF "])
def test_a_line_that_echo_would_take_for_itself_is_refused(line: str) -> None:
    with pytest.raises(SettingRefusedError, match="batch file"):
        script("bat", [Written("a.cnf", f"{line}\n")], temporary=[], title=TITLE)
