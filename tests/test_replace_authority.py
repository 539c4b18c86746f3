"""An authority that is replaced: whom it would put out of reach, and who is of another then."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.ailments import codes, findings
from tests.requests import request
from tests.sets import PASSWORD, Set, made_fixture
from tests.test_renew_authority import (
    FLEET,
    SMALL,
    fleet_fixture,
    issued_fixture,
    layered_fixture,
    limited,
    original_fixture,
    prescribed,
    what_is_said,
)

__all__ = ["fleet_fixture", "issued_fixture", "layered_fixture", "made_fixture", "original_fixture"]
pytestmark = pytest.mark.end_to_end


@pytest.fixture(name="signed", scope="module")
def signed_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """As the original, with a certificate for a request of somebody else."""
    signed = Set(tmp_path_factory.mktemp("signed") / "set").copy_of(original)
    theirs = request(tmp_path_factory.mktemp("theirs") / "host", "bob")
    signed.must("sign", str(theirs), "--client", "--days", "40", "--yes")
    return signed


@pytest.mark.parametrize(
    "what", ["a fleet", "somebody who is revoked", "somebody with a key elsewhere"]
)
def test_it_is_not_replaced_where_that_would_put_others_out_of_reach(
    what: str, layered: Set, issued: Set, signed: Set
) -> None:
    if what == "a fleet":
        layered.copy_of(issued)
    elif what == "somebody with a key elsewhere":
        layered.copy_of(signed)
    else:
        layered.must("revoke", "alice")
    before = layered.files()

    ran = layered.run("apply", "--replace", "intermediate")

    assert (ran.code, "renew intermediate" in ran.stderr) == (2, True)
    assert layered.files() == before


def test_whoever_has_a_key_elsewhere_is_named_where_a_new_authority_is_refused(
    signed: Set,
) -> None:
    assert "(not in mtls.toml: bob)" in signed.run("apply", "--replace", "intermediate").stderr


def test_another_name_of_the_authority_is_no_reason_to_replace_it_where_others_need_it(
    made: Set, signed: Set
) -> None:
    made.copy_of(signed).describe(limited('cn = "Another"'))
    assert prescribed(what_is_said(made, "apply")) == {"apply --replace ca"}


def test_whoever_has_a_key_elsewhere_is_named_where_the_root_is_replaced(signed: Set) -> None:
    told = signed.must("apply", "--replace", "ca", "--dry-run").stdout
    assert "which nobody will trust any more: bob; sign another request" in told


def test_what_is_described_no_more_and_has_its_key_here_keeps_no_authority(
    made: Set, original: Set
) -> None:
    made.copy_of(original).describe(SMALL.partition("[[client]]")[0])
    assert "intermediate" in made.actions("apply", "--replace", "intermediate")


def test_a_copy_of_what_is_made_again_keeps_no_authority(made: Set, original: Set) -> None:
    made.copy_of(original)
    shutil.copy(made.folder / "alice.crt", made.folder / "alice-too.crt")
    assert "intermediate" in made.actions("apply", "--replace", "intermediate")


def test_the_list_of_the_root_stays_where_only_the_intermediate_is_replaced(layered: Set) -> None:
    layered.must("crl")
    root_list = layered.folder / "ca.crl.pem"
    was = root_list.read_bytes()

    told = layered.must("apply", "--replace", "intermediate", MTLS_P12_PASSWORD=PASSWORD).stdout

    assert root_list.read_bytes() == was
    assert not (layered.folder / "crl.pem").exists()
    assert "a server that reads crl.pem needs another: python -m mtls_openssl crl" in told


def test_with_the_root_all_below_it_is_made_anew(layered: Set) -> None:
    was = {name: layered.certificate(name).public_key for name in ("ca", "intermediate", "www")}

    layered.must("apply", "--replace", "ca", MTLS_P12_PASSWORD=PASSWORD)

    for name, key in was.items():
        assert layered.certificate(name).public_key != key
    layered.must("verify")


def test_a_fleet_of_the_root_before_is_named(fleet: Set) -> None:
    told = fleet.must("apply", "--replace", "ca", "--dry-run").stdout

    assert "2 clients of the fleet are of the CA before" in told


@pytest.fixture(name="orphaned", scope="module")
def orphaned_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """A set whose root was replaced, with two clients of the one before, and one of its own."""
    orphaned = Set(tmp_path_factory.mktemp("orphaned") / "set").copy_of(original)
    fleet = ("issue", "--key", "P-256", "--days", "40", "-n", "1")
    orphaned.must(*fleet, "--cn", "device-{}", "--p12", "default")
    orphaned.must(*fleet, "--cn", "packed-{}", "--zip")
    orphaned.must("apply", "--replace", "ca", MTLS_P12_PASSWORD=PASSWORD)
    orphaned.must(*fleet, "--cn", "late-{}")
    return orphaned


@pytest.fixture(name="standing", scope="module")
def standing_fixture(orphaned: Set) -> dict[str, dict[str, Any]]:
    """What status says of each certificate of that set, for a program."""
    answer: dict[str, Any] = orphaned.run("status", "--json").data
    return {one["common_name"]: one for one in answer["places"][0]["certificates"]}


@pytest.mark.parametrize(
    ("name", "state", "severity"),
    [
        ("device-1", "of another authority", "over"),
        ("packed-1", "of another authority", "over"),
        ("late-1", "fine", "fine"),
        ("alice", "fine", "fine"),
    ],
)
def test_status_says_in_data_whom_another_authority_has_issued(
    standing: dict[str, dict[str, Any]], name: str, state: str, severity: str
) -> None:
    assert (standing[name]["state"], standing[name]["severity"]) == (state, severity)


def test_status_names_the_cure_that_doctor_has_for_a_fleet_of_another(
    orphaned: Set, standing: dict[str, dict[str, Any]]
) -> None:
    (cure,) = [one.mend for one in findings(orphaned.folder) if one.code == "fleet-of-another"]
    assert cure in standing["device-1"]["why"]


def test_status_does_not_call_a_fleet_of_another_fine(orphaned: Set) -> None:
    ran = orphaned.run("status")
    assert (ran.code, "OF ANOTHER AUTHORITY" in ran.stdout) == (2, True)


@pytest.fixture(name="kept", scope="module")
def kept_fixture(orphaned: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """The same, with the certificates of the authorities before kept beside the new ones."""
    kept = Set(tmp_path_factory.mktemp("kept") / "set").copy_of(orphaned)
    (before,) = kept.folder.glob("backup/*/ca.crt")
    for name in ("ca.crt", "intermediate.crt"):
        shutil.copy(before.with_name(name), kept.folder / f"old-{name}")
    return kept


def strangers(kept: Set) -> set[str]:
    """The files of another authority, as status has them."""
    answer: dict[str, Any] = kept.run("status", "--json").data
    told = answer["places"][0]["certificates"]
    return {Path(one["file"]).as_posix() for one in told if one["state"] == "of another authority"}


def test_status_is_of_one_mind_with_doctor_where_the_root_before_is_kept_beside(
    kept: Set,
) -> None:
    (found,) = [one.what for one in findings(kept.folder) if one.code == "fleet-of-another"]
    assert str(found).endswith("of another authority: device-1, packed-1.")
    assert strangers(kept) == {"clients/device-1/device-1.crt", "clients/packed-1.zip"}


def test_status_says_which_of_the_sets_own_another_authority_has_issued(
    made: Set, kept: Set
) -> None:
    made.copy_of(kept)
    (before,) = made.folder.glob("backup/*/www.crt")
    for name in ("www.crt", "www.key"):
        shutil.copy(before.with_name(name), made.folder)

    found = {one.subject for one in findings(made.folder) if one.code == "chain"}

    assert found == {"www.crt"}
    assert strangers(made) == {*strangers(kept), *found}


def test_status_lets_a_web_server_have_a_certificate_of_others_beside_the_ca_of_its_clients(
    made: Set, kept: Set
) -> None:
    for name in ("ca.crt", "intermediate.crt"):
        shutil.copy(kept.folder / name, made.folder)
    (before,) = kept.folder.glob("backup/*/www.crt")
    for name in ("www.crt", "www.key"):
        shutil.copy(before.with_name(name), made.folder)

    assert strangers(made) == set()


def test_a_fleet_of_another_is_issued_again_where_the_register_has_its_numbers_still(
    made: Set, orphaned: Set, issued: Set
) -> None:
    made.copy_of(issued)
    for name in ("ca.crt", "intermediate.crt", "ca.key", "intermediate.key", "chain.crt"):
        shutil.copy(orphaned.folder / name, made.folder)

    told = made.must(*FLEET, "--reissue", "--key", "P-256").stdout

    assert "2 clients issued" in told


def test_a_root_that_comes_back_leaves_behind_whom_it_has_not_issued(orphaned: Set) -> None:
    (before,) = orphaned.folder.glob("backup/*/ca.crt")
    told = orphaned.must("restore", before.parent.name, "--dry-run").stdout
    assert "1 client of the fleet is of another authority then" in told
    assert "in: late-1; issue them again as before, with --reissue:" in told


@pytest.mark.posix  # A hundred processes; the same on Windows.
def test_a_fleet_of_the_root_before_is_issued_again_with_new_keys(fleet: Set) -> None:
    key = (fleet.folder / "clients/device-1/device-1.key").read_bytes()
    fleet.must("apply", "--replace", "ca", MTLS_P12_PASSWORD=PASSWORD)
    assert "device-1" in fleet.must(*FLEET).stdout
    renewed = fleet.run("renew").stdout
    assert "since another authority has issued them: device-1, device-2" in renewed
    assert "fleet-of-another" in codes(findings(fleet.folder))

    foreseen = fleet.must(*FLEET, "--reissue", "--dry-run", "--json").data
    told = fleet.must(*FLEET, "--reissue").stdout

    assert (foreseen["again"], foreseen["there"]) == (2, 0)
    assert ("2 clients issued" in told, "Another authority" in told) == (True, False)
    assert (fleet.folder / "clients/device-1/device-1.key").read_bytes() != key
    checked = ("verify", "-CAfile", "ca.crt", "-untrusted", "intermediate.crt")
    assert "OK" in fleet.openssl(*checked, "clients/device-1/device-1.crt")
    assert "fleet-of-another" not in codes(findings(fleet.folder))
