"""The register: what is read of it, what enters what is new, and when a CRL is to be made anew."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mtls_openssl import register
from mtls_openssl.desk import at
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.locate import find
from mtls_openssl.openssl import ca
from mtls_openssl.openssl.ca import Entry, Status
from mtls_openssl.openssl.crl import Description, runs_out
from mtls_openssl.process import Door
from mtls_openssl.revocation.advice import addresses
from mtls_openssl.steps import Render
from tests.authority import asked, flat, issue, said, serial
from tests.shelf import mtls

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LINES = (
    "V\t271124221616Z\t\t0A\tunknown\t/CN=alice\n"
    "R\t20591002220754Z\t261124220754Z,keyCompromise\t7DC5\tunknown\t/O=\\xE6\\xB5\\x8B/CN=bob\n"
)


def test_an_index_is_read_as_openssl_means_it() -> None:
    alice, bob = ca.parse(f"# a comment\n\n{LINES}")

    assert alice == Entry(
        Status.VALID, datetime(2027, 11, 24, 22, 16, 16, tzinfo=UTC), None, "", "0A", "/CN=alice"
    )
    assert (bob.expires.year, bob.reason, bob.shown) == (2059, "keyCompromise", "/O=测/CN=bob")
    assert alice.lives(NOW)
    assert not bob.lives(NOW)
    assert not alice.lives(NOW + timedelta(days=400))


def test_a_line_that_is_no_entry_is_named() -> None:
    with pytest.raises(ValueError, match="line 3"):
        ca.parse(f"{LINES}V\t27\n")


@pytest.mark.parametrize("year", [1999, 2026, 2049, 2050, 2199])
def test_a_time_is_written_as_it_is_read(year: int) -> None:
    time = datetime(year, 2, 28, 23, 59, 58, tzinfo=UTC)

    assert ca.parse_time(ca.written_time(time)) == time


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("0a:bc", "0ABC"), ("0x00ff", "FF"), ("123", "0123"), (" 0A ", "0A"), ("0", "00")],
)
def test_a_serial_number_is_taken_as_anybody_writes_it(typed: str, meant: str) -> None:
    assert ca.plain(typed) == meant


def test_an_entry_is_written_as_it_is_read() -> None:
    assert "".join(map(ca.line, ca.parse(LINES))) == LINES


def test_one_line_is_revoked_by_hand_and_the_others_stay_to_the_letter() -> None:
    changed = ca.revoked_by_hand(LINES, "0A", "superseded", NOW)

    assert changed.splitlines()[1] == LINES.splitlines()[1]
    assert ca.parse(changed)[0] == Entry(
        Status.REVOKED, ca.parse(LINES)[0].expires, NOW, "superseded", "0A", "/CN=alice"
    )


@pytest.mark.parametrize(
    ("lasts", "left", "due"),
    [
        (30, 11, False), (30, 9, True), (3, 2, False), (3, 1, True), (7, 4, False), (7, 3, True),
        (365, 40, False), (365, 29, True), (90, 31, False), (30, -1, True),
    ],
)  # fmt: skip
def test_a_crl_is_due_long_before_its_end(lasts: int, left: int, *, due: bool) -> None:
    end = NOW + timedelta(days=left)
    one = Description((), 1, end - timedelta(days=lasts), end, "", {}, ())

    assert runs_out(one, NOW) is due


def test_a_crl_without_an_end_is_never_due() -> None:
    assert not runs_out(Description((), 1, NOW, None, "", {}, ()), NOW)


@pytest.mark.end_to_end
def test_new_certificates_are_entered_by_the_steps_for_a_plan(tmp_path: Path) -> None:
    folder = flat(tmp_path / "set")
    mtls("crl", "--out", folder)
    issue(folder, "carol", "ca", "client")
    issue(folder, "dora", "ca", "client")

    todo = register.entering(["carol.crt", "dora.crt"], "ca")
    door = Door()
    with at(folder, find(None, door), door=door, purpose="a test") as desk:
        for name in (*todo.brings, "ca.crt", "ca.key", "carol.crt", "dora.crt"):
            (desk.scratch / name).write_bytes((folder / name).read_bytes())
        for step in todo.steps:
            if isinstance(step, Render):
                desk.render(step)
            else:
                assert not desk.ask(step).problem
        for name in todo.publishes:
            (folder / name).write_bytes((desk.scratch / name).read_bytes())

    known = {entry.serial for entry in register.entries(folder)}
    assert {serial(folder, f"{name}.crt") for name in ("carol", "dora", "alice")} <= known
    assert said("revoke", "carol", folder=folder)["entered"] == 0
    assert "Valid (V)" in _status(folder, "dora")


def _status(folder: Path, name: str) -> str:
    (folder / "test.cnf").write_text("[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\n")
    return asked(folder, "ca", "-status", serial(folder, f"{name}.crt"), exit_code=None)


def test_where_nothing_was_issued_there_is_nothing_to_enter() -> None:
    assert register.entering([], "ca") == register.Entering()


def test_a_key_with_a_pass_phrase_is_opened_by_the_name_of_its_variable() -> None:
    *_, step = register.entering(["alice.crt"], "intermediate", encrypted=True).steps

    assert not isinstance(step, Render)
    assert step.secrets == ("MTLS_INTERMEDIATE_PASSPHRASE",)
    assert step.argv[-2:] == ("-passin", "env:MTLS_INTERMEDIATE_PASSPHRASE")


def test_no_register_has_no_entries_and_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    assert register.entries(tmp_path) == ()
    (tmp_path / "index.txt").write_bytes(b"\xff")

    with pytest.raises(FolderUnavailableError, match=r"index\.txt"):
        register.entries(tmp_path)


def test_both_sides_of_an_address_in_certificates_are_told() -> None:
    without = " ".join(map(str, addresses()))
    with_both = " ".join(
        map(str, addresses(crl_url="http://pki/crl.der", ocsp_url="http://pki/ocsp"))
    )

    assert "CRYPT_E_NO_REVOCATION_CHECK" in without
    assert "403.13" in with_both
    assert "http://pki/crl.der" in with_both
    assert os.linesep not in without
