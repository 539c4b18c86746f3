"""The doctor on the folder and the computer: permissions, what was left, and no openssl at all."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from mtls_openssl import doctor
from mtls_openssl.audit import LOG, read
from mtls_openssl.workspace.commit import JOURNAL, STAGE
from mtls_openssl.workspace.folder import LOCK
from mtls_openssl.workspace.lock import FolderLock
from tests import ailments
from tests.ailments import unaided
from tests.machine import mtls, snapshot

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def folder(modern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(modern, tmp_path / "a set"))


@dataclasses.dataclass(frozen=True)
class Treated:
    """A folder after `doctor --fix`.

    Args:
        folder: where it is.
        found: the code and the subject of all that was the matter, and whether it is safe to mend.
        said: what `doctor --fix` said.
    """

    folder: Path
    found: frozenset[tuple[str, str, bool]]
    said: str

    def mode(self, name: str) -> int:
        """The permissions of a file."""
        return stat.S_IMODE((self.folder / name).stat().st_mode)


KEPT = "backup/2026-01-01T00-00-00Z"


@pytest.fixture(scope="module")
def treated(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Treated:
    """A set of which everything is the matter that `--fix` mends, but for a move that was cut off.

    It is found and mended without openssl, which would only be asked about the rest.
    """
    folder = Path(shutil.copytree(modern, tmp_path_factory.mktemp("treated") / "a set"))
    (folder / KEPT).mkdir(parents=True)
    shutil.copy(folder / "ca.key", folder / KEPT)
    (folder / STAGE).mkdir(mode=0o700)
    (folder / STAGE / "ca.key").write_text("a secret")
    for name in ("ca.key", "server.key", "client.p12", f"{KEPT}/ca.key"):
        (folder / name).chmod(0o644)
    (folder / "client.key").chmod(0o640)
    (folder / "backup").chmod(0o755)
    folder.chmod(0o777)
    found = frozenset((one.code, one.subject, one.safe) for one in unaided(folder))
    fix = ("doctor", "--fix", "--openssl", folder.parent / "no openssl")
    return Treated(folder, found, mtls(*fix, cwd=folder, exit_code=5).stdout)


@pytest.mark.posix
@pytest.mark.parametrize("name", ["ca.key", "server.key", "client.p12", f"{KEPT}/ca.key"])
def test_a_secret_that_others_may_read_is_named_and_closed(name: str, treated: Treated) -> None:
    assert ("key-open", name, True) in treated.found
    assert f"Mended: {name}: its owner alone may read it now." in treated.said
    assert treated.mode(name) == 0o600


@pytest.mark.posix
def test_a_key_for_a_group_is_worth_a_note_and_left_as_it_is(treated: Treated) -> None:
    assert "note: The group of client.key may read it." in treated.said
    assert treated.mode("client.key") == 0o640


@pytest.mark.posix
def test_a_folder_that_everyone_may_write_in_is_named_and_closed(treated: Treated) -> None:
    assert ("folder-open", str(treated.folder), True) in treated.found
    assert treated.mode(".") == 0o775


@pytest.mark.posix
def test_nothing_is_the_matter_once_all_is_mended(treated: Treated) -> None:
    left = [line for line in treated.said.splitlines() if line.startswith(("error", "warning"))]
    assert len(left) == 1
    assert "no openssl" in left[0]


def test_what_a_run_left_behind_is_removed(treated: Treated) -> None:
    assert "left-behind" in {code for code, _subject, _safe in treated.found}
    assert not (treated.folder / STAGE).exists()


@pytest.mark.windows
def test_a_secret_that_others_may_read_gets_an_acl_of_its_own_on_windows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = {path for path in folder.iterdir() if path.name != "server.key"}

    def close(path: Path) -> bool:
        closed.add(path)
        return True

    monkeypatch.setattr(doctor.folder, "is_private", lambda path: path in closed)
    monkeypatch.setattr(doctor.treatment, "make_private", close)
    found = [one for one in unaided(folder) if one.code == "key-open"]
    assert [one.subject for one in found] == ["server.key"]
    assert doctor.treat(folder, found) == ("server.key: its owner alone may read it now.",)
    assert folder / "server.key" in closed


def test_a_move_that_was_cut_off_is_finished_and_put_on_record(
    folder: Path, tmp_path: Path
) -> None:
    ailments.journal(folder)
    first = unaided(folder)[0]
    assert (first.code, first.subject, first.safe) == ("unfinished", JOURNAL, True)
    mtls("doctor", "--fix", "--openssl", tmp_path / "no openssl", cwd=folder, exit_code=5)
    assert (folder / "server.crt").is_file()
    assert not (folder / STAGE).exists()
    purposes = [line.purpose for line in read(folder / LOG)]
    assert any(purpose.startswith("done: doctor --fix: ") for purpose in purposes)


def test_who_is_at_work_in_the_folder_is_not_disturbed_by_a_fix(
    folder: Path, tmp_path: Path
) -> None:
    (folder / STAGE).mkdir(mode=0o700)
    none = tmp_path / "no openssl"
    lock = FolderLock(folder / LOCK, "all")
    lock.acquire()
    try:
        refused = mtls("doctor", "--fix", "--openssl", none, cwd=folder, exit_code=7)
    finally:
        lock.release()
    assert "is in use by" in refused.stderr


def test_without_an_openssl_that_is_named_first_and_the_files_are_looked_at_all_the_same(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "server.crt").write_bytes(b"")
    none = tmp_path / "no openssl"
    refused = mtls("doctor", "--json", "--openssl", none, cwd=folder, exit_code=5)
    found = json.loads(refused.stdout)["findings"]
    assert [one["code"] for one in found[:2]] == ["openssl-missing", "damaged"]
    assert "--openssl" in found[0]["mend"]


def test_a_configuration_that_breaks_commands_typed_by_hand_is_worth_a_note(
    folder: Path, tmp_path: Path
) -> None:
    named = {"OPENSSL_CONF": str(tmp_path / "none.cnf")}
    noted = json.loads(mtls("doctor", "--json", cwd=folder, env=named, exit_code=None).stdout)
    (one,) = [one for one in noted["findings"] if one["code"] == "openssl-config"]
    assert (one["severity"], "OPENSSL_CONF" in one["mend"]) == ("note", True)


def test_a_configuration_that_works_is_no_finding(folder: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.cnf"
    good.write_text("[req]\ndistinguished_name = dn\n[dn]\n")
    told = mtls("doctor", "--json", cwd=folder, env={"OPENSSL_CONF": str(good)}, exit_code=None)
    assert "openssl-config" not in {one["code"] for one in json.loads(told.stdout)["findings"]}


def test_a_folder_that_can_not_be_written_is_examined_and_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    assert [one.code for one in unaided(folder) if one.code == "folder-read-only"]
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--out", "nowhere"), 7, "There is no folder nowhere."),
        (("--for", "windows95"), 2, "windows95 is nobody"),
        (("--p12-password-env", "NOT_SET"), 6, "NOT_SET, which is not set"),
        (("--domain", "bad name"), 2, "--domain 'bad name'"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_words(
    options: tuple[str, ...], code: int, said: str, folder: Path
) -> None:
    refused = mtls("doctor", *options, cwd=folder, exit_code=code)
    assert said in refused.stderr


def test_an_empty_folder_is_told_how_to_begin(tmp_path: Path) -> None:
    told = mtls("doctor", cwd=tmp_path, exit_code=5)
    assert told.stdout.startswith("error: There is no set in ")
    assert "To mend it: python -m mtls_openssl all\n" in told.stdout
    assert snapshot(tmp_path) == {}


def test_every_finding_says_what_why_and_what_mends_it(folder: Path) -> None:
    (folder / "server.key").write_bytes((folder / "client.key").read_bytes())
    told = mtls("doctor", cwd=folder, exit_code=5).stdout.splitlines()
    assert told[0] == "error: server.key is the key of client.crt, and not of server.crt."
    assert told[1].startswith("  Why it matters: ")
    assert told[2].startswith("  To mend it: python -m mtls_openssl server")


@pytest.mark.posix
def test_quiet_shows_errors_only(folder: Path) -> None:
    assert mtls("doctor", "-q", cwd=folder).stdout == ""
    (folder / "server.key").unlink()
    told = mtls("doctor", "-q", cwd=folder, exit_code=5).stdout
    assert told.startswith("error: server.key is not there.")
    assert "examinations" not in told
