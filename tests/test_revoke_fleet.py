"""`revoke` of one of a fleet: all that they ever had, without reading what everybody else has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mtls_openssl.inventory import clients
from mtls_openssl.inventory.clients import Client
from mtls_openssl.openssl import ca
from mtls_openssl.openssl.ca import Status
from tests.ailments import findings
from tests.sets import Set, made_fixture
from tests.test_issue import SET

pytestmark = pytest.mark.end_to_end
_used = made_fixture

ISSUE = ("issue", "--key", "P-256", "--cn")


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("fleet") / "set")
    original.describe(SET)
    original.must("apply")
    original.must(*ISSUE, "device-{}", "-n", "3")
    original.must("renew", "device-1")
    original.must(*ISSUE, "packed-{}", "-n", "1", "--zip")
    return original


@pytest.fixture(name="fleet")
def fleet_fixture(original: Set, made: Set) -> Set:
    """Three clients in folders, of whom the first was renewed, and one in an archive."""
    return made.copy_of(original)


@pytest.fixture(name="looked_at")
def looked_at_fixture(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Whose certificates have been read, and how often."""
    names = Counter[str]()
    one = clients.one

    def reading(folder: Path, name: str) -> Client:
        names[name] += 1
        return one(folder, name)

    monkeypatch.setattr(clients, "one", reading)
    return names


def revoked(fleet: Set) -> list[str]:
    """Whom the register calls revoked."""
    entries = ca.parse((fleet.folder / "index.txt").read_text("utf-8"))
    return sorted(one.shown for one in entries if one.status is Status.REVOKED)


def everybody_of(fleet: Set, name: str) -> list[str]:
    entries = ca.parse((fleet.folder / "index.txt").read_text("utf-8"))
    return sorted(one.shown for one in entries if one.subject.endswith(f"/CN={name}"))


@pytest.mark.parametrize("name", ["device-1", "packed-1", "DEVICE-1"])
def test_only_whoever_is_named_is_read(fleet: Set, looked_at: Counter[str], name: str) -> None:
    fleet.must("revoke", name)
    assert set(looked_at) == {name.lower()}


def test_doctor_reads_a_fleet_once_where_somebody_is_revoked(
    fleet: Set, looked_at: Counter[str]
) -> None:
    fleet.must("revoke", "device-2")
    looked_at.clear()

    (told,) = [one.what for one in findings(fleet.folder) if one.code == "fleet-revoked"]

    assert told == "1 client of the fleet is revoked: device-2."
    assert looked_at == dict.fromkeys(clients.names(fleet.folder), 1)


def test_what_a_renewal_has_replaced_is_revoked_too(fleet: Set) -> None:
    fleet.must("revoke", "device-1")
    assert revoked(fleet) == everybody_of(fleet, "device-1")
    assert len(revoked(fleet)) == 2


def test_whose_certificate_is_damaged_is_revoked_with_what_it_has_replaced(fleet: Set) -> None:
    (fleet.folder / "clients" / "device-1" / "device-1.crt").write_text("junk")

    told = fleet.must("revoke", "device-1").stdout

    assert "is revoked too: no file here that can be read has its certificate" in told
    assert revoked(fleet) == everybody_of(fleet, "device-1")
    assert len(revoked(fleet)) == 2


def test_whoever_is_in_no_register_is_found_and_entered(fleet: Set) -> None:
    index = fleet.folder / "index.txt"
    lines = index.read_text("utf-8").splitlines(keepends=True)
    index.write_text("".join(line for line in lines if "CN=device-2" not in line), "utf-8")

    told = fleet.must("revoke", "device-2").stdout

    assert "Entered into the register: 1 certificate\n" in told
    assert revoked(fleet) == everybody_of(fleet, "device-2") != []


def test_somebody_else_of_the_same_subject_is_named(fleet: Set) -> None:
    table = fleet.folder / "more.csv"
    table.write_text("name,cn\nother,device-2\n", "utf-8")
    fleet.must("issue", "--from", str(table), "--key", "P-256")

    told = fleet.must("revoke", "device-2").stdout

    assert "Of the same subject, and not revoked: other" in told
    assert len(revoked(fleet)) == 1


def test_whoever_is_not_there_is_answered_with_everybody_who_is(fleet: Set) -> None:
    ran = fleet.run("revoke", "device-9")
    assert ran.code == 2
    assert "device-1, device-2, device-3, packed-1, server" in ran.stderr
