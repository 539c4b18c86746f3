"""`status`: what there is, how it stands, and the exit code that says so."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mtls_openssl.cli import app
from mtls_openssl.desk import own_log
from mtls_openssl.inventory import survey
from mtls_openssl.inventory.held import Terms
from mtls_openssl.inventory.things import Node, Stock
from tests import machine
from tests.terminal import Terminal
from tests.tls_servers import context_of, over_tls, serving, web

pytestmark = pytest.mark.end_to_end

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


EC = ("--profile", "modern", "--cert-days", "365")


@pytest.fixture(name="made", scope="module")
def made_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    machine.mtls("all", *EC, "--client-cn", "王小明", cwd=folder)
    machine.mtls("server", *EC, cwd=folder)  # so that there is a backup
    return folder


def looked_at(folder: Path, now: dt.datetime = NOW, within: int = 30) -> Stock:
    return survey.of_path(folder, Terms(now, within * DAY))


def by_file(folder: Path, now: dt.datetime = NOW) -> dict[str, Node]:
    return {node.file: node for node in survey.flat(looked_at(folder, now))}


def asked(
    *argv: str | Path, cwd: Path, code: int = 0, env: Mapping[str, str] | None = None
) -> Result:
    """What `status` says, run in this process."""
    ours = {"MTLS_P12_PASSWORD": machine.PASSWORD, **(env or {})}
    with contextlib.chdir(cwd), pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtls_openssl.cli.secret._taken", {})
        done = CliRunner().invoke(app, ["status", *map(str, argv)], env=ours)
    assert done.exit_code == code, done.output
    return done


def status(
    *argv: str | Path, cwd: Path, code: int = 0, env: Mapping[str, str] | None = None
) -> str:
    return asked(*argv, cwd=cwd, code=code, env=env).stdout


# A set that we made.


def test_a_set_is_shown_as_a_tree_with_days_and_backups(made: Path) -> None:
    lines = status(cwd=made).splitlines()

    assert re.match(
        r"ca\.crt  +MyRootCA  +root CA  +\d{4}-\d\d-\d\d  3649 days left  fine$", lines[0]
    )
    assert re.match(
        r"├─ server\.crt  +server\.your_domain\.com  +server  .*364 days left  fine$", lines[1]
    )
    assert "also for localhost, api.your_domain.com, 127.0.0.1" in lines[2]
    assert re.match(r"└─ client\.crt  +王小明  +client  .*364 days left  fine$", lines[3])
    assert lines[4].endswith("also for xn--yeto6u69k")
    assert re.match(r"   └─ client\.p12  +PKCS#12  +fine$", lines[5])
    assert lines[7] == "3 certificates, all fine."
    assert re.match(r"Backups: 1, the latest of \d{4}", lines[9])


def test_the_columns_are_straight_in_chinese_too(made: Path) -> None:
    from mtls_openssl.language import width

    told = machine.started("status", "--lang", "zh", cwd=made).stdout.splitlines()
    places = {
        width(line[: match.start()])
        for line in told
        if (match := re.search(r"\d{4}-\d\d-\d\d  ", line))
    }

    assert "王小明" in "".join(told)
    assert len(places) == 1


def test_it_needs_neither_openssl_nor_a_log(made: Path, tmp_path: Path) -> None:
    before = own_log().stat().st_size if own_log().exists() else 0
    log = (made / "mtls-audit.jsonl").read_bytes()
    env = {"MTLS_OPENSSL": str(tmp_path / "no-openssl")}

    assert "all fine" in status(cwd=made, env=env)
    assert (own_log().stat().st_size if own_log().exists() else 0) == before
    assert (made / "mtls-audit.jsonl").read_bytes() == log


@pytest.mark.parametrize("form", [(), ("--nagios",), ("--json",)])
def test_what_ends_within_the_days_asked_for_is_soon(made: Path, form: tuple[str, ...]) -> None:
    status("--within", "363", *form, cwd=made)
    status("--soon", "365d", *form, cwd=made, code=1)


def test_data_for_a_program_has_it_all(made: Path) -> None:
    told = json.loads(status("--json", cwd=made))
    (place,) = told["places"]
    server = next(one for one in place["certificates"] if one["role"] == "server")

    assert (told["ok"], told["state"], told["exit"]) == (True, "fine", 0)
    assert (server["file"], server["below"], server["key_file"]) == (
        "server.crt", "ca.crt", "server.key",
    )  # fmt: skip
    assert server["days_left"] == 364
    assert "DNS:localhost" in server["names"]
    assert [one["file"] for one in place["pkcs12"]] == ["client.p12"]
    assert len(place["backups"]) == 1


def test_a_password_lets_it_look_into_pkcs12(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "copy")
    open_ = ("--password-env", "MTLS_P12_PASSWORD")
    assert "client.p12" in status(*open_, cwd=folder)
    machine.mtls("client", *EC, cwd=folder)
    shutil.copy(made / "client.p12", folder)

    told = status(*open_, cwd=folder, code=1)

    assert "HOLDS ANOTHER CERTIFICATE" in told
    assert "it holds another certificate than client.crt: pack it again" in told


def test_a_pkcs12_file_that_was_named_and_can_not_be_opened_is_not_fine(made: Path) -> None:
    assert "it has a password, which was not given" in status("client.p12", cwd=made, code=7)
    wrong = ("--password-env", "OTHER")
    told = status("client.p12", *wrong, cwd=made, code=7, env={"OTHER": "another"})
    assert "the password is not the one of this file" in told
    status(*wrong, cwd=made, env={"OTHER": "another"})
    told = status("client.p12", "--password-env", "MTLS_P12_PASSWORD", cwd=made)
    assert re.match(r"client\.p12  王小明  PKCS#12  .*364 days left  fine", told)


def test_a_pkcs12_file_of_before_a_renewal_is_noticed(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "copy")
    old = (folder / "client.crt").stat().st_mtime - 86400
    os.utime(folder / "client.p12", (old, old))

    assert by_file(folder)["client.p12"].notes == (
        "it is older than client.crt: it may hold the certificate before",
    )


# What is typed.


def test_its_help_says_whose_revocation_is_no_alarm_and_whose_is(tmp_path: Path) -> None:
    said = " ".join(status("--help", cwd=tmp_path).split())

    assert "0: all is fine, a revoked client included;" in said
    assert "or a server or a CA is revoked;" in said


@pytest.mark.parametrize(
    "argv", [("--json", "--nagios"), ("--write", "x"), ("--within", "many")], ids=" ".join
)
def test_options_that_make_no_sense_are_refused(made: Path, argv: tuple[str, ...]) -> None:
    status(*argv, cwd=made, code=2)


# A server.


def test_a_server_is_asked_for_what_it_sends(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        told = status(f"localhost:{port}", cwd=made)
        data = json.loads(status(f"127.0.0.1:{port}", "--json", cwd=made))
    (place,) = data["places"]

    assert re.search(
        rf"localhost:{port} #1  +server\.your_domain\.com  server  .*364 days left  fine", told
    )
    assert place["kind"] == "server"
    assert [one["common_name"] for one in place["certificates"] if one["role"] == "server"] == [
        "server.your_domain.com"
    ]


def test_a_server_that_is_not_there_is_told_and_the_rest_as_well(made: Path) -> None:
    done = asked(".", "localhost:1", cwd=made, code=7)

    assert "client.p12" in done.stdout
    assert "localhost:1 can't be reached." in done.stderr
    assert status("localhost:1", "--nagios", cwd=made, code=3).startswith("CERTIFICATES UNKNOWN - ")


# Colour.


@pytest.mark.posix
def test_colour_is_there_at_a_terminal_only_and_says_nothing_alone(made: Path) -> None:
    def shown(env: Mapping[str, str]) -> str:
        ours = {**os.environ, "PYTHONPATH": str(machine.CHECKOUT), "TERM": "xterm", **env}
        argv = [sys.executable, "-m", "mtls_openssl", "status"]
        with Terminal(*argv, env=ours, cwd=made) as terminal:
            terminal.exit()
        return terminal.shown.replace("\r\n", "\n")

    plain, coloured = shown({"NO_COLOR": "1"}), shown({})
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b[" not in status(cwd=made)


@pytest.mark.windows
def test_a_folder_of_a_name_that_windows_does_not_allow_is_told_to_be_so(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["status", "--out", str(tmp_path / "a<b")]).stderr

    assert "holds a character that Windows does not allow" in said
    assert "as the user who owns" not in said
