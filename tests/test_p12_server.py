"""server.p12: for whom Windows keeps a server's key, and what becomes of it later."""

from __future__ import annotations

import re
import shutil
import stat
import sys
from pathlib import Path

import pytest

from tests import original
from tests.machine import CHECKOUT, PASSWORD, mtls, openssl, ran, snapshot

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(modern, tmp_path_factory.mktemp("made") / "set"))
    mtls("p12", "server", cwd=folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A set of this test's own, with a server.p12."""
    return Path(shutil.copytree(made, tmp_path / "set"))


def opened(p12: Path, *options: str, password: str = PASSWORD, exit_code: int = 0) -> str:
    """What openssl finds in a file."""
    words = ("pkcs12", "-in", p12.name, "-passin", "env:P", *options)
    return ran(openssl(), *words, cwd=p12.parent, env={"P": password}, exit_code=exit_code).stdout


def pems(text: str) -> list[str]:
    return re.findall(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----", text)


def test_it_holds_the_servers_certificate_without_the_root(folder: Path) -> None:
    assert pems(opened(folder / "server.p12", "-nokeys")) == pems(
        (folder / "server.crt").read_text()
    )


def test_it_holds_the_servers_key(folder: Path) -> None:
    key = folder / "from-p12.key"
    key.write_text(opened(folder / "server.p12", "-nocerts", "-nodes"))
    public = [
        ran(openssl(), "pkey", "-in", name, "-pubout", cwd=folder).stdout
        for name in ("server.key", key.name)
    ]
    assert public[0] == public[1]


def test_intermediates_that_stand_in_server_crt_go_with_it(folder: Path) -> None:
    chain = pems((folder / "server.crt").read_text() + (folder / "client.crt").read_text())
    (folder / "server.crt").write_text("\n".join(chain) + "\n")
    mtls("p12", "server", cwd=folder)
    assert pems(opened(folder / "server.p12", "-nokeys")) == chain


def test_it_is_called_what_it_is_asked_to_be_called(folder: Path) -> None:
    assert "friendlyName: MyServerCert\n" in opened(folder / "server.p12", "-nokeys")
    mtls("p12", "server", "--name", "IIS 2016", cwd=folder)
    assert "friendlyName: IIS 2016\n" in opened(folder / "server.p12", "-nokeys")


def test_the_clients_name_in_the_settings_is_not_the_servers(folder: Path) -> None:
    (folder / "mtls.toml").write_text('p12_name = "Alice"\n')
    mtls("p12", "server", cwd=folder)
    mtls("p12", cwd=folder)
    assert "friendlyName: MyServerCert\n" in opened(folder / "server.p12", "-nokeys")
    assert "friendlyName: Alice\n" in opened(folder / "client.p12", "-nokeys")


def test_a_password_is_made_where_none_is_given_and_opens_it(folder: Path) -> None:
    program = (sys.executable, "-m", "mtls_openssl", "p12", "server")
    report = ran(*program, cwd=folder, env={"PYTHONPATH": str(CHECKOUT)}).stdout
    password = (folder / "server.p12.password").read_text().strip()
    assert len(pems(opened(folder / "server.p12", "-nokeys", password=password))) == 1
    assert "server.p12.password - Password of server.p12, made for you (KEEP SECRET!)" in report


def test_a_password_that_was_made_goes_with_the_file_that_it_opened(folder: Path) -> None:
    (folder / "server.p12.password").write_text("made before\n")
    mtls("p12", "server", cwd=folder)
    (backup,) = (folder / "backup").iterdir()
    assert {path.name for path in backup.iterdir()} == {"server.p12", "server.p12.password"}


def test_a_wrong_password_does_not_open_it(folder: Path) -> None:
    opened(folder / "server.p12", "-nokeys", password="wrong", exit_code=1)


def test_a_new_certificate_retires_it_to_the_backup(folder: Path) -> None:
    before = (folder / "server.p12").read_bytes()
    mtls("server", "--profile", "modern", cwd=folder)
    assert not (folder / "server.p12").exists()
    (backup,) = (folder / "backup").iterdir()
    assert (backup / "server.p12").read_bytes() == before
    assert (folder / "client.p12").exists()


@pytest.mark.parametrize("command", ["ca", "all"])
def test_a_new_ca_retires_all_that_was_packed(command: str, folder: Path) -> None:
    (folder / "truststore.p12").write_bytes(b"as if made from the CA before")
    mtls(command, "--profile", "modern", cwd=folder)
    left = {path.name for path in folder.glob("*.p12*")}
    assert left == ({"client.p12"} if command == "all" else set())


def test_without_a_server_certificate_it_says_which_command_makes_one(tmp_path: Path) -> None:
    refused = mtls("p12", "server", cwd=tmp_path, exit_code=7)
    assert "`p12 server` needs server.key and server.crt in " in refused.stderr
    assert "python -m mtls_openssl server" in refused.stderr


def test_a_key_of_another_certificate_is_refused_and_nothing_changes(folder: Path) -> None:
    shutil.copy(folder / "client.key", folder / "server.key")
    before = snapshot(folder)
    refused = mtls("p12", "server", cwd=folder, exit_code=4)
    assert "the key is not the certificate's" in refused.stderr
    after = snapshot(folder)
    assert {name: after[name] for name in after if name != "mtls-audit.jsonl"} == {
        name: before[name] for name in before if name != "mtls-audit.jsonl"
    }


def test_a_set_of_the_original_batch_file_gets_one(tmp_path: Path) -> None:
    original.make(tmp_path)
    mtls("p12", "server", "--for", "windows2016", cwd=tmp_path)
    assert pems(opened(tmp_path / "server.p12", "-nokeys")) == pems(
        (tmp_path / "server.crt").read_text()
    )


def test_the_report_says_where_it_goes_and_that_the_root_does_not_come_with_it(
    folder: Path,
) -> None:
    report = mtls("p12", "server", cwd=folder).stdout
    assert f"1. Import {folder / 'server.p12'} into Personal of the local computer" in report
    assert f"2. It holds no root: import {folder / 'ca.crt'} into Trusted Root" in report


@pytest.mark.posix
def test_it_is_private(folder: Path) -> None:
    mode = stat.S_IMODE((folder / "server.p12").stat().st_mode)
    assert mode == 0o600


def test_a_name_in_another_case_is_packed_as_it_is_spelt(folder: Path) -> None:
    (folder / "server.p12").unlink()
    packed = mtls("p12", "SERVER", "--profile", "modern", "--p12-password-env", "P", cwd=folder,
                  env={"P": PASSWORD})  # fmt: skip

    assert "server.p12" in packed.stdout
    assert "server.p12" in {path.name for path in folder.iterdir()}
