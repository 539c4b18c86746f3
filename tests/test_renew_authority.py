"""An authority below the root lasts longer, or is replaced: nothing that it issued is lost."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.openssl import extensions
from tests.ailments import codes, findings
from tests.requests import request
from tests.sets import PASSWORD, Set, made_fixture

__all__ = ["made_fixture"]
pytestmark = pytest.mark.end_to_end

SMALL = """\
profile = "modern"

[ca]
days = 400

[intermediate]
days = 60

[[server]]
name = "www"
days = 50
dns = ["www.example.com"]

[[client]]
name = "alice"
days = 50
"""
FLEET = ("issue", "-n", "2", "--cn", "device-{}", "--days", "40")
CHECKED = ("-x509_strict", "-crl_check_all", "-CAfile", "ca.crt", "-CRLfile", "crl.pem")


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("original") / "set")
    (original.folder / "mtls.toml").write_text(SMALL, "utf-8")
    original.must("apply", MTLS_P12_PASSWORD=PASSWORD)
    return original


@pytest.fixture(name="layered")
def layered_fixture(original: Set, made: Set) -> Set:
    """A set below an intermediate authority, which is to last 90 days from now on, not 60."""
    layered = made.copy_of(original)
    layered.describe(SMALL.replace("days = 60", "days = 90"))
    return layered


@pytest.fixture(name="renewed", scope="module")
def renewed_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """The same once its authority was renewed; to be looked at."""
    renewed = Set(tmp_path_factory.mktemp("renewed") / "set").copy_of(original)
    renewed.describe(SMALL.replace("days = 60", "days = 90"))
    renewed.must("renew", "Intermediate", MTLS_P12_PASSWORD=PASSWORD)
    return renewed


@pytest.fixture(name="issued", scope="module")
def issued_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    issued = Set(tmp_path_factory.mktemp("issued") / "set").copy_of(original)
    issued.must(*FLEET)
    return issued


@pytest.fixture(name="signed", scope="module")
def signed_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """As the original, with a certificate for a request of somebody else."""
    signed = Set(tmp_path_factory.mktemp("signed") / "set").copy_of(original)
    theirs = request(tmp_path_factory.mktemp("theirs") / "host", "bob")
    signed.must("sign", str(theirs), "--client", "--days", "40", "--yes")
    return signed


@pytest.fixture(name="fleet")
def fleet_fixture(issued: Set, made: Set) -> Set:
    """As `layered`, with two clients of a fleet."""
    fleet = made.copy_of(issued)
    fleet.describe(SMALL.replace("days = 60", "days = 90"))
    return fleet


def chain(layered: Set, file: str) -> str:
    return (layered.folder / file).read_text("ascii")


def test_it_lasts_longer_with_its_key_and_its_name(original: Set, renewed: Set) -> None:
    was, now = original.certificate("intermediate"), renewed.certificate("intermediate")

    assert (now.subject, now.public_key) == (was.subject, was.public_key)
    assert (now.not_after - was.not_after).days in {29, 30}
    constraints = extensions.BASIC_CONSTRAINTS
    assert now.extensions[constraints] == was.extensions[constraints]


def test_whatever_it_has_issued_is_good_still_and_has_the_new_chain(
    original: Set, renewed: Set
) -> None:
    assert renewed.changed_since(original.files()) == {
        "mtls.toml", "intermediate.crt", "chain.crt", "www.chain.crt", "alice.chain.crt",
        "alice.p12",
    }  # fmt: skip
    for name in ("www", "alice"):
        assert chain(renewed, "intermediate.crt") in chain(renewed, f"{name}.chain.crt")
    renewed.must("verify")


def test_whoever_was_revoked_below_it_is_so_still(fleet: Set) -> None:
    fleet.must("revoke", "device-2")

    fleet.must("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD)

    checked = ("verify", *CHECKED, "-untrusted", "intermediate.crt")
    assert "device-1.crt: OK" in fleet.openssl(*checked, "clients/device-1/device-1.crt")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        fleet.openssl(*checked, "clients/device-2/device-2.crt")
    assert "certificate revoked" in refused.value.stdout + refused.value.stderr


def test_it_is_not_said_to_be_renewed_with_a_new_key(layered: Set) -> None:
    before = layered.files()
    ran = layered.run("renew", "intermediate", "--rekey")
    assert (ran.code, "apply --replace intermediate" in ran.stderr) == (7, True)
    assert layered.files() == before


def test_a_fleet_that_sends_the_certificate_of_before_is_named(fleet: Set) -> None:
    told = fleet.must("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD).stdout
    assert "2 clients of the fleet have the authority's certificate from before" in told


def test_an_authority_that_is_not_described_is_not_replaced(made: Set, modern: Path) -> None:
    shutil.copytree(modern, made.folder, dirs_exist_ok=True)
    made.describe('profile = "modern"\n[ca]\n')
    ran = made.run("apply", "--replace", "intermediate")
    assert (ran.code, "no authority intermediate" in ran.stderr) == (2, True)


def test_a_root_is_not_renewed_so_and_the_way_is_told(layered: Set) -> None:
    ran = layered.run("renew", "ca")
    assert (ran.code, "repair-ca --ca-days" in ran.stderr) == (7, True)


def test_another_subject_in_mtls_toml_would_part_it_from_what_it_has_issued(layered: Set) -> None:
    config = layered.folder / "mtls.toml"
    config.write_text(SMALL.replace("[intermediate]", '[intermediate]\ncn = "Another"'), "utf-8")
    before = layered.files()

    ran = layered.run("renew", "intermediate")

    assert (ran.code, "another subject" in ran.stderr) == (7, True)
    assert layered.files() == before


@pytest.fixture(name="renamed")
def renamed_fixture(layered: Set) -> Set:
    """A set with a fleet, whose mtls.toml has another name for the authority since."""
    layered.must("issue", "-n", "1", "--cn", "device-{}", "--key", "P-256", "--days", "40")
    config = layered.folder / "mtls.toml"
    config.write_text(SMALL.replace("[intermediate]", '[intermediate]\ncn = "Another"'), "utf-8")
    return layered


def what_is_said(renamed: Set, command: str) -> str:
    if command == "doctor":
        return next(one.mend for one in findings(renamed.folder) if one.code == "not-as-described")
    ran = renamed.run(*command.split())
    return ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "command", ["apply", "apply --replace intermediate", "renew intermediate", "doctor"]
)
def test_with_a_fleet_another_name_for_the_authority_is_taken_back_or_costs_a_new_root(
    command: str, renamed: Set
) -> None:
    said = what_is_said(renamed, command)
    assert "put back into mtls.toml what intermediate.crt says" in said
    assert prescribed(said) == {"apply --replace ca"}


def prescribed(said: str) -> set[str]:
    """The commands for an authority in a text, as they are typed."""
    return set(re.findall(r"mtls_openssl ((?:apply --replace|renew) \w+)", said))


def test_what_is_prescribed_for_another_name_of_the_authority_ends_well(renamed: Set) -> None:
    renamed.must("apply", "--replace", "ca", MTLS_P12_PASSWORD=PASSWORD)
    assert dict(renamed.certificate("intermediate").subject)["CN"] == "Another"
    assert prescribed(what_is_said(renamed, "apply")) == set()


def limited(limit: str) -> str:
    return SMALL.replace("[intermediate]", f"[intermediate]\n{limit}")


@pytest.mark.parametrize("limit", ['permitted = ["other.com"]', 'excluded = ["example.com"]'])
def test_it_is_not_renewed_where_that_would_shut_out_what_it_has_issued(
    limit: str, layered: Set
) -> None:
    layered.describe(limited(limit))
    before = layered.files()

    ran = layered.run("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD)

    assert (ran.code, "www.crt: " in ran.stderr, "subtree violation" in ran.stderr) == (
        5,
        True,
        True,
    )
    assert "put back into mtls.toml what intermediate.crt says" in ran.stderr
    assert layered.files() == before


@pytest.mark.parametrize("packed", [(), ("--zip",)], ids=["files", "archives"])
def test_it_is_not_renewed_where_that_would_shut_out_a_client_of_the_fleet(
    packed: tuple[str, ...], layered: Set
) -> None:
    fleet = ("issue", "-n", "1", "--cn", "device-{}.other.com", "--key", "P-256", "--days", "40")
    layered.must(*fleet, *packed)
    layered.describe(limited('excluded = ["other.com"]'))
    before = layered.files()

    ran = layered.run("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD)

    assert (ran.code, "clients/device-1.other.com" in ran.stderr) == (5, True)
    assert layered.files() == before


def test_what_another_has_issued_does_not_stand_in_the_way_of_its_renewal(
    layered: Set, modern: Path
) -> None:
    shutil.copy(modern / "client.crt", layered.folder / "stranger.crt")
    layered.must("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD)


@pytest.mark.parametrize("limit", ['permitted = ["other.com"]', 'excluded = ["www.example.com"]'])
def test_with_a_fleet_fewer_names_for_the_authority_are_not_prescribed_as_its_renewal(
    limit: str, fleet: Set
) -> None:
    fleet.describe(limited(limit))
    assert prescribed(what_is_said(fleet, "apply --dry-run")) == {"apply --replace ca"}


@pytest.mark.parametrize("missing", [("intermediate.crt",), ("intermediate.crt", "chain.crt")])
def test_without_its_certificate_it_keeps_the_name_by_which_others_know_it(
    missing: tuple[str, ...], layered: Set
) -> None:
    layered.describe(limited('cn = "Another"'))
    for file in missing:
        (layered.folder / file).unlink()
    before = layered.files()

    ran = layered.run("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD)

    assert (ran.code, "had another subject" in ran.stderr) == (7, True)
    assert layered.files() == before


def test_without_its_certificate_it_is_made_again_with_the_name_that_it_had(layered: Set) -> None:
    (layered.folder / "intermediate.crt").unlink()
    layered.must("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD)
    layered.must("verify")


def test_with_a_fleet_a_longer_life_of_the_authority_is_prescribed_as_its_renewal(
    layered: Set,
) -> None:
    layered.must("issue", "-n", "1", "--cn", "device-{}", "--key", "P-256", "--days", "40")

    said = what_is_said(layered, "apply")
    assert prescribed(said) == {"renew intermediate"}
    layered.must("renew", "intermediate", MTLS_P12_PASSWORD=PASSWORD)

    assert prescribed(what_is_said(layered, "apply")) == set()


def test_an_authority_that_comes_between_would_put_a_fleet_of_the_root_out_of_reach(
    made: Set,
) -> None:
    made.describe('profile = "modern"\n[ca]\n')
    made.must("apply")
    made.must("issue", "-n", "1", "--cn", "device-{}", "--key", "P-256")
    made.describe('profile = "modern"\n[ca]\n[intermediate]\n')

    ran = made.run("apply")
    found = {one.code: one.mend for one in findings(made.folder)}

    assert (ran.code, "leave [intermediate] out of mtls.toml" in ran.stderr) == (2, True)
    assert prescribed(ran.stderr) == {"apply --replace ca"}
    assert found["not-as-described"] in ran.stderr
    assert "missing" not in found


def test_doctor_does_not_miss_an_authority_that_is_described_and_was_never_made(
    made: Set, modern: Path
) -> None:
    shutil.copytree(modern, made.folder, dirs_exist_ok=True)
    made.describe('profile = "modern"\n[ca]\n[intermediate]\n')
    found = {one.code: one.mend for one in findings(made.folder)}
    assert "missing" not in found
    assert "apply --dry-run" in found["not-as-described"]


@pytest.mark.parametrize(
    ("gone", "command"),
    [
        (("intermediate.crt",), "renew intermediate"),
        (("intermediate.crt", "intermediate.key"), "apply --replace ca"),
    ],
)
def test_with_a_fleet_doctor_prescribes_what_is_not_refused_for_an_authority_that_is_gone(
    gone: tuple[str, ...], command: str, fleet: Set
) -> None:
    for file in gone:
        (fleet.folder / file).unlink()
    (mend,) = [one.mend for one in findings(fleet.folder) if one.code == "missing"]
    assert prescribed(mend) == {command}
    fleet.must(*command.split(), MTLS_P12_PASSWORD=PASSWORD)


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
