"""The pages say what is true now, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.audit.line import KEYS
from mtls_openssl.errors import Exit
from mtls_openssl.profiles import PROFILES

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh-CN.md")
PAGES = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md")

in_both_languages = pytest.mark.parametrize("page", READMES)
on_every_page = pytest.mark.parametrize("page", PAGES)


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table."""
    lines = [line for line in prose(page).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def prose(page: str) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```\w*\n.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)


def readme_script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "readme.py", *arguments],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
    )  # fmt: skip


def commands() -> Iterator[tuple[str, Any]]:
    """Every command as it is typed, with what click knows of it."""
    import typer

    from mtls_openssl.cli import app

    program: Any = typer.main.get_command(app)
    yield "", program
    for name in program.list_commands(None):
        command = program.get_command(None, name)
        if getattr(command, "invoke_without_command", False):
            yield name, command
        for inner, one in getattr(command, "commands", {"": command}).items():
            yield f"{name} {inner}".rstrip(), one


def options() -> set[str]:
    """Every option of every command, `--help` apart, which none of them lists."""
    return {
        flag
        for _, command in commands()
        for parameter in command.params
        for flag in (*parameter.opts, *parameter.secondary_opts)
        if flag.startswith("-")
    }


def test_the_output_blocks_are_what_the_commands_print_now() -> None:
    checked = readme_script("--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_output_block_that_is_no_longer_true_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    block = "<!-- output: python -m mtls_openssl --version -->\n```text\nmtls-openssl 0.0\n```\n"
    page.write_text(block, "utf-8")
    checked = readme_script("--check", page)
    assert (checked.returncode, "-mtls-openssl 0.0" in checked.stdout) == (1, True)


def test_an_output_block_that_is_no_longer_true_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- output: python -m mtls_openssl --version -->\n```text\n```\n", "utf-8")
    readme_script(page)
    assert "```text\n> python -m mtls_openssl --version\nmtls-openssl " in page.read_text("utf-8")


def test_both_languages_have_the_same_blocks() -> None:
    english, chinese = (
        re.findall(r"^<!-- .+? -->\n```.*?^```$", read(page), flags=re.MULTILINE | re.DOTALL)
        for page in READMES
    )
    assert english == chinese


def test_both_languages_have_the_same_tables() -> None:
    english, chinese = ([len(row) for row in rows(page)] for page in READMES)
    assert english == chinese


@in_both_languages
def test_every_command_is_in_a_table(page: str) -> None:
    listed = " ".join(row[0] for row in rows(page))
    missing = [name for name, _ in commands() if f"`{name}`" not in listed and name]
    assert not missing


@in_both_languages
def test_every_option_is_named(page: str) -> None:
    text = prose(page)
    assert not [flag for flag in options() if not re.search(rf"`([^`|]* )?{flag}[` ]", text)]


@in_both_languages
def test_every_option_that_is_named_is_there(page: str) -> None:
    assert set(re.findall(r"`(--[a-z0-9-]+)", prose(page))) <= {*options(), "--help"}


def flags_of(command: Any) -> set[str]:
    given = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}
    return {flag for flag in given if flag.startswith("--")}


@in_both_languages
def test_the_tables_of_options_say_which_commands_have_them(page: str) -> None:
    takers = {name: flags_of(command) for name, command in commands() if name}
    told: dict[str, set[str]] = {name: set() for name in takers}
    wrong = []
    for flags, of, _ in (row for row in rows(page) if row[0].startswith("`-") and len(row) == 3):
        listed = set(re.findall(r"`(--[\w-]+)", flags))
        named = re.findall(r"`([a-z][\w -]*)`", of)
        groups = {name for name in named if name not in takers}
        those = {name for name in takers if name in named or name.split()[0] in groups}
        if re.search("all but|除", of) or not named:
            those = takers.keys() - those
        wrong += [(name, flags) for name in those if named and not listed & takers[name]]
        for name in those:
            told[name] |= listed
    settings = " ".join(row[0] for row in rows(page) if len(row) == 4)
    listed = set.union(*told.values()) - set(re.findall(r"`(--[\w-]+)", settings))
    missing = {name: takers[name] & listed - told[name] for name in takers}
    assert not wrong
    assert not {name: flags for name, flags in missing.items() if flags}


@in_both_languages
def test_every_exit_code_is_in_a_table(page: str) -> None:
    listed = [row[0] for row in rows(page) if row[0].isdigit()]
    assert listed == [str(code.value) for code in Exit]


@in_both_languages
def test_every_profile_is_in_a_table(page: str) -> None:
    (heading,) = [row for row in rows(page) if "`bat`" in " ".join(row[1:2])]
    assert [re.findall("`(.+?)`", cell) for cell in heading[1:]] == [[name] for name in PROFILES]


@in_both_languages
def test_the_table_of_settings_has_every_value_of_every_profile(page: str) -> None:
    tables = {row[0]: row[1:] for row in rows(page) if row[0].startswith("`--") and len(row) == 4}
    wrong = [
        (profile.name, option, value)
        for column, profile in enumerate(PROFILES.values())
        for option, value in profile.values.items()
        for text in [", ".join(value) if isinstance(value, tuple) else str(value)]
        if value not in (False, "{key_size}")
        and not any(
            f"`--{option.replace('_', '-')}`" in first and text in cells[column]
            for first, cells in tables.items()
        )
    ]
    assert not wrong


@in_both_languages
def test_every_field_of_the_audit_log_is_in_a_table(page: str) -> None:
    listed = " ".join(row[0] for row in rows(page))
    assert not [key for key in KEYS if f"`{key}`" not in listed]


@on_every_page
def test_no_link_is_dead(page: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    local = [target for target in targets if "://" not in target]
    assert not [target for target in local if not (ROOT / target.split("#")[0]).exists()]


@on_every_page
def test_every_link_within_a_page_leads_to_a_heading(page: str) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)\s]+)\)", prose(page))) <= headings


def test_the_contributing_page_fits_one_page() -> None:
    assert len(read("CONTRIBUTING.md").splitlines()) <= 60


def test_the_changelog_keeps_its_form() -> None:
    releases = re.findall(r"^## (.+)$", read("CHANGELOG.md"), flags=re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", one) for one in releases[1:])


def test_the_changelog_has_this_version() -> None:
    from mtls_openssl import __version__

    assert f"## [{__version__}] - " in read("CHANGELOG.md")


def test_the_changelog_groups_changes_as_keep_a_changelog_does() -> None:
    groups = re.findall(r"^### (.+)$", read("CHANGELOG.md"), flags=re.MULTILINE)
    assert set(groups) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
