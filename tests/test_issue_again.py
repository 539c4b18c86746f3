"""Whoever of a fleet is there already: left as they are, named, or issued again where asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtls_openssl.audit import verify
from mtls_openssl.inventory import clients
from mtls_openssl.openssl import ca
from tests.sets import Set, made_fixture
from tests.test_issue import (
    NUMBERED,
    SET,
    assert_all_agree,
    described,
    fleet_fixture,
    original_fixture,
    table,
)

pytestmark = pytest.mark.end_to_end
_used = (made_fixture, fleet_fixture, original_fixture)


@pytest.fixture(name="pair", scope="module")
def pair_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    pair = Set(tmp_path_factory.mktemp("pair") / "set").copy_of(original)
    pair.must(*NUMBERED, "-n", "2")
    return pair


@pytest.fixture(name="two")
def two_fixture(pair: Set, made: Set) -> Set:
    """The same with two clients, device-001 and device-002."""
    return made.copy_of(pair)


def test_whoever_is_there_stays_and_whoever_is_wanted_otherwise_is_named(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "3")
    before = (fleet.folder / "clients/device-002/device-002.crt").read_bytes()

    said = fleet.must(*table(fleet, "name,cn\ndevice-002,Other\ndevice-004,\n"), "--key", "P-256")
    again = fleet.must(*NUMBERED, "-n", "3").stdout

    assert "1 of them was there already, and stays as it is" in said.stdout
    assert "not as it is asked for now: device-002" in said.stdout
    assert (fleet.folder / "clients/device-002/device-002.crt").read_bytes() == before
    assert again.startswith("Nothing to do: all 3 are there.")
    assert_all_agree(fleet, 4)


def test_whoever_is_wanted_otherwise_is_issued_again_where_that_is_asked_for(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "3", "--p12", "windows2016")
    before = {name: described(fleet, name) for name in clients.names(fleet.folder)}
    passwords = (fleet.folder / "clients.passwords.csv").read_text("utf-8")
    asked = table(
        fleet,
        "name,dns,key\ndevice-001,,P-256\ndevice-002,a.example.com,P-256\n"
        "device-003,,P-384\ndevice-004,,P-256\n",
    )

    shown = fleet.must(*asked, "--reissue", "--dry-run").stdout
    said = fleet.must(*asked, "--reissue").stdout

    now = {name: described(fleet, name) for name in clients.names(fleet.folder)}
    assert "2 of them were there, and were not as they are asked for" in shown
    assert "3 clients issued and proven" in said
    assert now["device-001"] == before["device-001"]
    assert now["device-002"].extensions["X509v3 Subject Alternative Name"].values == (
        "DNS:a.example.com",
    )
    assert now["device-002"].public_key == before["device-002"].public_key
    assert now["device-003"].key != before["device-003"].key
    assert (fleet.folder / "clients/device-002/device-002.p12").exists()
    assert (fleet.folder / "clients.passwords.csv").read_text("utf-8") == passwords
    assert_all_agree(fleet, 4)
    assert fleet.must(*asked, "--reissue").stdout.startswith("Nothing to do: all 4 are there.")


def test_whoever_was_revoked_and_is_issued_again_gets_a_new_key(two: Set) -> None:
    before = described(two, "device-001")
    two.must("revoke", "device-001", "--no-crl")

    two.must(*NUMBERED, "-n", "1", "--days", "33", "--reissue")

    assert described(two, "device-001").public_key != before.public_key


def test_who_is_revoked_is_named_and_gets_a_new_key_where_that_is_asked_for(two: Set) -> None:
    before = described(two, "device-001")
    two.must("revoke", "device-001", "--no-crl")

    left = two.must(*NUMBERED, "-n", "2").stdout
    same = described(two, "device-001")
    shown = two.must(*NUMBERED, "-n", "2", "--reissue", "--dry-run", "--json").data
    two.must(*NUMBERED, "-n", "2", "--reissue")

    assert "revoked, and left as it is: device-001; --reissue" in left
    assert same == before
    assert (shown["there"], shown["again"]) == (1, 1)
    assert described(two, "device-001").public_key != before.public_key
    assert two.must(*NUMBERED, "-n", "2").stdout.startswith("Nothing to do: all 2 are there.\n")


def test_a_dry_run_tells_who_would_be_left_as_the_run_does(two: Set) -> None:
    two.must("revoke", "device-001", "--no-crl")
    asked = table(two, "name,cn\ndevice-001,\ndevice-002,Other\n")

    shown = two.must(*asked, "--key", "P-256", "--dry-run").stdout
    data = two.must(*asked, "--key", "P-256", "--dry-run", "--json").data
    said = two.must(*asked, "--key", "P-256").stdout

    # Only the run asks which openssl it is, and 1.1.1 is out of support.
    notes = [
        line for line in said.splitlines() if line.startswith("Note: ") and "support" not in line
    ]
    assert [line for line in shown.splitlines() if line.startswith("Note: ")] == notes
    assert len(notes) == 2
    assert (data["revoked"], data["others"]) == (["device-001"], 1)


def test_a_dry_run_tells_who_cannot_be_read_unless_they_are_issued_again(two: Set) -> None:
    (two.folder / "clients/device-002/device-002.crt").write_text("junk")

    shown = two.must(*NUMBERED, "-n", "2", "--dry-run").stdout
    again = two.must(*NUMBERED, "-n", "2", "--dry-run", "--reissue").stdout

    assert "Another authority has issued these, or they can't be read: device-002" in shown
    assert "Another authority" not in again


def test_a_pkcs12_file_that_is_asked_for_later_is_named_and_packed_where_asked(two: Set) -> None:
    before = described(two, "device-001")

    named = two.must(*NUMBERED, "-n", "2", "--p12", "default").stdout
    two.must(*NUMBERED, "-n", "2", "--p12", "default", "--reissue")

    assert "not as they are asked for now: device-001, device-002" in named
    for name in clients.names(two.folder):
        assert f"{name}.p12" in clients.files(two.folder, name)
    assert described(two, "device-001").public_key == before.public_key
    assert (two.folder / "clients.passwords.csv").read_text("utf-8").count("device-00") == 4
    for options in ((), ("--p12", "default")):
        said = two.must(*NUMBERED, "-n", "2", *options, "--reissue").stdout
        assert said.startswith("Nothing to do: all 2 are there.\n")
    assert_all_agree(two, 2)


def test_a_further_pkcs12_file_leaves_the_first_where_it_is(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "1", "--p12", "default")

    fleet.must(*NUMBERED, "-n", "1", "--p12", "default", "--p12", "java8", "--reissue")
    fleet.must(*NUMBERED, "-n", "1", "--days", "44", "--p12", "default", "--reissue")

    packed = {file for file in clients.files(fleet.folder, "device-001") if file.endswith(".p12")}
    assert packed == {"device-001.p12", "device-001.java8.p12"}


def test_an_archive_that_is_asked_for_later_takes_the_place_of_the_folder(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "1")
    before = described(fleet, "device-001")

    named = fleet.must(*NUMBERED, "-n", "1", "--zip").stdout
    said = fleet.must(*NUMBERED, "-n", "1", "--zip", "--reissue").stdout

    assert "not as it is asked for now: device-001" in named
    assert "1 client issued and proven" in said
    assert [path.name for path in (fleet.folder / "clients").iterdir()] == ["device-001.zip"]
    assert [path.name for path in fleet.folder.glob("backup/*/clients/*")] == ["device-001"]
    now = clients.one(fleet.folder, "device-001").described
    assert now is not None
    assert now.public_key == before.public_key
    log = fleet.folder / "mtls-audit.jsonl"
    assert verify(log, folder=fleet.folder).faults == ()
    for options in ((), ("--zip",)):
        again = fleet.must(*NUMBERED, "-n", "1", *options, "--reissue").stdout
        assert again.startswith("Nothing to do: 1 is there.\n")


def test_a_client_that_is_in_no_register_is_entered_as_openssl_would(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "4")
    index = fleet.folder / "index.txt"
    whole = index.read_text("utf-8")
    index.write_text("".join(whole.splitlines(keepends=True)[:-2]), "utf-8", newline="\n")

    said = fleet.must(*NUMBERED, "-n", "4").stdout

    assert "2 were in no register, and were entered" in said
    assert sorted(index.read_text("utf-8").splitlines()) == sorted(whole.splitlines())


def test_a_certificate_of_another_authority_is_not_entered(fleet: Set, tmp_path: Path) -> None:
    other = Set(tmp_path / "other")
    other.describe(SET)
    other.must("apply")
    other.must(*NUMBERED, "-n", "1")
    fleet.must(*NUMBERED, "-n", "2", "--start", "2")
    (other.folder / "clients/device-001").rename(fleet.folder / "clients/device-001")

    shown = fleet.must(*NUMBERED, "-n", "3", "--dry-run").stdout
    said = fleet.must(*NUMBERED, "-n", "3").stdout

    assert "Another authority has issued these, or they can't be read: device-001" in said
    assert "Another authority has issued these, or they can't be read: device-001" in shown
    assert len(ca.parse((fleet.folder / "index.txt").read_text("utf-8"))) == 3


def test_a_new_ca_does_not_make_a_fleet_worthless(two: Set) -> None:
    (two.folder / "mtls.toml").unlink()

    ran = two.run("ca")

    assert (ran.code, "clients/device-001" in ran.stderr) == (2, True), ran.stderr
    assert_all_agree(two, 2)
