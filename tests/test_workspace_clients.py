"""Clients of a fleet put in place, or replaced: each is there whole, whenever the run is killed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.workspace import Workspace
from tests.test_workspace import old_set
from tests.test_workspace_cut_off import cut_off, open_again, where_the_disk_changes, without_sync

CLIENTS = {"a/a.key": b"a key", "a/a.crt": b"a certificate", "b/b.key": b"a key", "c.zip": b"c"}


def fill_clients(directory: Path) -> None:
    """Put three clients in place, by two commits, the second with a register beside them."""
    with Workspace.open(directory, command="issue") as workspace:
        for number, names in enumerate((("a",), ("b", "c.zip"))):
            for name, content in CLIENTS.items():
                if name.startswith(names):
                    file = workspace.stage / "clients" / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)
            (workspace.stage / "index.txt").write_bytes(b"new")
            register = ("index.txt",) * number
            workspace.commit(
                publish=(*(f"clients/{name}" for name in names), *register), retire=(),
                private=(), last=bool(number),
            )  # fmt: skip


def clients_in(directory: Path) -> dict[str, set[str]]:
    """What is in each client's folder."""
    return {
        path.name: {file.name for file in path.iterdir()} if path.is_dir() else set()
        for path in (directory / "clients").glob("*")
    }


@pytest.mark.posix
def test_killed_while_clients_are_put_in_place_each_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_sync(monkeypatch)
    whole = {"a": {"a.key", "a.crt"}, "b": {"b.key"}, "c.zip": set[str]()}
    states = [set[str](), {"a"}, {"a", "b", "c.zip"}]

    for number in where_the_disk_changes(fill_clients, old_set, tmp_path):
        directory = old_set(tmp_path / str(number))
        cut_off(fill_clients, directory, at=number)
        open_again(directory)
        found = clients_in(directory)
        assert set(found) in states
        assert all(files == whole[name] for name, files in found.items())
        assert (directory / "index.txt").exists() == (len(found) == 3)
        assert {path.name for path in directory.glob(".mtls*")} == set()
        shutil.rmtree(directory)


def filled(directory: Path) -> Path:
    """A folder with the three clients in it."""
    old_set(directory)
    for name, content in CLIENTS.items():
        file = directory / "clients" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return directory


def renew_clients(directory: Path) -> None:
    """Put new clients in the place of two, by two commits, the second with a register."""
    with Workspace.open(directory, command="renew") as workspace:
        for number, name in enumerate(("a/a.crt", "c.zip")):
            file = workspace.stage / "clients" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"new")
            (workspace.stage / "index.txt").write_bytes(b"new")
            client = f"clients/{name.partition('/')[0]}"
            workspace.commit(
                publish=(client, *("index.txt",) * number), retire=(client,), private=(),
                last=bool(number),
            )  # fmt: skip


@pytest.mark.posix
def test_killed_while_clients_are_replaced_each_is_the_old_or_the_new_and_the_old_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_sync(monkeypatch)
    states = []

    for number in where_the_disk_changes(renew_clients, filled, tmp_path):
        directory = filled(tmp_path / str(number))
        cut_off(renew_clients, directory, at=number)
        open_again(directory)
        now = {name: file.read_bytes() for name in ("a/a.crt", "b/b.key", "c.zip")
               if (file := directory / "clients" / name).exists()}  # fmt: skip
        kept_ = {file.relative_to(place).as_posix(): file.read_bytes()
                 for place in (directory / "backup").glob("*/clients")
                 for file in place.rglob("*") if file.is_file()}  # fmt: skip
        assert set(now) == {"a/a.crt", "b/b.key", "c.zip"}
        assert ("a/a.key" in kept_) == (now["a/a.crt"] == b"new")
        assert all(kept_.get(name, now[name]) == CLIENTS[name] for name in now)
        assert len(list((directory / "backup").glob("*"))) <= 1
        assert {path.name for path in directory.glob(".mtls*")} == set()
        states.append(tuple(content == b"new" for content in now.values()))
        shutil.rmtree(directory)
    assert set(states) == {
        (False, False, False), (True, False, False), (True, False, True),
    }  # fmt: skip


def test_what_a_run_replaces_goes_to_one_backup(tmp_path: Path) -> None:
    directory = filled(tmp_path / "certs")

    renew_clients(directory)

    (backup,) = (directory / "backup").iterdir()
    assert sorted(path.name for path in (backup / "clients").iterdir()) == ["a", "c.zip"]


def test_what_can_not_be_put_in_place_leaves_the_clients_that_were_there(tmp_path: Path) -> None:
    directory = filled(tmp_path / "certs")
    with Workspace.open(directory, command="renew") as workspace:
        file = workspace.stage / "clients" / "a" / "a.crt"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"new")
        with pytest.raises(FolderUnavailableError):
            workspace.commit(
                publish=("clients/a", "gone"), retire=("clients/a", "clients/b"), private=()
            )

    assert clients_in(directory) == {"a": {"a.key", "a.crt"}, "b": {"b.key"}, "c.zip": set()}
    assert not (directory / "backup").exists()


def test_a_client_that_is_there_already_is_not_replaced(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")
    (directory / "clients" / "b").mkdir(parents=True)
    (directory / "clients" / "b" / "mine").write_bytes(b"mine")

    with pytest.raises(FolderUnavailableError, match="in the way"):
        fill_clients(directory)

    assert clients_in(directory) == {"a": {"a.key", "a.crt"}, "b": {"mine"}}
    assert not (directory / "index.txt").exists()


@pytest.mark.posix
def test_clients_do_not_go_where_a_link_leads(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")
    (tmp_path / "elsewhere").mkdir()
    (directory / "clients").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FolderUnavailableError, match="has to be a folder"):
        fill_clients(directory)

    assert list((tmp_path / "elsewhere").iterdir()) == []
