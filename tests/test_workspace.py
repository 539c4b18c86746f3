"""The folder of a set on a good day: staged, moved into place whole, the set before it kept."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.workspace import Workspace

OLD = {"ca.key": b"old key", "ca.crt": b"old certificate", "ca.srl": b"old serial"}
NEW = {"ca.key": b"new key", "ca.crt": b"new certificate", "client.p12": b"new bundle"}
PRIVATE = ("ca.key", "client.p12")


def old_set(directory: Path) -> Path:
    directory.mkdir()
    for name, content in OLD.items():
        (directory / name).write_bytes(content)
    return directory


def stage_new_set(workspace: Workspace) -> None:
    for name, content in NEW.items():
        (workspace.stage / name).write_bytes(content)


def commit_new_set(workspace: Workspace) -> Path | None:
    return workspace.commit(publish=list(NEW), retire=["ca.srl"], private=PRIVATE)


def make_new_set(directory: Path) -> Path | None:
    with Workspace.open(directory, command="all") as workspace:
        stage_new_set(workspace)
        return commit_new_set(workspace)


def fail_half_way(directory: Path) -> None:
    with Workspace.open(directory, command="all") as workspace:
        stage_new_set(workspace)
        raise RuntimeError("openssl failed")


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below the folder, by its path in it; a folder is there with a slash."""
    return {
        path.relative_to(directory).as_posix() + "/" * path.is_dir(): (
            b"" if path.is_dir() else path.read_bytes()
        )
        for path in directory.rglob("*")
    }


def kept(backup: Path | None) -> dict[str, bytes]:
    """What a folder holds with the new set in place and the old one in its backup."""
    assert backup is not None
    return (
        NEW
        | {"backup/": b"", f"backup/{backup.name}/": b""}
        | {f"backup/{backup.name}/{name}": content for name, content in OLD.items()}
    )


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def is_private(path: Path) -> bool:
    if sys.platform == "win32":
        from mtls_openssl.workspace import acl

        return acl.is_private(path)
    return not mode(path) & 0o077


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_set_arrives_in_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    backup = make_new_set(tmp_path / "certs" / "first")

    assert backup is None
    assert contents(tmp_path / "certs" / "first") == NEW


def test_the_set_before_and_what_belonged_to_it_go_to_the_backup(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")

    backup = make_new_set(directory)

    assert contents(directory) == kept(backup)


def test_a_file_that_is_none_of_the_sets_stays_where_it_is(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")
    (directory / "notes.txt").write_bytes(b"mine")

    make_new_set(directory)

    assert (directory / "notes.txt").read_bytes() == b"mine"


def test_a_backup_is_named_by_the_time_in_utc_and_a_second_one_by_its_number(
    tmp_path: Path,
) -> None:
    directory = old_set(tmp_path / "certs")

    backups = [backup.name for backup in (make_new_set(directory) for _ in range(3)) if backup]

    assert len(set(backups)) == 3
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d)?", name) for name in backups), (
        backups
    )


def test_while_a_run_is_on_only_three_names_are_ours_and_afterwards_none(tmp_path: Path) -> None:
    with Workspace.open(tmp_path, command="all") as workspace:
        (workspace.stage / "ca.key").write_bytes(b"half a key")
        during = names(tmp_path)

    assert during == [".mtls.lock", ".mtls.stage"]
    assert names(tmp_path) == []


def test_a_run_that_fails_leaves_the_set_as_it_was(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")

    with pytest.raises(RuntimeError, match="openssl failed"):
        fail_half_way(directory)

    assert contents(directory) == OLD


def test_a_run_that_fails_takes_the_folders_that_it_made_with_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="openssl failed"):
        fail_half_way(tmp_path / "certs" / "first")

    assert names(tmp_path) == []


def test_a_folder_that_it_made_stays_when_the_log_is_in_it(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "certs", command="all") as workspace:
        (workspace.directory / "mtls-audit.jsonl").write_bytes(b"{}")

    assert contents(tmp_path / "certs") == {"mtls-audit.jsonl": b"{}"}


def test_an_empty_folder_of_the_users_own_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()

    with Workspace.open(tmp_path / "certs", command="all"):
        pass

    assert (tmp_path / "certs").is_dir()


def test_a_relative_folder_is_taken_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with Workspace.open(Path("certs"), command="all") as workspace:
        assert workspace.directory == tmp_path / "certs"


def test_what_is_brought_is_a_copy_that_may_be_spoilt(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")

    with Workspace.open(directory, command="server") as workspace:
        workspace.bring("ca.key", "ca.crt")
        assert (workspace.stage / "ca.key").read_bytes() == OLD["ca.key"]
        (workspace.stage / "ca.key").write_bytes(b"spoilt by a faulty openssl")

    assert contents(directory) == OLD


def test_a_file_that_is_to_be_brought_and_missing_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(FolderUnavailableError) as caught,
        Workspace.open(tmp_path, command="server") as workspace,
    ):
        workspace.bring("ca.key")

    assert "has no ca.key" in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../ca.key", "a/b", "a\\b", "C:x", ".mtls.lock", "backup", "Backup"]
)
def test_a_name_that_leads_elsewhere_or_is_ours_is_refused_untouched(
    tmp_path: Path, name: str
) -> None:
    directory = old_set(tmp_path / "certs")

    with (
        Workspace.open(directory, command="all") as workspace,
        pytest.raises(ValueError, match="not the name of a file of a set"),
    ):
        workspace.commit(publish=[], retire=[name], private=[])

    assert contents(directory) == OLD


def test_a_set_with_a_file_missing_from_the_stage_is_not_begun(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")

    with Workspace.open(directory, command="all") as workspace:
        stage_new_set(workspace)
        (workspace.stage / "client.p12").unlink()
        with pytest.raises(FolderUnavailableError):
            commit_new_set(workspace)

    assert contents(directory) == OLD


def test_a_good_run_has_nothing_to_tell_of_an_earlier_one(tmp_path: Path) -> None:
    make_new_set(tmp_path)

    with Workspace.open(tmp_path, command="all") as workspace:
        assert workspace.recovered == ""
        assert workspace.warnings == ()


@pytest.mark.posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_whatever_the_umask_keys_are_for_the_owner_and_certificates_for_everyone(
    tmp_path: Path, umask: int
) -> None:
    directory = old_set(tmp_path / "certs")
    before = os.umask(umask)
    try:
        with Workspace.open(directory, command="all") as workspace:
            workspace.bring("ca.srl")
            seen = {mode(workspace.stage), mode(workspace.stage / "ca.srl") | 0o100}
            stage_new_set(workspace)
            backup = commit_new_set(workspace)
    finally:
        os.umask(before)

    assert backup is not None
    assert seen == {0o700}
    assert {name: mode(directory / name) for name in NEW} == {
        "ca.key": 0o600,
        "ca.crt": 0o644,
        "client.p12": 0o600,
    }
    assert (mode(directory / "backup"), mode(backup)) == (0o700, 0o700)


@pytest.mark.windows
def test_on_windows_keys_have_an_acl_of_their_own_and_certificates_the_folders(
    tmp_path: Path,
) -> None:
    directory = old_set(tmp_path / "certs")
    with Workspace.open(directory, command="all") as workspace:
        assert is_private(workspace.stage)
        stage_new_set(workspace)
        backup = commit_new_set(workspace)

    assert backup is not None
    assert {name: is_private(directory / name) for name in NEW} == {
        "ca.key": True,
        "ca.crt": False,
        "client.p12": True,
    }
    assert (is_private(directory / "backup"), is_private(backup)) == (True, True)
    assert (directory / "ca.crt").read_bytes() == NEW["ca.crt"]


def test_importing_the_room_brings_in_nothing_slow() -> None:
    probe = "import sys, mtls_openssl.workspace; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"ctypes", "shutil", "tempfile", "socket", "plumbum", "pydantic"} & set(loaded)


def test_the_errors_of_this_room_exit_with_7() -> None:
    assert int(FolderUnavailableError("").code) == 7
