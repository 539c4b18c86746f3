"""`verify`, `handshake` and `doctor` go by the CRL of a set, and say so when it is over."""

from __future__ import annotations

import datetime as dt
import html
import json
import shutil
import socket
import time
from pathlib import Path

import pytest

from mtls_openssl.desk import at
from mtls_openssl.doctor import Severity
from mtls_openssl.live import revoked
from mtls_openssl.locate import find
from mtls_openssl.process import Door
from mtls_openssl.scripting import prompt
from tests.ailments import findings
from tests.authority import asked, listed, said, unrevoked
from tests.machine import mtls
from tests.tls_servers import context_of, over_tls, serving

pytestmark = pytest.mark.end_to_end

alike = pytest.mark.posix
"""What is the same on Windows, where each of many processes takes its time."""

DAY = dt.timedelta(days=1)
WITHOUT = (
    "[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\ncrlnumber = crlnumber\n"
    "certificate = ca.crt\nprivate_key = ca.key\ndefault_md = sha256\n"
)


@pytest.fixture(scope="module", name="made")
def made_fixture(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set whose client was revoked and has a new certificate since."""
    folder = Path(shutil.copytree(modern, tmp_path_factory.mktemp("made") / "证 书"))
    mtls("revoke", "client", "--reason", "superseded", cwd=folder)
    mtls("client", "-q", "--profile", "modern", cwd=folder)
    return folder


@pytest.fixture(name="folder")
def folder_fixture(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


@pytest.fixture(scope="module")
def ended(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a CRL that is over."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("ended") / "set"))
    (folder / "test.cnf").write_text(WITHOUT)
    asked(folder, "ca", "-gencrl", "-crlsec", "1", "-out", "crl.pem")
    (folder / "test.cnf").unlink()
    end = listed(folder).next_update
    while end and dt.datetime.now(dt.UTC) <= end + dt.timedelta(seconds=1):
        time.sleep(0.05)  # it is good to the end of its second
    return folder


@pytest.fixture(scope="module")
def refused(ended: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the commands say of a CRL that is over, run elsewhere."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    return {
        command: mtls(command, "--out", ended, cwd=elsewhere, exit_code=5).stderr
        for command in ("verify", "handshake")
    }


def refused_by_a_web_server(folder: Path) -> str:
    """What connect says where nginx refuses our certificate, which it does without a reason."""
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n<center>The SSL certificate error</center>"

    def refuse(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(answer)

    with serving(over_tls(context_of(folder), refuse)) as port:
        done = mtls("connect", f"localhost:{port}", cwd=folder, exit_code=5)
    return " ".join(done.stderr.split())


def told_by_doctor(folder: Path, days: float = 0) -> dict[str, Severity]:
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return {
        one.code: one.severity
        for one in findings(folder, now=now)
        if one.code.startswith(("crl", "revoked", "register"))
    }


def handshakes(folder: Path, code: int = 0) -> list[tuple[str, bool]]:
    done = mtls("handshake", "--json", cwd=folder, exit_code=code)
    return [(one["tried"], one["as_expected"]) for one in json.loads(done.stdout)["handshakes"]]


@pytest.fixture(scope="module")
def taken_back(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the new certificate revoked as well."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("revoked") / "set"))
    mtls("verify", cwd=folder)
    mtls("revoke", "client", cwd=folder)
    return folder


def test_verify_names_who_is_revoked_since_when_and_the_two_ways_out(taken_back: Path) -> None:
    said_ = mtls("verify", cwd=taken_back, exit_code=5).stderr

    assert "client.crt: its CA has revoked it, on 20" in said_
    assert (
        "To mend it: have a new one issued, with a new key: python -m mtls_openssl renew" in said_
    )
    assert "move its files to another folder" in said_
    assert "server.crt" not in said_


def test_verify_is_content_once_who_was_revoked_has_a_new_key(
    taken_back: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(taken_back, tmp_path / "set"))
    mtls("renew", "client", "--rekey", "-q", cwd=folder)
    mtls("verify", cwd=folder)


def test_verify_is_content_once_the_files_of_who_is_revoked_are_elsewhere(
    taken_back: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(taken_back, tmp_path / "set"))
    for file in folder.glob("client.*"):
        file.unlink()
    mtls("verify", cwd=folder)


def test_verify_says_that_an_expired_crl_locks_everybody_out(refused: dict[str, str]) -> None:
    assert "refuses everybody" in refused["verify"]
    assert "mtls_openssl crl" in refused["verify"]


def test_a_handshake_proves_that_a_revoked_client_is_refused(folder: Path) -> None:
    tried = handshakes(folder)

    assert ("a revoked client", True) in tried
    assert all(good for _name, good in tried)


def test_a_handshake_with_an_expired_crl_lets_nobody_in_and_tells_what_mends_it(
    refused: dict[str, str],
) -> None:
    assert "out of date" in refused["handshake"]
    assert "mtls_openssl crl" in refused["handshake"]


def test_from_elsewhere_the_command_that_mends_an_expired_crl_names_the_folder(
    ended: Path, refused: dict[str, str], tmp_path: Path
) -> None:
    again = prompt.line("python", "-m", "mtls_openssl", "crl", "--out", str(ended))

    mtls("report", "--out", ended, cwd=tmp_path)

    assert {command: said_.count(again) > 0 for command, said_ in refused.items()} == {
        "verify": True, "handshake": True,
    }  # fmt: skip
    assert again in html.unescape((ended / "mtls-report.html").read_text("utf-8"))


def test_a_handshake_without_a_revoked_client_says_so(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "backup")
    door = Door()

    with at(tmp_path, find(None, door), door=door, purpose="handshake") as desk:
        lists = revoked.prepare(desk, folder)

    assert "a revoked client was not tried" in str(lists.left_out)


def test_connect_tells_who_is_refused_by_a_web_server_that_they_are_revoked(folder: Path) -> None:
    mtls("revoke", "client", cwd=folder)

    said_ = refused_by_a_web_server(folder)

    assert "it is revoked, says crl.pem" in said_
    assert "renew NAME --rekey" in said_


def test_connect_tells_who_is_refused_by_a_web_server_that_the_crl_is_over(ended: Path) -> None:
    said_ = refused_by_a_web_server(ended)

    assert "the CRL in crl.pem has ended on" in said_
    assert "mtls_openssl crl" in said_


def test_connect_blames_no_crl_that_has_nothing_against_a_client(folder: Path) -> None:
    assert "error.log" in refused_by_a_web_server(folder)


@alike
def test_doctor_warns_long_before_the_end_and_calls_the_end_an_error(folder: Path) -> None:
    assert told_by_doctor(folder) == {}
    assert told_by_doctor(folder, 19) == {}
    assert told_by_doctor(folder, 22) == {"crl-ends-soon": Severity.WARNING}
    assert told_by_doctor(folder, 31) == {"crl-expired": Severity.ERROR}


def test_doctor_tells_who_is_revoked(folder: Path) -> None:
    mtls("revoke", "client", cwd=folder)
    assert told_by_doctor(folder) == {"revoked": Severity.WARNING}

    mtls("revoke", "server", cwd=folder)
    found = [one for one in findings(folder) if one.code == "revoked"]
    assert [(one.subject, one.severity) for one in found] == [
        ("server.crt", Severity.ERROR),
        ("client.crt", Severity.WARNING),
    ]
    assert "mtls_openssl renew server --rekey" in found[0].mend


def test_the_help_of_doctor_says_that_a_warning_is_no_failure(tmp_path: Path) -> None:
    said_ = " ".join(mtls("doctor", "--help", cwd=tmp_path).stdout.split())

    assert "exit code 5 for an error." in said_


def test_a_run_that_enters_something_into_the_register_says_so_of_its_files(folder: Path) -> None:
    made = mtls("client", "add", "carol", "--key", "P-256", cwd=folder).stdout

    assert "kept on request" not in made
    words = [line.partition(" - ")[2] for line in made.splitlines() if "index.txt" in line]
    assert words == ["Register of what the CA has issued", "Settings of the register"]


@alike
def test_doctor_tells_of_a_revocation_that_the_crl_does_not_have(folder: Path) -> None:
    mtls("revoke", "client", "--no-crl", cwd=folder)

    assert told_by_doctor(folder) == {
        "revoked": Severity.WARNING,
        "revoked-unlisted": Severity.WARNING,
    }


@alike
def test_doctor_tells_of_a_crl_that_is_damaged_or_of_another_ca(
    folder: Path, tmp_path: Path
) -> None:
    crl = folder / "crl.pem"
    crl.write_text("no CRL\n")
    assert told_by_doctor(folder)["crl-damaged"] is Severity.ERROR

    shutil.copy(unrevoked(tmp_path / "of another name") / "crl.pem", crl)
    assert told_by_doctor(folder)["crl-lacking"] is Severity.ERROR

    same = tmp_path / "same"
    same.mkdir()
    mtls("ca", "-q", "--profile", "modern", cwd=same)
    mtls("crl", cwd=same)
    shutil.copy(same / "crl.pem", crl)
    assert told_by_doctor(folder)["crl-foreign"] is Severity.ERROR


def test_doctor_tells_of_a_register_that_is_none(folder: Path) -> None:
    (folder / "index.txt").write_text("nonsense\n")

    assert told_by_doctor(folder)["register"] is Severity.ERROR


def test_a_set_from_settings_takes_the_days_of_its_crl_from_there(folder: Path) -> None:
    (folder / "mtls.toml").write_text('profile = "modern"\n[ca]\ncrl_days = 12\n')

    said("crl", folder=folder)

    made = listed(folder)
    assert made.next_update
    assert made.next_update - made.last_update == 12 * DAY
