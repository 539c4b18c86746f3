"""`restore` of the clients of a fleet: each comes back whole, proven before, and can be undone."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.audit import verify
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inventory import clients
from mtls_openssl.restore import all_, bring_back
from mtls_openssl.workspace import commit
from tests.machine import snapshot
from tests.sets import PASSPHRASE, Set, made_fixture
from tests.test_issue import LAYERED, SET
from tests.test_restore import looked_at
from tests.test_restore_names import respell

pytestmark = pytest.mark.end_to_end
_used = made_fixture

NOT_PROVEN = 5


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("fleet") / "set")
    original.describe(SET)
    original.must("apply")
    pattern = ("issue", "--key", "P-256", "--days", "20", "--cn")
    original.must(*pattern, "short-{}", "-n", "2", "--p12", "windows2016")
    original.must(*pattern, "packed-{}", "-n", "1", "--zip")
    return original


@pytest.fixture(name="renewed", scope="module")
def renewed_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    renewed = Set(tmp_path_factory.mktemp("renewed") / "set").copy_of(original)
    renewed.must("renew", "short-1", "short-2", "packed-1")
    return renewed


@pytest.fixture(name="other", scope="module")
def other_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    """A fleet of another authority, in which somebody has the same name."""
    other = Set(tmp_path_factory.mktemp("other") / "set")
    other.describe(SET)
    other.must("apply")
    other.must("issue", "--cn", "short-{}", "-n", "1", "--key", "P-256")
    other.must("issue", "--cn", "strange-{}", "-n", "12", "--key", "P-256")
    return other


@pytest.fixture(name="fleet")
def fleet_fixture(renewed: Set, made: Set) -> Set:
    """Two clients in folders and one in an archive, all of them renewed; copied for each test."""
    return made.copy_of(renewed)


def of_clients(made: Set) -> dict[str, bytes]:
    """What is in each file of each client."""
    return {
        name: content
        for name, content in snapshot(made.folder).items()
        if name.startswith("clients/")
    }


def told(made: Set, *argv: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(made.must("restore", *argv, "--json").stdout)
    return answer


def changes(answer: dict[str, Any]) -> dict[str, str]:
    return {one["client"]: one["change"] for one in answer["clients"]}


def backup_of(made: Set) -> Path:
    """The folder of the clients in the newest backup."""
    return all_(made.folder)[0].path / "clients"


def test_clients_come_back_to_the_byte_and_coming_back_can_be_undone(
    original: Set, fleet: Set
) -> None:
    old, new = of_clients(original), of_clients(fleet)

    answer = told(fleet, "latest", "--yes")
    back = of_clients(fleet)
    fleet.must("restore", "latest", "--yes")

    assert changes(answer) == dict.fromkeys(("packed-1", "short-1", "short-2"), "replaced")
    assert (back, of_clients(fleet)) == (old, new)
    assert {name for name in old if old[name] == new[name]} == {
        "clients/short-1/short-1.key", "clients/short-2/short-2.key",
    }  # fmt: skip


def test_the_register_keeps_what_was_issued_and_the_log_agrees(fleet: Set) -> None:
    register = (fleet.folder / "index.txt").read_bytes()

    fleet.must("restore", "latest", "--yes")

    assert (fleet.folder / "index.txt").read_bytes() == register
    faults = verify(fleet.folder / "mtls-audit.jsonl", folder=fleet.folder).faults
    assert [fault.what for fault in faults] == []


def test_who_was_removed_returns_and_who_is_the_same_stays(fleet: Set) -> None:
    backup = backup_of(fleet)
    shutil.rmtree(fleet.folder / "clients/short-1")
    shutil.rmtree(fleet.folder / "clients/short-2")
    shutil.copytree(backup / "short-2", fleet.folder / "clients/short-2")

    answer = told(fleet, "latest", "--yes")

    assert changes(answer) == {
        "packed-1": "replaced", "short-1": "returns", "short-2": "same",
    }  # fmt: skip
    assert [path.name for path in backup_of(fleet).iterdir()] == ["packed-1.zip"]
    assert told(fleet, backup.parent.name)["restored"] is False


def test_a_client_that_is_an_archive_now_comes_back_as_a_folder(fleet: Set) -> None:
    place = fleet.folder / "clients/short-1"
    with zipfile.ZipFile(place.with_name("short-1.zip"), "w") as archive:
        for file in place.iterdir():
            archive.write(file, file.name)
    shutil.rmtree(place)

    fleet.must("restore", "latest", "--yes")

    assert [place.is_dir(), place.with_name("short-1.zip").exists()] == [True, False]
    assert (backup_of(fleet) / "short-1.zip").is_file()


def test_a_person_is_told_who_comes_back_and_nothing_changes_in_a_dry_run(fleet: Set) -> None:
    before = of_clients(fleet)

    listed = fleet.must("restore").stdout
    shown = fleet.must("restore", "latest", "--dry-run").stdout
    refused = fleet.run("restore", "latest")

    assert "clients of a fleet: packed-1, short-1, short-2" in listed
    assert "are replaced: packed-1, short-1, short-2" in shown
    assert "fits together, by 6 checks" in shown
    assert (refused.code, "--yes" in refused.stderr) == (2, True)
    assert of_clients(fleet) == before


def test_of_many_clients_a_few_are_named(fleet: Set) -> None:
    fleet.must("issue", "--cn", "many-{}", "-n", "7", "--key", "P-256")
    fleet.must("renew", *(f"many-{number}" for number in range(1, 8)))

    shown = fleet.must("restore", "latest", "--dry-run").stdout
    fleet.must("restore", "latest", "--yes")
    again = fleet.must("restore").stdout

    assert "are replaced: many-1, many-2, many-3, many-4, many-5 and 2 more" in shown
    assert "which put there clients/\n" in again


def strange_certificate(place: Path, other: Set) -> None:
    shutil.copy(other.folder / "clients/short-1/short-1.crt", place / "short-1.crt")
    shutil.copy(other.folder / "clients/short-1/short-1.key", place / "short-1.key")


def strange_key(place: Path, other: Set) -> None:
    shutil.copy(other.folder / "clients/short-1/short-1.key", place / "short-1.key")


def damaged_certificate(place: Path, other: Set) -> None:
    del other
    (place / "short-1.crt").write_text("garbage")


def damaged_key(place: Path, other: Set) -> None:
    del other
    (place / "short-1.key").write_text("garbage")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (strange_certificate, "clients/short-1: "),
        (strange_key, "its public key is not that of short-1.key"),
        (damaged_certificate, "clients/short-1: it can't be read"),
        (damaged_key, "short-1.key can't be read as a key"),
    ],
)
def test_a_client_that_does_not_fit_is_refused_and_nobody_comes_back(
    fleet: Set, other: Set, spoil: Any, words: str
) -> None:
    spoil(backup_of(fleet) / "short-1", other)
    before = of_clients(fleet)

    refused = fleet.run("restore", "latest", "--yes")

    assert (refused.code, words in refused.stderr) == (NOT_PROVEN, True)
    assert "have new ones issued" in refused.stderr
    assert of_clients(fleet) == before


def test_without_those_that_do_not_fit_the_others_come_back(
    original: Set, fleet: Set, tmp_path: Path
) -> None:
    place = backup_of(fleet) / "short-1"
    damaged_key(place, original)

    refused = fleet.run("restore", "latest", "--yes")
    place.rename(tmp_path / "aside")
    answer = told(fleet, "latest", "--yes")

    assert "move these clients out of the backup first" in refused.stderr
    assert changes(answer) == {"packed-1": "replaced", "short-2": "replaced"}


def test_of_many_that_another_ca_has_issued_openssl_is_asked_about_a_few(
    fleet: Set, other: Set
) -> None:
    for strange in (other.folder / "clients").glob("strange-*"):
        shutil.copytree(strange, backup_of(fleet) / strange.name)

    refused = fleet.run("restore", "latest", "--dry-run")

    assert refused.code == NOT_PROVEN
    assert refused.stderr.count("clients/strange-") == 10
    assert "and 2 more" in refused.stderr


def test_a_kind_of_key_that_does_not_tell_is_asked_for_by_openssl(fleet: Set) -> None:
    fleet.must("issue", "--cn", "ed-{}", "-n", "2", "--key", "Ed25519")
    fleet.must("renew", "ed-1", "ed-2")
    place = backup_of(fleet)

    good = told(fleet, "latest", "--dry-run")
    shutil.copy(place / "ed-2/ed-2.key", place / "ed-1/ed-1.key")
    refused = fleet.run("restore", "latest", "--yes")

    assert (good["notes"], len(good["checks"])) == ([], 4)
    assert (refused.code, "clients/ed-1" in refused.stderr) == (NOT_PROVEN, True)


def test_a_key_that_is_kept_elsewhere_is_not_missed_and_a_locked_one_is_told_of(
    fleet: Set,
) -> None:
    (backup_of(fleet) / "short-1/short-1.key").unlink()
    locked = backup_of(fleet) / "short-2/short-2.key"
    locked.write_text(locked.read_text("ascii").replace("PRIVATE", "ENCRYPTED PRIVATE"), "ascii")

    answer = told(fleet, "latest", "--yes")

    assert answer["restored"] is True
    assert [note for note in answer["notes"] if "short-" in note] == [
        "Whether they have the keys of their certificates is not known: short-2."
    ]


def test_with_an_intermediate_authority_the_whole_chain_is_proven(made: Set) -> None:
    word = {"MTLS_INTERMEDIATE_PASSPHRASE": PASSPHRASE}
    made.describe(LAYERED)
    made.must("apply", **word)
    made.must("issue", "--cn", "short-{}", "-n", "1", "--key", "P-256", **word)
    old = of_clients(made)
    made.must("renew", "short-1", **word)

    made.must("restore", "latest", "--yes")

    assert of_clients(made) == old
    assert "clients/short-1/short-1.chain.crt" in old


def test_who_was_revoked_stays_so(fleet: Set) -> None:
    revoked = fleet.run("revoke", "short-2")
    name = next(one.name for one in all_(fleet.folder) if "short-2" in one.clients)

    notes = told(fleet, name, "--dry-run")["notes"]

    assert revoked.code == 0
    assert [note for note in notes if "short-" in note] == [
        (
            "Revoked, and stay so, so that whoever knows the list of revoked certificates refuses"
            " them: short-2."
        )
    ]


def test_who_has_expired_is_told_of(fleet: Set) -> None:

    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=21)

    notes = [*looked_at(fleet.folder).notes, "then", *looked_at(fleet.folder, later).notes]

    assert [str(note) for note in notes] == [
        "then", "Expired, so that nobody accepts them any more: packed-1, short-1, short-2.",
    ]  # fmt: skip


def test_what_changes_while_one_is_asked_is_not_overwritten(fleet: Set) -> None:
    case = looked_at(fleet.folder)
    key = fleet.folder / "clients/short-1/short-1.key"
    key.write_text("mine")

    with pytest.raises(FolderUnavailableError, match="meanwhile"):
        bring_back(case)

    assert key.read_text() == "mine"


@pytest.mark.posix
def test_what_comes_back_is_private(fleet: Set) -> None:
    fleet.must("restore", "latest", "--yes")

    places = [fleet.folder / "clients" / name for name in ("short-1", "packed-1.zip")]
    files = [*places, *places[0].iterdir()]

    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_thousands_of_clients_fit_into_one_move(tmp_path: Path) -> None:
    (tmp_path / commit.STAGE).mkdir()
    names = tuple(f"clients/device-{number:05d}" for number in range(20000))
    journal = commit.Journal("2026-01-02T03-04-05Z", names, names, ())

    commit.write_journal(tmp_path, journal)

    assert commit.read_journal(tmp_path) == journal


def test_every_client_of_a_backup_is_found_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "backup/2026-01-02T03-04-05Z/clients"
    (place / "alice").mkdir(parents=True)
    (place / "bob.zip").write_bytes(b"")
    (place / ".hidden").mkdir()
    (place / "notes.txt").write_text("x")

    (found,) = all_(tmp_path)

    assert (found.clients, found.strange) == (("alice", "bob"), ())
    assert [clients.entry(found.path, name) for name in found.clients] == [
        "clients/alice", "clients/bob.zip",
    ]  # fmt: skip


def test_a_client_who_is_here_in_another_case_is_replaced(fleet: Set) -> None:
    backup = backup_of(fleet)
    for file in list((backup / "short-1").iterdir()):
        respell(file, file.name.replace("short", "SHORT"))
    respell(backup / "short-1", "SHORT-1")

    answer = told(fleet, "latest", "--yes")

    assert changes(answer)["SHORT-1"] == "replaced"
    assert clients.names(fleet.folder) == ["SHORT-1", "packed-1", "short-2"]


def test_who_is_replaced_under_another_case_is_not_left_behind(
    original: Set, other: Set, made: Set
) -> None:
    made.copy_of(other)
    backup = made.folder / "backup/2026-01-02T03-04-05Z"
    shutil.copytree(original.folder, backup, ignore=shutil.ignore_patterns("backup", "*.zip"))
    respell(backup / "clients/short-1", "SHORT-1")
    for file in list((backup / "clients/SHORT-1").iterdir()):
        respell(file, file.name.replace("short", "SHORT"))

    answer = told(made, backup.name, "--dry-run")

    assert changes(answer)["SHORT-1"] == "replaced"
    (left,) = [note for note in answer["notes"] if "of another authority then" in note]
    assert left.startswith("12 clients")
