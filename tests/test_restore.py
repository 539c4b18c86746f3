"""`restore`: a backup comes back whole, proven before, and can be undone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.desk import at
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.locate import find
from mtls_openssl.process import Door
from mtls_openssl.restore import Case, all_, bring_back, chosen, examine, record
from mtls_openssl.restore.shelf import Shelf
from mtls_openssl.scripting import prompt
from tests.machine import PASSWORD, mtls, openssl, ran, snapshot

pytestmark = pytest.mark.end_to_end

LOG = "mtls-audit.jsonl"


@pytest.fixture(name="folder")
def folder_fixture(modern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(modern, tmp_path / "一套 证书"))


def renewed(folder: Path, *commands: str) -> Path:
    """The backup that these commands of ours leave."""
    for command in commands:
        mtls(command, "--profile", "modern", cwd=folder)
    return all_(folder)[0].path


def files(folder: Path) -> dict[str, bytes]:
    """What is in the folder itself."""
    return {
        name: content
        for name, content in snapshot(folder).items()
        if "/" not in name and name != LOG
    }


def told(folder: Path, *argv: str, exit_code: int = 0) -> Any:
    return json.loads(mtls("restore", *argv, "--json", cwd=folder, exit_code=exit_code).stdout)


def changes(answer: Mapping[str, Any]) -> dict[str, str]:
    return {file["file"]: file["change"] for file in answer["files"]}


def looked_at(folder: Path, when: datetime | None = None) -> Case:
    """What the newest backup would change, at a time."""
    door = Door()
    with at(folder, find(None, door), door=door, purpose="test") as desk:
        shelf = Shelf(desk, lambda _path: None)
        backup = chosen(folder, "latest")
        return examine(shelf, folder, backup, record.of(folder), when or datetime.now(UTC))


def serial(certificate: Path) -> str:
    printed = ran(
        openssl(), "x509", "-in", certificate.name, "-noout", "-serial", cwd=certificate.parent
    )
    return printed.stdout.strip().partition("=")[2]


def test_the_list_tells_of_each_backup_who_made_it_and_what_would_change(folder: Path) -> None:
    before = files(folder)
    renewed(folder, "server", "client")

    client, server = told(folder)["backups"]

    assert changes(server) == {"server.crt": "replaced", "server.key": "replaced"}
    assert set(changes(client)) == {"client.crt", "client.key", "client.p12"}
    assert changes(client)["client.p12"] == "returns"
    runs = [json.loads(line)["run"] for line in (folder / LOG).read_text("utf-8").splitlines()]
    assert {server["run"], client["run"]} <= set(runs)
    assert server["run"] != client["run"]
    assert server["published"] == ["server.crt", "server.key"]
    (old,) = [file for file in server["files"] if file["file"] == "server.crt"]
    (folder / "old.crt").write_bytes(before["server.crt"])
    assert old["certificate"]["serial"] == serial(folder / "old.crt")
    assert old["now"]["serial"] == serial(folder / "server.crt")


def test_a_backup_comes_back_to_the_byte_and_coming_back_can_be_undone(folder: Path) -> None:
    before = files(folder)
    backup = renewed(folder, "client")
    kept, between = snapshot(backup), files(folder)

    mtls("restore", "latest", "--yes", cwd=folder)
    assert files(folder) == before
    assert snapshot(backup) == kept
    mtls("verify", cwd=folder)

    mtls("restore", "latest", "--yes", cwd=folder)
    assert {name: files(folder)[name] for name in between} == between
    assert "unbroken" in mtls("audit", "verify", cwd=folder).stdout


def test_from_elsewhere_the_commands_to_type_next_name_the_folder(
    folder: Path, tmp_path: Path
) -> None:
    backup = renewed(folder, "ca")
    mtls("crl", cwd=folder)

    def typed(*words: str) -> str:
        return prompt.line("python", "-m", "mtls_openssl", *words, "--out", str(folder))

    found = mtls("restore", "--out", folder, cwd=tmp_path).stdout
    done = mtls("restore", backup.name, "--yes", "--out", folder, cwd=tmp_path).stdout

    assert f"To bring one back: {typed('restore', backup.name)}\n" in found
    assert f"anew: {typed('crl')}\n" in done
    assert f"To undo it: {typed('restore', all_(folder)[0].name)}\n" in done


def test_a_password_that_fits_stays_when_a_restore_is_undone(folder: Path) -> None:
    mtls("client", "add", "bob", cwd=folder, env={"MTLS_P12_PASSWORD": None})
    mtls("renew", "bob", cwd=folder, env={"MTLS_P12_PASSWORD": None})
    between = files(folder)

    for _time in range(2):
        mtls("restore", "latest", "--yes", cwd=folder)

    assert files(folder) == between


def test_a_password_of_another_bundle_goes_when_that_comes_back(folder: Path) -> None:
    mtls("client", "add", "bob", cwd=folder)
    mtls("renew", "bob", cwd=folder, env={"MTLS_P12_PASSWORD": None})
    assert (folder / "bob.p12.password").is_file()

    mtls("restore", "latest", "--yes", cwd=folder)

    assert not (folder / "bob.p12.password").exists()


def test_a_whole_set_comes_back_with_its_ca_and_the_new_ca_when_that_is_undone(
    folder: Path,
) -> None:
    before = files(folder)
    renewed(folder, "ca")
    new = files(folder)
    assert set(new) == {"ca.key", "ca.crt"}

    mtls("restore", "latest", "--yes", cwd=folder)
    assert files(folder) == before
    undone = mtls("restore", "latest", "--yes", cwd=folder).stdout

    assert "fits nothing that will be there" in undone
    assert files(folder) == new


@pytest.mark.posix  # A hundred processes; the same on Windows.
def test_a_set_with_an_intermediate_ca_comes_back_with_its_chains_and_its_register(
    tmp_path: Path,
) -> None:
    (tmp_path / "mtls.toml").write_text(
        'profile = "modern"\n[intermediate]\n[[server]]\nname = "api"\n[[client]]\nname = "alice"\n'
    )
    mtls("apply", cwd=tmp_path)
    mtls("crl", cwd=tmp_path)
    before = files(tmp_path)
    mtls("apply", "--replace", "intermediate", cwd=tmp_path)
    after = files(tmp_path)

    mtls("restore", "latest", "--yes", cwd=tmp_path)
    assert files(tmp_path) == before
    mtls("verify", cwd=tmp_path)

    mtls("restore", "latest", "--yes", cwd=tmp_path)
    assert files(tmp_path) == after
    mtls("verify", cwd=tmp_path)


def test_what_another_ca_issued_is_refused_with_the_way_out(folder: Path) -> None:
    renewed(folder, "server")
    old = all_(folder)[0].name
    renewed(folder, "ca", "server", "client")
    whole = next(one for one in all_(folder) if "ca.crt" in one.files)
    before = snapshot(folder)

    refused = told(folder, old, "--yes", exit_code=5)

    assert "server.crt: " in refused["error"]
    assert refused["fix"].endswith(f"restore {whole.name}")
    assert changes(refused)["server.crt"] == "replaced"
    after = snapshot(folder)
    assert {**after, LOG: b""} == {**before, LOG: b""}


def test_a_ca_alone_is_refused_where_others_still_need_the_one_that_is_there(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    mtls("ca", "--profile", "modern", cwd=other)
    backup = folder / "backup" / "2020-01-01T00-00-00Z"
    backup.mkdir(parents=True)
    for name in ("ca.key", "ca.crt"):
        shutil.move(other / name, backup / name)
    before = files(folder)

    refused = mtls("restore", "2020", "--yes", cwd=folder, exit_code=5).stderr

    assert "server.crt" in refused
    assert "client.crt" in refused
    assert "move client.crt, server.crt to another folder first" in refused
    assert files(folder) == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("server.key", "client.key", "its public key is not that of server.key"),
        ("server.crt", "torn", "damaged"),
    ],
)
def test_a_backup_that_was_tampered_with_is_refused(
    name: str, content: str, said: str, folder: Path
) -> None:
    backup = renewed(folder, "server")
    torn = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    new = torn if content == "torn" else (folder / content).read_text("ascii")
    (backup / name).write_text(new, encoding="ascii")

    assert said in mtls("restore", "latest", "--yes", cwd=folder, exit_code=5).stderr


def test_a_bundle_of_a_certificate_that_goes_goes_with_it(folder: Path) -> None:
    renewed(folder, "client")
    mtls("p12", "--profile", "modern", cwd=folder, env={"MTLS_P12_PASSWORD": "another one"})
    (folder / "backup" / all_(folder)[0].name / "client.p12").unlink()
    bundle = (folder / "client.p12").read_bytes()

    answer = told(folder, "latest", "--yes")

    assert changes(answer)["client.p12"] == "leaves"
    assert not (folder / "client.p12").exists()
    assert (Path(answer["backup"]) / "client.p12").read_bytes() == bundle


def test_a_bundle_that_was_packed_from_another_certificate_is_refused(folder: Path) -> None:
    backup = renewed(folder, "client")
    for name in ("client.crt", "client.key"):
        (backup / name).unlink()

    refused = mtls("restore", "latest", "--yes", cwd=folder, exit_code=5).stderr

    assert "client.p12: it was packed from another client.crt" in refused


def test_a_bundle_of_which_nothing_is_on_record_is_opened(folder: Path) -> None:
    backup = renewed(folder, "client")
    (folder / LOG).unlink()
    named = {"P12": PASSWORD}
    dry = ("restore", "latest", "--dry-run", "--json")

    closed = json.loads(mtls(*dry, cwd=folder).stdout)
    opened = json.loads(mtls(*dry, "--password-env", "P12", cwd=folder, env=named).stdout)

    assert any("client.p12 was not opened" in note for note in closed["notes"])
    assert opened["notes"] == []
    assert backup.name == opened["name"]
    assert {"client.p12"} <= {check["file"] for check in opened["checks"]}


def test_nothing_changes_without_a_yes_or_in_a_dry_run(folder: Path) -> None:
    renewed(folder, "server")
    before = files(folder)

    assert "--yes" in mtls("restore", "latest", cwd=folder, exit_code=2).stderr
    assert told(folder, "latest", "--dry-run")["restored"] is False

    assert files(folder) == before
    assert len(all_(folder)) == 1


def test_a_name_that_stands_for_no_backup_or_for_several_is_refused(folder: Path) -> None:
    assert "no backup" in mtls("restore", "latest", cwd=folder, exit_code=7).stderr
    renewed(folder, "server", "server")
    first = all_(folder)[1].name

    assert "No backup" in mtls("restore", "1999", cwd=folder, exit_code=2).stderr
    assert "Several" in mtls("restore", first[:4], cwd=folder, exit_code=2).stderr
    assert chosen(folder, first.replace("T", " ")).name == first


def test_what_changes_while_one_is_asked_is_not_overwritten(folder: Path) -> None:
    renewed(folder, "server")
    case = looked_at(folder)
    (folder / "server.key").write_text("mine")

    with pytest.raises(FolderUnavailableError, match="meanwhile"):
        bring_back(case)

    assert (folder / "server.key").read_text() == "mine"


def test_a_file_that_is_no_part_of_a_set_may_change_meanwhile(folder: Path) -> None:
    backup = renewed(folder, "server")
    (folder / "printed.txt").write_text("what our own command prints")
    case = looked_at(folder)
    (folder / "printed.txt").write_text("and more of it")

    bring_back(case)

    assert (folder / "server.crt").read_bytes() == (backup / "server.crt").read_bytes()


@pytest.mark.posix
def test_keys_stay_private_and_certificates_public(folder: Path) -> None:
    renewed(folder, "client")
    mtls("restore", "latest", "--yes", cwd=folder)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert [modes[name] for name in ("client.key", "client.p12", "client.crt")] == [
        0o600, 0o600, 0o644,
    ]  # fmt: skip


def test_a_key_with_a_password_is_known_by_the_log_and_else_told_of(folder: Path) -> None:
    backup = renewed(folder, "client")
    ran(
        openssl(), "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", "client.key", "-out",
        "locked.key", "-passout", "pass:secret", cwd=backup,
    )  # fmt: skip
    (backup / "locked.key").replace(backup / "client.key")

    unknown = told(folder, "latest", "--dry-run")
    assert any("client.key has a password" in note for note in unknown["notes"])

    known = mtls(
        "restore", "latest", "--yes", "--json", "--password-env", "K", cwd=folder,
        env={"K": "secret"},
    ).stdout  # fmt: skip
    assert not any("client.key" in note for note in json.loads(known)["notes"])


def test_a_link_in_a_backup_is_no_file_of_a_set(tmp_path: Path) -> None:
    backup = tmp_path / "backup" / "2026-01-02T03-04-05Z"
    backup.mkdir(parents=True)
    (backup / "ca.crt").write_text("x")
    (backup / ".hidden").write_text("x")
    (backup / "within").mkdir()
    if os.name == "posix":
        (backup / "link.crt").symlink_to(backup / "ca.crt")
    (tmp_path / "backup" / "mine").mkdir()

    (found,) = all_(tmp_path)

    assert found.files == ("ca.crt",)
    assert {".hidden", "within"} <= set(found.strange)
