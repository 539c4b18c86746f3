"""`renew` of a fleet: whose certificate nears its end gets a new one, and nobody is lost."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mtls_openssl.audit import verify
from mtls_openssl.inventory import clients
from mtls_openssl.openssl import ca, extensions, x509
from mtls_openssl.openssl.x509 import Description
from tests.machine import stand_in
from tests.sets import PASSPHRASE, Set, made_fixture, program
from tests.test_issue import LAYERED, SET, assert_has_its_key, described
from tests.test_issue_cut_off import BATCH

pytestmark = pytest.mark.end_to_end
_used = made_fixture

NOTHING_TO_DO = 10
SHORT = ("issue", "--cn", "short-{}", "--key", "P-256", "--days", "20")
LONG = ("issue", "--cn", "long-{}", "--key", "P-256", "--days", "300")
SOON = ("renew", "--within", "30d")


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("fleet") / "set")
    original.describe(SET)
    original.must("apply")
    original.must(*SHORT, "-n", "3", "--p12", "windows2016")
    original.must(*LONG, "-n", "2")
    return original


@pytest.fixture(name="fleet")
def fleet_fixture(original: Set, made: Set) -> Set:
    """A set with three clients that end soon and two that do not, copied for each test."""
    return made.copy_of(original)


@pytest.fixture(name="renewed", scope="module")
def renewed_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """The same once the three that end soon are renewed; to be looked at."""
    renewed = Set(tmp_path_factory.mktemp("renewed") / "set").copy_of(original)
    said = renewed.must(*SOON).stdout
    assert "3 clients of the fleet renewed and proven" in said
    return renewed


def entries(made: Set) -> tuple[ca.Entry, ...]:
    return ca.parse((made.folder / "index.txt").read_text("utf-8"))


def all_described(made: Set) -> dict[str, Description]:
    return {one.name: one.described for one in clients.all_in(made.folder) if one.described}


def assert_all_agree(made: Set) -> None:
    """Each client has its own key, the register has them all once, and the log is whole."""
    serials = [entry.serial for entry in entries(made)]
    assert len(set(serials)) == len(serials)
    for name, one in all_described(made).items():
        assert_has_its_key(made.folder, name)
        assert ca.plain(one.serial) in serials
    faults = verify(made.folder / "mtls-audit.jsonl", folder=made.folder).faults
    assert [fault.what for fault in faults] == []
    assert [path.name for path in made.folder.glob(".mtls*")] == []


def test_who_ends_soon_is_renewed_with_the_same_key_and_nobody_else_is_touched(
    original: Set, renewed: Set
) -> None:
    before, now = all_described(original), all_described(renewed)

    assert {name for name, one in now.items() if one != before[name]} == {
        "short-1", "short-2", "short-3",
    }  # fmt: skip
    for name in ("short-1", "short-2", "short-3"):
        old, new = before[name], now[name]
        assert new.serial != old.serial
        assert new.not_before >= old.not_before
        assert (new.not_after - new.not_before).days == (old.not_after - old.not_before).days
        assert (new.subject, new.public_key) == (old.subject, old.public_key)
        assert new.extensions == old.extensions
    assert_all_agree(renewed)


def test_what_was_there_before_is_in_one_backup_and_in_the_register_still(
    original: Set, renewed: Set
) -> None:
    before = {one.name: one.path.read_bytes() for one in clients.all_in(original.folder)}
    known = {entry.serial for entry in entries(original)}
    backups = {path.name for path in (original.folder / "backup").iterdir()}

    (new,) = (one for one in (renewed.folder / "backup").iterdir() if one.name not in backups)
    assert sorted(path.name for path in new.iterdir()) == ["clients", "index.txt"]
    kept = {one.name: one.path.read_bytes() for one in clients.all_in(new)}
    assert kept == {name: old for name, old in before.items() if name.startswith("short")}
    assert (new / "clients/short-1/short-1.key").exists()
    assert known < {entry.serial for entry in entries(renewed)}


def test_a_second_run_has_nothing_to_do(fleet: Set) -> None:
    fleet.must("renew", "--within", "19d", "short-1")
    before = all_described(fleet)

    ran = fleet.run("renew", "--within", "3d")

    assert (ran.code, "Nothing to do" in ran.stdout) == (NOTHING_TO_DO, True)
    assert all_described(fleet) == before


def test_set_and_fleet_are_renewed_by_one_command(fleet: Set) -> None:
    before = fleet.certificate("server").serial

    said = fleet.must("renew", "--within", "9999d").stdout

    assert fleet.certificate("server").serial != before
    assert "5 clients of the fleet renewed" in said
    assert_all_agree(fleet)


def test_who_is_named_is_renewed_whatever_the_end_and_alone(fleet: Set) -> None:
    before, server = all_described(fleet), fleet.certificate("server").serial

    fleet.must("renew", "long-2")

    now = all_described(fleet)
    assert {name for name, one in now.items() if one != before[name]} == {"long-2"}
    assert fleet.certificate("server").serial == server
    assert_all_agree(fleet)


def test_one_of_the_set_and_one_of_the_fleet_can_be_named_together(fleet: Set) -> None:
    server, before = fleet.certificate("server").serial, all_described(fleet)

    fleet.must("renew", "server", "long-1")

    assert fleet.certificate("server").serial != server
    assert all_described(fleet)["long-1"] != before["long-1"]


def test_who_is_named_in_another_case_is_renewed_as_it_is_spelt(fleet: Set) -> None:
    before = all_described(fleet)

    fleet.must("renew", "LONG-2")

    now = all_described(fleet)
    assert {name for name, one in now.items() if one != before[name]} == {"long-2"}


def test_an_unknown_name_is_told_with_those_of_the_fleet_and_nothing_is_renewed(fleet: Set) -> None:
    before = all_described(fleet)

    ran = fleet.run("renew", "long-1", "zoe")

    assert (ran.code, "zoe" in ran.stderr, "short-1" in ran.stderr) == (7, True, True)
    assert all_described(fleet) == before


def test_a_new_key_is_made_where_it_is_asked_for_and_the_old_one_is_kept(fleet: Set) -> None:
    old = (fleet.folder / "clients/long-1/long-1.key").read_bytes()
    was = described(fleet, "long-1")

    fleet.must("renew", "long-1", "--rekey")

    assert described(fleet, "long-1").public_key != was.public_key
    assert [path.read_bytes() for path in (fleet.folder / "backup").rglob("long-1.key")] == [old]
    assert_all_agree(fleet)


def test_a_pkcs12_file_follows_with_its_password_and_for_its_reader(
    original: Set, renewed: Set
) -> None:
    passwords = (original.folder / "clients.passwords.csv").read_text("utf-8")

    assert (renewed.folder / "clients.passwords.csv").read_text("utf-8") == passwords
    for row in csv.DictReader(passwords.splitlines()):
        opened = subprocess.run(
            [program(), "pkcs12", "-in", f"clients/{row['name']}/{row['file']}", "-info",
             "-nokeys", "-passin", "env:WORD"],
            cwd=renewed.folder, check=True, capture_output=True, text=True,
            env={**os.environ, "WORD": row["password"], "OPENSSL_CONF": os.devnull},
        )  # fmt: skip
        certificate = renewed.folder / f"clients/{row['name']}/{row['name']}.crt"
        assert certificate.read_text("ascii").strip() in opened.stdout
        assert "pbeWithSHA1And3-KeyTripleDES-CBC" in opened.stderr + opened.stdout


def test_a_client_in_an_archive_stays_in_one_with_all_that_it_needs(fleet: Set) -> None:
    fleet.must(*SHORT, "-n", "1", "--start", "9", "--zip")
    archive = fleet.folder / "clients/short-9.zip"
    with zipfile.ZipFile(archive) as packed:
        key, old = packed.read("short-9.key"), packed.read("short-9.crt")

    fleet.must("renew", "short-9")

    with zipfile.ZipFile(archive) as packed:
        assert sorted(packed.namelist()) == ["ca.crt", "short-9.crt", "short-9.key"]
        assert packed.read("short-9.key") == key
        assert packed.read("short-9.crt") != old
    (kept,) = (fleet.folder / "backup").rglob("short-9.zip")
    with zipfile.ZipFile(kept) as packed:
        assert packed.read("short-9.crt") == old


def test_below_an_intermediate_authority_the_chain_follows(made: Set) -> None:
    word = {"MTLS_INTERMEDIATE_PASSPHRASE": PASSPHRASE}
    made.describe(LAYERED)
    made.must("apply", **word)
    made.must(*SHORT, "-n", "1", **word)

    made.must(*SOON, **word)

    place = made.folder / "clients/short-1"
    above = (made.folder / "intermediate.crt").read_text("ascii")
    assert (place / "short-1.chain.crt").read_text("ascii") == (
        (place / "short-1.crt").read_text("ascii") + above
    )
    assert_all_agree(made)


def test_each_stays_of_the_kind_that_it_was(fleet: Set) -> None:
    names = ("--dns", "a.example.com", "--ip", "192.0.2.1", "--uri", "spiffe://example.com/a")
    table = "name,dns,ip,uri,key\nrich,a.example.com,192.0.2.1,spiffe://example.com/a,RSA-2048\n"
    (fleet.folder / "clients.csv").write_text(f"{table}ed,,,,Ed25519\n", "utf-8")
    from_ = ("issue", "--from", str(fleet.folder / "clients.csv"))
    fleet.must(*from_, "--profile", "modern", "--days", "20")
    before = all_described(fleet)

    fleet.must(*SOON)

    now = all_described(fleet)
    assert names[1] in str(now["rich"].extensions[extensions.ALTERNATIVE_NAME])
    for name in ("rich", "ed", "short-1"):
        assert now[name].serial != before[name].serial
        assert now[name].extensions == before[name].extensions
        assert now[name].key == before[name].key
    critical = {name: now[name].extensions[extensions.KEY_USAGE].critical for name in now}
    assert (critical["rich"], critical["short-1"]) == (True, False)
    assert_all_agree(fleet)


def test_revoking_a_name_revokes_what_was_superseded_too(
    original: Set, renewed: Set, made: Set
) -> None:
    old, fleet = described(original, "short-1").serial, made.copy_of(renewed)
    new = described(fleet, "short-1").serial

    fleet.must("revoke", "short-1")

    revoked = {entry.serial for entry in entries(fleet) if entry.status is ca.Status.REVOKED}
    assert revoked == {ca.plain(old), ca.plain(new)}


def test_a_dry_run_names_who_would_be_renewed_and_changes_nothing(fleet: Set) -> None:
    before = all_described(fleet)

    said = fleet.must(*SOON, "--dry-run").stdout
    data = fleet.must(*SOON, "--dry-run", "--json").data

    assert (
        "3 clients of the fleet are renewed, with the same key: short-1, short-2, short-3" in said
    )
    assert data["fleet"] == {
        "due": ["short-1", "short-2", "short-3"], "renewed": 0, "backup": None, "notes": [],
    }  # fmt: skip
    assert all_described(fleet) == before


def test_a_program_is_told_who_was_renewed(fleet: Set) -> None:
    data = fleet.must(*SOON, "--json").data

    told = data["fleet"]
    assert isinstance(told, dict)
    assert (told["due"], told["renewed"]) == (["short-1", "short-2", "short-3"], 3)
    assert Path(told["backup"]).is_dir()


def test_without_the_key_of_the_authority_nobody_is_renewed(fleet: Set) -> None:
    (fleet.folder / "ca.key").unlink()
    before = all_described(fleet)

    ran = fleet.run("renew", "short-1")

    assert (ran.code, "ca.key is not in" in ran.stderr) == (7, True)
    assert all_described(fleet) == before


RENEWED = f"""
import sys
from mtls_openssl.fleet import issuing
issuing._BATCH = {BATCH}
from mtls_openssl.cli import app
app(prog_name="mtls", args=sys.argv[1:])
"""


@pytest.mark.posix
def test_killed_at_any_moment_and_run_again_each_is_renewed_and_nobody_is_lost(fleet: Set) -> None:
    fleet.must(*SHORT, "-n", "25", "--start", "10")
    before = all_described(fleet)
    command = [sys.executable, "-c", RENEWED, *SOON, "--out", str(fleet.folder)]
    chance = random.Random(7)
    for _time in range(4):
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run.wait(chance.uniform(0.5, 1.5))
        except subprocess.TimeoutExpired:
            run.kill()
        run.wait()
        assert all_described(fleet).keys() <= before.keys()

    fleet.must(*SOON)

    now = all_described(fleet)
    assert now.keys() == before.keys()
    assert all((now[name].serial == before[name].serial) == name.startswith("long") for name in now)
    kept = {one.described.serial for place in (fleet.folder / "backup").iterdir()
            for one in clients.all_in(place) if one.described}  # fmt: skip
    assert {before[name].serial for name in now if name.startswith("short")} <= kept
    assert_all_agree(fleet)


@pytest.mark.posix
@pytest.mark.parametrize(
    ("pattern", "script", "code"),
    [
        ("* req *short-2*", "echo broken >&2; exit 1", 4),
        ("* ca *", "exit 1", 4),
        ("* verify *clients*", "exit 0", 5),
    ],
)
def test_when_openssl_fails_everybody_has_what_they_had(
    fleet: Set, tmp_path: Path, pattern: str, script: str, code: int
) -> None:
    before = {one.name: one.path.read_bytes() for one in clients.all_in(fleet.folder)}

    ran = fleet.run(*SOON, "--openssl", str(stand_in(tmp_path, pattern, script)))

    assert (ran.code, "Traceback" in ran.stderr) == (code, False), ran.stderr
    assert {one.name: one.path.read_bytes() for one in clients.all_in(fleet.folder)} == before
    assert_all_agree(fleet)


def test_what_a_renewed_certificate_says_is_read_by_openssl(renewed: Set) -> None:
    said = x509.parse_text(renewed.openssl(*x509.inspect("clients/short-3/short-3.crt")))

    assert dict(said.subject)["CN"] == "short-3"
    assert said.extensions[extensions.EXTENDED_KEY_USAGE].values == (
        "TLS Web Client Authentication",
    )
