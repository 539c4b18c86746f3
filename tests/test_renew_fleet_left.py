"""Whoever of a fleet is not renewed is left as they are, and named with what mends it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from mtls_openssl.doctor import Severity
from mtls_openssl.openssl import ca
from mtls_openssl.scripting import prompt
from tests import ailments
from tests.sets import Set, made_fixture
from tests.test_issue import SET, described
from tests.test_renew_fleet import (
    LONG,
    NOTHING_TO_DO,
    SHORT,
    SOON,
    all_described,
    assert_all_agree,
    entries,
    fleet_fixture,
    original_fixture,
)

pytestmark = pytest.mark.end_to_end
_used = (made_fixture, fleet_fixture, original_fixture)


def test_who_is_revoked_stays_so_and_is_named(fleet: Set) -> None:
    fleet.must("revoke", "short-2", "--no-crl")
    before = described(fleet, "short-2")

    said = fleet.must(*SOON).stdout

    assert "1 client of the fleet left alone, since revoked: short-2" in said
    assert described(fleet, "short-2") == before
    assert "2 clients of the fleet renewed" in said


def test_who_is_revoked_gets_a_new_key_and_certificate_if_named_so(fleet: Set) -> None:
    fleet.must("revoke", "short-2", "--no-crl")
    before = described(fleet, "short-2")

    refused = fleet.run("renew", "short-2")
    fleet.must("renew", "short-2", "--rekey")

    assert (refused.code, "--rekey" in refused.stdout) == (NOTHING_TO_DO, True)
    now = described(fleet, "short-2")
    assert now.public_key != before.public_key
    states = {entry.serial: entry.status for entry in entries(fleet)}
    assert states[ca.plain(before.serial)] is ca.Status.REVOKED
    assert states[ca.plain(now.serial)] is ca.Status.VALID
    assert_all_agree(fleet)


def test_whose_key_is_elsewhere_is_named_and_gets_a_new_one_if_that_is_asked_for(
    fleet: Set,
) -> None:
    (fleet.folder / "clients/short-1/short-1.key").unlink()
    before = described(fleet, "short-1")

    said = fleet.must(*SOON).stdout
    left = described(fleet, "short-1")
    fleet.must("renew", "short-1", "--rekey")

    assert "the key is not here, or has a password: short-1; --rekey" in said
    assert left == before
    assert described(fleet, "short-1").public_key != before.public_key
    assert_all_agree(fleet)


def test_a_client_of_another_authority_is_left_alone(fleet: Set, tmp_path: Path) -> None:
    other = Set(tmp_path / "other")
    other.describe(SET.replace('"Root"', '"Another"'))
    other.must("apply")
    other.must(*SHORT, "-n", "1", "--start", "7")
    (other.folder / "clients/short-7").rename(fleet.folder / "clients/short-7")
    before = (fleet.folder / "clients/short-7/short-7.crt").read_bytes()

    soon = fleet.must(*SOON).stdout
    named = fleet.run("renew", "short-7")

    assert "3 clients of the fleet renewed" in soon
    assert (fleet.folder / "clients/short-7/short-7.crt").read_bytes() == before
    assert (named.code, "has issued no such client: short-7" in named.stdout) == (
        NOTHING_TO_DO,
        True,
    )


def test_apply_leaves_a_fleet_as_it_is_and_says_what_renews_it(fleet: Set) -> None:
    before = all_described(fleet)

    said = fleet.must("apply", "--within", "25d").stdout

    renew = prompt.line("python", "-m", "mtls_openssl", "renew", "--out", str(fleet.folder))
    assert f"3 clients of the fleet near the end: {renew}\n" in said
    assert all_described(fleet) == before


@pytest.mark.parametrize(
    ("days", "severity", "words"),
    [
        (16, Severity.WARNING, "3 clients of the fleet near the end: short-1, short-2, short-3."),
        (21, Severity.ERROR, "3 clients of the fleet have expired, of 3 near the end: short-1,"),
    ],
)
def test_the_doctor_says_who_of_a_fleet_nears_the_end_and_what_mends_it(
    fleet: Set, days: int, severity: Severity, words: str
) -> None:
    then = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)

    now = [one.code for one in ailments.findings(fleet.folder)]
    (finding,) = (
        one for one in ailments.findings(fleet.folder, now=then) if one.code == "fleet-expires"
    )

    assert "fleet-expires" not in now
    assert (finding.severity, finding.what.startswith(words)) == (severity, True)
    assert " renew" in finding.mend


def test_the_doctor_notes_who_of_a_fleet_is_revoked_in_one_sentence(fleet: Set) -> None:
    for name in ("short-1", "short-2", "short-3", "long-1"):
        fleet.must("revoke", name, "--no-crl")
    fleet.must("crl")

    (finding,) = (one for one in ailments.findings(fleet.folder) if one.code.endswith("revoked"))

    assert finding.severity is Severity.NOTE
    assert finding.what == "4 clients of the fleet are revoked: long-1, short-1, short-2…."
    assert " renew NAME --rekey" in finding.mend


def test_the_doctor_names_whose_certificate_is_damaged_and_issued_again_it_is_whole(
    fleet: Set,
) -> None:
    (fleet.folder / "clients/long-2/long-2.crt").write_text("junk")

    (finding,) = (one for one in ailments.findings(fleet.folder) if one.code == "fleet-damaged")
    fleet.must(*LONG, "-n", "2", "--reissue")

    assert finding.severity is Severity.ERROR
    assert "1 client of the fleet has no certificate that can be read: long-2." in finding.what
    assert " --reissue" in finding.mend
    assert "fleet-damaged" not in ailments.codes(ailments.findings(fleet.folder))
