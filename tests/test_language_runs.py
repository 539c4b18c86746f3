"""What a person who reads only Chinese gets to see, and what stays the same in every language."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.audit import LOG, read
from mtls_openssl.language import width
from tests.machine import CHECKOUT, openssl, started
from tests.requests import request
from tests.speaker import Speaker

Said = Callable[..., str]

EC = ("--profile", "modern")
CHINESE = {"MTLS_LANG": "zh"}
HAN = re.compile("[\u3400-\u9fff]")
# Four plain words of English in a row. What openssl said stands behind `| `.
SENTENCE = re.compile(r"\b[A-Za-z][a-z']+(?:,? [a-z']{1,20}){3,}")


def sentences(text: str) -> list[str]:
    """The English sentences in an output."""
    ours = [line for line in text.splitlines() if not re.match(r" +\| ", line)]
    return SENTENCE.findall("\n".join(ours))


def is_chinese(text: str) -> bool:
    return bool(HAN.search(text)) and not sentences(text)


@pytest.fixture(name="speakers", scope="module")
def speakers_fixture() -> Iterator[dict[str, Speaker]]:
    """Who speaks each language."""
    with Speaker("en") as english, Speaker("zh_CN") as chinese:
        yield {"en": english, "zh": chinese}


@pytest.fixture(name="said", scope="module")
def said_fixture(speakers: dict[str, Speaker]) -> Said:
    """What a command says in Chinese, on both streams."""

    def said(*argv: str | Path, cwd: Path, exit_code: int = 0) -> str:
        done = speakers["zh"].run(*argv, cwd=cwd, exit_code=exit_code)
        return done.stdout + done.stderr

    return said


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A set made in each language, with what was printed beside it."""
    folder = tmp_path_factory.mktemp("sets")
    for language in ("en", "zh"):
        done = started("all", *EC, "--out", language, "--lang", language, cwd=folder)
        (folder / f"{language}.txt").write_text(done.stdout + done.stderr, "utf-8")
    return {language: folder / language for language in ("en", "zh")}


def test_the_words_that_are_looked_for_are_found() -> None:
    assert sentences("Error: 1\nthe folder is as it was") == ["the folder is as it was"]


def test_all_is_chinese_from_beginning_to_end(sets: dict[str, Path]) -> None:
    printed = sets["zh"].with_suffix(".txt").read_text("utf-8")
    assert is_chinese(printed), printed


def test_the_log_is_the_same_in_both_languages(sets: dict[str, Path]) -> None:
    logs = [
        sorted(
            (line.step, line.event, line.purpose, line.problem, line.ending, tuple(line.argv))
            for line in read(folder / LOG)
        )
        for folder in sets.values()
    ]
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    "argv",
    [
        ("audit", "show"),
        ("audit", "show", "--verbose"),
        ("audit", "verify"),
        ("verify",),
        ("verify", "--verbose"),
        ("all", "--dry-run"),
        ("doctor",),
        ("handshake",),
        ("nginx",),
        ("trust", "export"),
    ],
    ids=" ".join,
)
def test_what_is_told_of_a_set_is_chinese(
    argv: tuple[str, ...], sets: dict[str, Path], said: Said
) -> None:
    printed = said(*argv, "--out", sets["zh"], cwd=sets["zh"])
    own = re.sub(r"openssl [^\n]*?(   #|\n)", "", printed)  # the commands themselves
    assert is_chinese(own), own


def test_what_a_request_does_not_ask_for_is_no_output_of_openssl(
    sets: dict[str, Path], tmp_path: Path, said: Said
) -> None:
    plain = request(tmp_path / "host", "plain")
    printed = said(
        "sign", plain, "--client", "--dry-run", "--out", sets["zh"], cwd=tmp_path
    )  # fmt: skip
    assert "没有输出" not in printed
    assert is_chinese(printed), printed


def test_locate_is_chinese(tmp_path: Path, said: Said) -> None:
    printed = said("locate", cwd=tmp_path)
    assert is_chinese(printed), printed


def test_a_log_that_was_changed_is_told_of_in_chinese(
    sets: dict[str, Path], tmp_path: Path, said: Said
) -> None:
    log = tmp_path / LOG
    lines = (sets["zh"] / LOG).read_text("utf-8").splitlines(keepends=True)
    log.write_text("".join([lines[0].replace("openssl", "0penssl"), *lines[2:]]), "utf-8")
    printed = said("audit", "verify", "--out", tmp_path, cwd=tmp_path, exit_code=5)
    assert is_chinese(printed), printed


@pytest.mark.parametrize(
    ("argv", "exit_code"),
    [
        (("ca", "--country", "China", "--ca-days", "x", "--ca-cn", ""), 6),
        (("all", "--server-dns", "a..b", "--server-ip", "1.2.3", "--key-size", "7"), 6),
        (("all", "--config", "none.toml"), 6),
        (("ca", "--profile", "modren"), 6),
        (("p12", "--p12-password-env", "NONE"), 6),
        (("p12", "--p12-password-file", "none.txt"), 6),
        (("p12",), 7),
        (("server",), 7),
        (("audit", "show"), 7),
        (("audit", "verify"), 7),
        (("ca", "--openssl", "none"), 3),
        (("ca", "--format", "bat"), 2),
        (("ca", "--jobs", "x"), 2),
        (("ca", "--jobs", "0"), 2),
        (("ca", "--timeout", "soon"), 2),
        (("dhparam", "--bits", "99999"), 2),
        (("dhparam", "--group", "none"), 2),
        (("ca", "--none"), 2),
        (("ca", "--ot"), 2),
        (("ca", "--out"), 2),
        (("ca", "--json=1"), 2),
        (("ca", "none"), 2),
        (("none",), 2),
        (("verfy",), 2),
        (("audit",), 2),
        ((), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_told_in_chinese(
    argv: tuple[str, ...], exit_code: int, tmp_path: Path, said: Said
) -> None:
    printed = said(*argv, cwd=tmp_path, exit_code=exit_code)
    assert is_chinese(printed), printed


def test_an_openssl_that_fails_is_told_of_in_chinese(
    sets: dict[str, Path], tmp_path: Path, said: Said
) -> None:
    for name in ("ca.crt", "client.crt"):
        (tmp_path / name).write_bytes((sets["zh"] / name).read_bytes())
    (tmp_path / "client.key").write_bytes((sets["zh"] / "server.key").read_bytes())
    printed = said("p12", "--out", tmp_path, cwd=tmp_path, exit_code=4)
    own = re.sub("openssl 的输出：[^\n]*", "", printed)
    assert is_chinese(own), own


def commands() -> list[tuple[str, ...]]:
    import typer

    from mtls_openssl.cli import app

    found: list[tuple[str, ...]] = [()]
    whole: Any = typer.main.get_command(app)
    for name in whole.list_commands(None):
        command = whole.get_command(None, name)
        found.append((name,))
        found += [(name, inner) for inner in getattr(command, "commands", {})]
    return found


PAGES = """
import json, sys
from mtls_openssl import language
language.speak("zh_CN")
from typer.testing import CliRunner
from mtls_openssl.cli import app
words = [line.split() for line in sys.stdin.read().split(";")]
print(json.dumps([CliRunner().invoke(app, [*one, "--help"]).output for one in words]))
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], str]:
    """The help of every command in Chinese, by its words."""
    done = subprocess.run(
        [sys.executable, "-c", PAGES],
        cwd=CHECKOUT, input=";".join(map(" ".join, commands())), capture_output=True,
        encoding="utf-8", check=True,
    )  # fmt: skip
    return dict(zip(commands(), json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_the_help_of_every_command_is_chinese(
    command: tuple[str, ...], pages: dict[tuple[str, ...], str]
) -> None:
    assert is_chinese(pages[command]), pages[command]


def test_no_line_of_the_help_is_wider_than_a_console(pages: dict[tuple[str, ...], str]) -> None:
    lines = [line for page in pages.values() for line in page.splitlines()]
    assert [line for line in lines if width(line) > 80] == []


@pytest.mark.parametrize(
    ("argv", "exit_code"),
    [
        (("all", *EC, "--dry-run"), 0),
        (("ca", *EC, "--out", "new"), 0),
        (("ca", "--country", "China"), 6),
        (("p12", "--out", "none"), 7),
        (("locate",), 0),
        (("audit", "verify", "--out", "none"), 7),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_data_for_a_program_is_the_same_in_both_languages(
    argv: tuple[str, ...], exit_code: int, tmp_path: Path, speakers: dict[str, Speaker]
) -> None:
    found = []
    for language, speaker in speakers.items():
        folder = tmp_path / language
        folder.mkdir()
        done = speaker.run(*argv, "--json", cwd=folder, exit_code=exit_code)
        text = done.stdout.replace(json.dumps(str(folder))[1:-1], "FOLDER")
        data = json.loads(text)
        if isinstance(data, dict):
            data.pop("seconds", None)
        found.append(data)
    assert found[0] == found[1]


@pytest.mark.parametrize("form", ["bat", "sh", "ps1", "json"])
def test_a_script_is_the_same_in_both_languages(
    form: str, tmp_path: Path, speakers: dict[str, Speaker]
) -> None:
    scripts = [
        one.run("all", "--dry-run", "--format", form, cwd=tmp_path).stdout
        for one in speakers.values()
    ]
    assert scripts[0] == scripts[1]


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (("--lang", "zh", "locate"), {}),
        (("locate", "--lang", "zh"), {}),
        (("locate", "--lang=zh_CN"), {}),
        (("locate",), {"MTLS_LANG": "zh"}),
        (("locate",), {"MTLS_LANG": "", "LC_ALL": "zh_CN.UTF-8"}),
        (("locate",), {"MTLS_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}),
        (("locate", "--lang", "zh"), {"MTLS_LANG": "en"}),
    ],
)
def test_the_language_can_be_asked_for_in_every_usual_way(
    argv: tuple[str, ...], environ: dict[str, str], tmp_path: Path
) -> None:
    done = started(*argv, cwd=tmp_path, env={"LANGUAGE": "", **environ})
    assert "版本" in done.stdout


def test_english_can_be_asked_for_on_a_chinese_system(tmp_path: Path) -> None:
    done = started("locate", "--lang", "en", cwd=tmp_path, env={"LANG": "zh_CN.UTF-8", **CHINESE})
    assert "version" in done.stdout


@pytest.mark.parametrize(
    ("argv", "environ"),
    [(("ca", "--lang", "fr"), {}), (("--lang", "fr", "ca"), {}), (("ca",), {"MTLS_LANG": "fr"})],
)
def test_a_language_that_is_not_spoken_here_is_refused_with_those_that_are(
    argv: tuple[str, ...], environ: dict[str, str], tmp_path: Path
) -> None:
    done = started(*argv, cwd=tmp_path, env=environ, exit_code=2)
    assert "'fr' is not one of en, zh_CN" in done.stderr
    assert list(tmp_path.iterdir()) == []


def in_bytes(*argv: str, cwd: Path, **environ: str | None) -> bytes:
    """What a command prints into a pipe, as it comes out."""
    import os

    ours = {"PYTHONPATH": str(CHECKOUT), "MTLS_OPENSSL": openssl(), **CHINESE, **environ}
    whole = {name: value for name, value in {**os.environ, **ours}.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-m", "mtls_openssl", *argv],
        cwd=cwd, env=whole, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "argv", [("--help",), ("locate",), ("ca", "--none"), ("ca", "--ca-days", "x")]
)
def test_a_console_of_code_page_936_gets_its_own_chinese(
    argv: tuple[str, ...], tmp_path: Path
) -> None:
    printed = in_bytes(*argv, cwd=tmp_path, PYTHONIOENCODING="gbk", PYTHONUTF8=None).decode("gbk")
    assert is_chinese(printed), printed
    assert "\\u" not in printed


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
@pytest.mark.parametrize(
    "argv", [("--help",), ("locate",), ("ca", "--none"), ("ca", "--ca-days", "x")]
)
def test_where_the_code_page_has_no_chinese_a_file_is_utf_8(
    argv: tuple[str, ...], encoding: str, tmp_path: Path
) -> None:
    printed = in_bytes(*argv, cwd=tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8=None)
    assert is_chinese(printed.decode("utf-8"))


def test_what_goes_to_a_file_by_itself_can_be_read(tmp_path: Path) -> None:
    import locale

    printed = in_bytes("locate", cwd=tmp_path, PYTHONIOENCODING=None, PYTHONUTF8=None)
    encoding = locale.getpreferredencoding(do_setlocale=False)
    try:
        "简体中文".encode(encoding)
    except UnicodeEncodeError:
        encoding = "utf-8"
    assert is_chinese(printed.decode(encoding))


def test_english_on_a_code_page_without_chinese_stays_in_that_code_page(tmp_path: Path) -> None:
    folder = tmp_path / "Zoé"
    folder.mkdir()
    printed = in_bytes(
        "audit", "show", "--out", str(folder), cwd=tmp_path,
        PYTHONIOENCODING="cp1252", PYTHONUTF8=None, MTLS_LANG="en",
    )  # fmt: skip
    assert "Zoé" in printed.decode("cp1252")


def test_english_needs_no_catalogue_to_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mtls_openssl", "--version"],
        cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert loaded.isdisjoint({"babel", "unicodedata", "importlib.resources"})
