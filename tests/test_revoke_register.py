"""The register and the CRL as `revoke` and `crl` leave them: openssl goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtls_openssl import audit
from mtls_openssl.openssl import ca
from mtls_openssl.scripting import prompt
from tests import authority
from tests.authority import asked, listed, said, serial, serials, verdict
from tests.shelf import mtls
from tests.test_revoke import alike, folder_fixture, left_fixture, unrevoked_fixture, without_log

_used = (folder_fixture, left_fixture, unrevoked_fixture)

OWN_CONFIG = """
[ca]
default_ca = theirs
[theirs]
database = index.txt
crlnumber = crlnumber
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_crl_days = 9
"""
"""What somebody who has never heard of us would write."""


def test_openssl_goes_on_with_our_register_as_its_own(left: Path) -> None:
    (left / "test.cnf").write_text(OWN_CONFIG)

    status = [
        asked(left, "ca", "-status", serial(left, f"{name}.crt"), exit_code=None)
        for name in ("alice", "bob")
    ]
    asked(left, "ca", "-revoke", "bob.crt", "-crl_reason", "superseded")
    asked(left, "ca", "-gencrl", "-out", "theirs.pem")

    assert "=Revoked (R)" in status[0]
    assert "=Valid (V)" in status[1]
    assert serials(left, "theirs.pem") == {
        serial(left, "alice.crt"), serial(left, "bob.crt"),
    }  # fmt: skip
    assert listed(left, "theirs.pem").number == 2


def test_without_a_crl_the_register_alone_knows_and_says_what_is_left_to_do(folder: Path) -> None:
    done = said("revoke", "alice", "--no-crl", folder=folder)

    assert not (folder / "crl.pem").exists()
    assert any("mtls_openssl crl" in note for note in done["notes"])
    assert any(
        "mtls_openssl crl" in note for note in said("revoke", "alice", folder=folder)["notes"]
    )
    mtls("crl", "--out", folder)
    assert serials(folder) == {serial(folder, "alice.crt")}


def test_what_is_left_to_do_names_the_folder_wherever_that_is_not_the_current_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = prompt.line("python", "-m", "mtls_openssl", "crl", "--out", str(folder))

    revoked = mtls("revoke", "alice", "--no-crl", "--out", folder).output
    made = mtls("crl", "--out", folder).output
    monkeypatch.chdir(folder)
    here = mtls("crl").output

    assert f"let in still: {again}\n" in revoked
    assert f"in time: {again}\n" in made
    assert "in time: python -m mtls_openssl crl\n" in here


@alike
def test_the_number_of_the_crl_rises_though_the_file_with_it_is_lost(folder: Path) -> None:
    numbers = [said("crl", folder=folder)["number"] for _ in range(2)]
    (folder / "crlnumber").unlink()

    numbers += [said("crl", "--days", "7", folder=folder)["number"] for _ in range(2)]

    assert numbers == [1, 2, 3, 4]
    made = listed(folder)
    assert made.next_update
    assert (made.next_update - made.last_update).days == 7
    assert listed(folder, "crl.der", "DER") == made


def test_a_lost_register_lets_nobody_in_again_whom_the_crl_has_revoked(folder: Path) -> None:
    said("revoke", "alice", "--reason", "keyCompromise", folder=folder)
    said("revoke", "bob", folder=folder)
    before = listed(folder).revoked
    (folder / "index.txt").unlink()
    (folder / "bob.crt").unlink()

    said("crl", folder=folder)

    assert sorted(listed(folder).revoked, key=str) == sorted(before, key=str)
    assert "certificate revoked" in verdict(folder, "alice.crt")
    (folder / "test.cnf").write_text(OWN_CONFIG)
    for one in before:
        assert "Revoked (R)" in asked(folder, "ca", "-status", one.serial, exit_code=None)


def test_a_crl_of_an_earlier_ca_of_the_same_name_revokes_nobody_here(
    folder: Path, tmp_path: Path
) -> None:
    other = authority.another(tmp_path / "other")
    said("revoke", "alice", folder=other)
    (folder / "crl.pem").write_bytes((other / "crl.pem").read_bytes())

    said("crl", folder=folder)

    assert serials(folder) == set()


def test_the_old_crl_is_kept(unrevoked: Path) -> None:
    old = (unrevoked / "crl.pem").read_bytes()

    backup = Path(said("revoke", "alice", folder=unrevoked)["backup"])

    assert (backup / "crl.pem").read_bytes() == old
    assert not list(unrevoked.rglob("*.old"))


def test_a_register_of_windows_is_read_elsewhere(left: Path) -> None:
    index = left / "index.txt"
    index.write_bytes(index.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    said("revoke", "bob", folder=left)

    assert serials(left) == {serial(left, "alice.crt"), serial(left, "bob.crt")}


@pytest.mark.parametrize("damage", ["V\tnonsense\n", "no entry at all\n", "\xff\xfe"])
def test_a_damaged_register_is_named_and_nothing_is_made_of_it(
    unrevoked: Path, damage: str
) -> None:
    (unrevoked / "index.txt").write_bytes(damage.encode("latin-1"))
    before = without_log(unrevoked)

    done = said("revoke", "alice", folder=unrevoked, code=7)

    assert "index.txt" in done["error"]
    assert without_log(unrevoked) == before


def test_one_openssl_tries_the_crl_on_all_that_was_issued(left: Path) -> None:
    tries = [line.argv for line in audit.read(left / "mtls-audit.jsonl") if "-CRLfile" in line.argv]

    assert [sum(word.endswith(".pem") for word in argv) for argv in tries] == [1 + 3]


def test_a_new_ca_puts_the_register_of_the_old_one_away(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    quick = ("--profile", "modern", "--out", folder)
    env = {"MTLS_P12_PASSWORD": "only for a test"}
    mtls("all", *quick, env=env)
    mtls("revoke", "client", "--out", folder)

    mtls("all", *quick, env=env)

    assert not set(ca.KEPT) & {path.name for path in folder.iterdir()}
    assert said("revoke", "client", folder=folder)["crl"]["number"] == 1
