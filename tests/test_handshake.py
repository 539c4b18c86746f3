"""`handshake`: a set is proven by real connections, and its faults are named."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mtls_openssl import audit
from mtls_openssl.audit import LOG
from mtls_openssl.cli import app
from mtls_openssl.desk import Desk, at
from mtls_openssl.errors import Exit
from mtls_openssl.life import choosing
from mtls_openssl.live import strangers
from mtls_openssl.locate import find
from mtls_openssl.manifest import Role
from mtls_openssl.openssl import s_server
from mtls_openssl.process import Door
from mtls_openssl.scripting import prompt
from mtls_openssl.steps import Command, Ending, Kind
from tests.machine import CHECKOUT, lock, mtls, openssl, snapshot
from tests.test_honest_stop import Pulse
from tests.tls_servers import Workshop

pytestmark = pytest.mark.end_to_end

CA = ("basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign")
SERVER = ("basicConstraints = CA:FALSE", "extendedKeyUsage = serverAuth")
LOCALHOST = "subjectAltName = DNS:localhost"
CLIENT = ("basicConstraints = CA:FALSE", "extendedKeyUsage = clientAuth")
PAST = ("20200101000000Z", "20200102000000Z")
alike = pytest.mark.posix
"""What is the same on Windows, where each of the many processes takes its time."""


@dataclasses.dataclass(frozen=True)
class Made:
    """A set whose making ended with a handshake, and what was told of that."""

    folder: Path
    told: str


@pytest.fixture(name="proven", scope="module")
def proven_fixture(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("证 书")
    return Made(folder, mtls("all", "--profile", "modern", "--prove", cwd=folder).stdout)


@pytest.fixture(scope="module")
def made(proven: Made) -> Path:
    return proven.folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A set of one's own."""
    return Path(shutil.copytree(made, tmp_path / "一 套"))


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = Workshop.at(tmp_path_factory.mktemp("stock") / "shop")
    shop.certificate("ca", None, *CA)
    shop.certificate("server", "ca", *SERVER, LOCALHOST)
    shop.certificate("client", "ca", *CLIENT)
    return shop.folder


@pytest.fixture
def shop(stock: Path, tmp_path: Path) -> Workshop:
    """A CA, and whatever the test lets it issue: a set with a fault."""
    return Workshop(Path(shutil.copytree(stock, tmp_path / "shop")))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    door = Door()
    with at(tmp_path, find(None, door), door=door, purpose="serve") as desk:
        yield desk


def handshake(folder: Path, *options: str, exit_code: Exit = Exit.DONE) -> Result:
    argv = ["handshake", "--out", str(folder), *options]
    result = CliRunner().invoke(app, argv, prog_name="python -m mtls_openssl")
    assert result.exit_code == exit_code, result.output
    return result


def rows(result: Result) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = json.loads(result.stdout)["handshakes"]
    return found


def bad(result: Result) -> set[object]:
    return {row["tried"] for row in rows(result) if not row["as_expected"]}


# A good set.


@dataclasses.dataclass(frozen=True)
class Tried:
    """A handshake of a good set: what the folder held before, and what came of it."""

    folder: Path
    before: Mapping[str, bytes]
    result: Result


@pytest.fixture(scope="module")
def tried(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("tried") / "一 套"))
    return Tried(folder, snapshot(folder), handshake(folder, "--json"))


def test_who_must_be_let_in_is_and_nobody_else(tried: Tried) -> None:
    result = tried.result
    assert [(row["tried"], row["version"]) for row in rows(result)] == [
        (what, f"TLSv{version}")
        for what in (
            "client.crt",
            "no certificate",
            "a certificate of another CA",
            "server.crt as the client's",
            "a name that server.crt lacks",
            "an expired certificate",
        )
        for version in ("1.2", "1.3")
    ]
    assert bad(result) == set()
    before, after = dict(tried.before), snapshot(tried.folder)
    assert before.pop(LOG) != after.pop(LOG)
    assert before == after


def test_a_refusal_is_told_with_the_servers_reason_and_the_alert_that_the_client_got(
    tried: Tried,
) -> None:
    happened = {(row["tried"], row["version"]): row["happened"] for row in rows(tried.result)}
    assert str(happened["client.crt", "TLSv1.3"]).endswith("CN=client1")
    for what, version, words in (
        ("no certificate", "1.2", "none was sent (alert 40, handshake_failure)"),
        ("no certificate", "1.3", "none was sent (alert 116, certificate_required)"),
        ("a certificate of another CA", "1.3", "(alert 48, unknown_ca)"),
        ("server.crt as the client's", "1.3", "it is not for this purpose (alert 43"),
        ("an expired certificate", "1.3", "it has expired (alert 45, certificate_expired)"),
        ("a name that server.crt lacks", "1.3", "refused by the client: it is not for the name"),
    ):
        assert words in str(happened[what, f"TLSv{version}"])


def test_a_person_reads_a_table(made: Path) -> None:
    lines = handshake(made).stdout.splitlines()
    assert len(lines) == 13
    assert lines[0].split() == ["tried", "TLS", "expected", "happened"]
    assert all(line.endswith("  as expected") for line in lines[1:])


def test_every_server_has_ended_and_has_its_line_without_a_key_of_the_session(
    tried: Tried,
) -> None:
    folder = tried.folder
    lines = [line for line in audit.read(folder / LOG) if "s_server" in line.argv][-12:]
    assert [(line.ending, line.exit) for line in lines] == [("exited", 0)] * 12
    assert audit.verify(folder / LOG, folder=folder).faults == ()
    log = (folder / LOG).read_text("utf-8")
    assert "Master-Key" not in log
    assert "SESSION PARAMETERS" not in log


@pytest.mark.parametrize(
    "names",
    [
        "subjectAltName = DNS:*.example.org",
        pytest.param("subjectAltName = IP:10.1.2.3", marks=alike),
        pytest.param("keyUsage = digitalSignature", marks=alike),
    ],
)
def test_the_client_asks_for_the_name_that_the_certificate_has(names: str, shop: Workshop) -> None:
    shop.certificate("server", "ca", *SERVER, names)
    handshake(shop.folder)


def test_all_ends_with_it_where_that_is_asked_for(proven: Made) -> None:
    assert proven.told.splitlines()[-1].endswith("as expected")


@alike
def test_a_program_reads_how_it_ended(tmp_path: Path) -> None:
    data = json.loads(mtls("all", "--profile", "modern", "--prove", "--json", cwd=tmp_path).stdout)
    assert data["handshake"]["ok"] is True


# What is left out.


def test_without_the_cas_key_no_expired_certificate_is_tried(folder: Path) -> None:
    (folder / "ca.key").unlink()
    result = handshake(folder)
    assert len(result.stdout.splitlines()) == 12
    assert "an expired certificate was not tried: ca.key is not here" in result.stdout


def test_with_a_password_on_the_cas_key_no_expired_certificate_is_tried(
    folder: Path, desk: Desk
) -> None:
    lock(folder / "ca.key", "word")
    assert "was not tried: ca.key has a password" in str(strangers.expire(desk, folder))


# Planted faults.


def test_a_server_certificate_of_another_ca_is_named(shop: Workshop) -> None:
    shop.certificate("other-ca", None, *CA)
    shop.certificate("server", "other-ca", *SERVER, LOCALHOST)
    refused = handshake(shop.folder, exit_code=Exit.NOT_PROVEN)
    assert "client.crt (TLS 1.2, 1.3)" in refused.stderr
    assert "Cause: server.crt: the CA that issued it is not known here" in refused.stderr
    again = prompt.line("python", "-m", "mtls_openssl", "server", "--out", str(shop.folder))
    assert f"To mend it: {again}\n" in refused.stderr


@alike
def test_a_client_certificate_of_another_ca_is_named(shop: Workshop) -> None:
    shop.certificate("other-ca", None, *CA)
    shop.certificate("client", "other-ca", *CLIENT)
    refused = handshake(shop.folder, exit_code=Exit.NOT_PROVEN)
    assert "Cause: client.crt: the CA that issued it is not known here" in refused.stderr


@alike
def test_a_client_certificate_for_another_purpose_is_named(shop: Workshop) -> None:
    shop.certificate("client", "ca", *SERVER)
    refused = handshake(shop.folder, exit_code=Exit.NOT_PROVEN)
    assert "Cause: client.crt: it is not for this purpose" in refused.stderr
    assert "python -m mtls_openssl client" in refused.stderr


@alike
def test_an_expired_client_certificate_is_named(shop: Workshop) -> None:
    shop.certificate("client", "ca", *CLIENT, dates=PAST)
    refused = handshake(shop.folder, exit_code=Exit.NOT_PROVEN)
    assert "Cause: client.crt: it has expired" in refused.stderr


@alike
def test_an_expired_server_certificate_is_named(shop: Workshop) -> None:
    shop.certificate("server", "ca", *SERVER, LOCALHOST, dates=PAST)
    refused = handshake(shop.folder, exit_code=Exit.NOT_PROVEN)
    assert "Cause: server.crt: it has expired" in refused.stderr


def test_a_server_certificate_that_a_client_could_use_is_named_and_sent_away_at_once(
    shop: Workshop,
) -> None:
    (shop.folder / LOG).touch()
    shop.certificate("server", "ca", LOCALHOST, "extendedKeyUsage = serverAuth, clientAuth")
    result = handshake(shop.folder, "--json", exit_code=Exit.NOT_PROVEN)
    assert bad(result) == {"server.crt as the client's"}
    assert "server.crt may be used by clients as well" in result.stderr
    assert "timed out" not in {line.ending for line in audit.read(shop.folder / LOG)}


def test_a_key_of_another_certificate_is_named(shop: Workshop) -> None:
    shutil.copy(shop.folder / "client.key", shop.folder / "server.key")
    refused = handshake(shop.folder, exit_code=Exit.NOT_PROVEN)
    assert "No connection can be made with server.crt and server.key" in refused.stderr
    assert "the key is not the certificate's" in refused.stderr


def test_a_client_key_of_another_certificate_is_named(shop: Workshop) -> None:
    shutil.copy(shop.folder / "server.key", shop.folder / "client.key")
    refused = handshake(shop.folder, exit_code=Exit.NOT_PROVEN)
    assert "No connection can be made with client.crt and client.key" in refused.stderr


def test_a_file_that_is_missing_is_named(folder: Path) -> None:
    (folder / "client.crt").unlink()
    refused = handshake(folder, exit_code=Exit.FOLDER_UNAVAILABLE)
    assert "A handshake needs client.crt" in refused.stderr


def test_a_key_with_a_password_is_named(folder: Path) -> None:
    lock(folder / "server.key", "word")
    refused = handshake(folder, exit_code=Exit.FOLDER_UNAVAILABLE)
    assert "server.key has a password" in refused.stderr


def test_a_certificate_that_is_none_is_named(folder: Path) -> None:
    (folder / "server.crt").write_text("nothing", "utf-8")
    refused = handshake(folder, exit_code=Exit.COMMAND_FAILED)
    assert "server.crt can't be read" in refused.stderr


# A program that keeps running.


SERVE = Command(s_server.serve_one(), "serve", Kind.LOOK)


def test_a_program_that_keeps_running_is_ended_with_its_block(desk: Desk, made: Path) -> None:
    with desk.serving(SERVE, folder=made) as server:
        assert server.hear(s_server.READY, 20)
        assert server.hear("what it never says", 0) is None
    assert server.end().ending is Ending.STOPPED
    assert list(audit.read(desk.log))[-1].ending == "stopped"


def test_a_program_that_ends_by_itself_is_not_waited_for(desk: Desk) -> None:
    with desk.serving(SERVE) as server:  # there is no server.crt
        assert server.hear(s_server.READY, 60) is None
        finished = server.end(60)
    assert (finished.ending, finished.exit) == (Ending.EXITED, 1)
    assert "server." in finished.stderr


def test_a_program_that_is_not_there_is_told(desk: Desk, tmp_path: Path) -> None:
    nothing = Command((), "serve", Kind.TOOL, program=tmp_path / "nothing")
    with desk.serving(nothing) as server:
        assert server.hear("anything", 60) is None
    assert server.end().ending is Ending.NOT_STARTED


@pytest.mark.posix
def test_ctrl_c_leaves_no_process_behind(made: Path, tmp_path: Path) -> None:
    pulse = Pulse(tmp_path / "pulse")
    program = tmp_path / "openssl"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in s_client) {pulse.take}; exec sleep 600;; s_server) {pulse.take};;'
        f' esac\nexec {openssl()} "$@"\n'
    )
    program.chmod(0o755)
    running = subprocess.Popen(
        [sys.executable, "-m", "mtls_openssl", "handshake"],
        cwd=made,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "MTLS_OPENSSL": str(program)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with running, contextlib.closing(pulse):
        pulse.wait_for(2)
        running.send_signal(signal.SIGINT)
        pulse.wait_for_silence()
        told = running.communicate()
    assert (running.returncode, told[1]) == (Exit.INTERRUPTED, "Interrupted.\n")


def test_a_certificate_that_is_named_in_another_case_is_the_one_that_is_there(
    made: Path, desk: Desk
) -> None:
    assert choosing.chosen(desk, made, Role.CLIENT, "CLIENT", option="--client") == "client"
