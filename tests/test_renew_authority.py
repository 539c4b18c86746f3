"""An authority below the root lasts longer: nothing that it issued is lost, or shut out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mtls_openssl.openssl import extensions
from tests.ailments import findings
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
