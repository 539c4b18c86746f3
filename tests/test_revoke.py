"""`revoke`: a leaver is out, whatever is left of their certificates, and the others are in."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from mtls_openssl.audit import verify as verify_log
from mtls_openssl.scripting import prompt
from tests import authority
from tests.authority import flat, issue, listed, said, serial, serials, supersede, verdict
from tests.machine import lock, openssl, ran, snapshot
from tests.shelf import mtls

alike = pytest.mark.posix
"""What is the same on Windows, where each of many processes takes its time."""


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    return flat(tmp_path / "set")


@pytest.fixture(name="left")
def left_fixture(tmp_path: Path) -> Path:
    return authority.left(tmp_path / "set")


@pytest.fixture(name="unrevoked")
def unrevoked_fixture(tmp_path: Path) -> Path:
    return authority.unrevoked(tmp_path / "set")


def without_log(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in snapshot(folder).items() if not name.endswith(".jsonl")}


def test_all_that_was_issued_to_a_name_is_revoked_and_nothing_else(folder: Path) -> None:
    first = supersede(folder, "alice", "ca", "client", "2026-01-01T00-00-00Z")
    second = supersede(folder, "alice", "ca", "client", "2026-02-01T00-00-00Z")
    now = serial(folder, "alice.crt")

    done = said("revoke", "alice", "--reason", "keyCompromise", folder=folder)

    assert {one["serial"] for one in done["revoked"]} == {first, second, now}
    assert serials(folder) == {first, second, now}
    assert "certificate revoked" in verdict(folder, "alice.crt")
    assert "certificate revoked" in verdict(folder, "backup/2026-01-01T00-00-00Z/alice.crt")
    assert "bob.crt: OK" in verdict(folder, "bob.crt")
    assert "server.crt: OK" in verdict(folder, "server.crt")


def test_whoever_is_named_in_another_case_is_revoked_and_told_as_spelt(folder: Path) -> None:
    before = supersede(folder, "alice", "ca", "client", "2026-01-01T00-00-00Z")
    backup = folder / "backup" / "2026-01-01T00-00-00Z"
    (backup / "alice.crt").rename(backup / "between").rename(backup / "Alice.crt")

    done = said("revoke", "ALICE", folder=folder)

    assert done["name"] == "alice"
    assert serials(folder) == {before, serial(folder, "alice.crt")}


@pytest.mark.posix
def test_of_two_whose_names_differ_in_case_only_the_one_is_revoked_that_is_spelt_so(
    folder: Path,
) -> None:
    issue(folder, "Alice", "ca", "client")

    refused = mtls("revoke", "ALICE", "--out", folder, code=2)
    done = said("revoke", "Alice", folder=folder)

    assert "Alice, alice differ in upper and lower case only" in refused.stderr
    assert [one["serial"] for one in done["revoked"]] == [serial(folder, "Alice.crt")]


def test_certificates_and_keys_stay_as_they_are(folder: Path) -> None:
    before = without_log(folder)

    mtls("revoke", "alice", "--out", folder)

    after = without_log(folder)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {
        "index.txt", "index.txt.attr", "crlnumber", "crl.pem", "crl.der",
    }  # fmt: skip


def test_what_is_revoked_already_is_told_and_nothing_changes(left: Path) -> None:
    before = without_log(left)

    done = said("revoke", "alice", folder=left)

    assert done["revoked"] == []
    assert [one["serial"] for one in done["already_revoked"]] == [serial(left, "alice.crt")]
    assert without_log(left) == before


@alike
def test_a_new_certificate_after_a_revocation_is_let_in_until_it_is_revoked_too(
    left: Path,
) -> None:
    old = supersede(left, "alice", "ca", "client", "2026-01-01T00-00-00Z")
    assert "alice.crt: OK" in verdict(left, "alice.crt")

    done = said("revoke", "alice", folder=left)

    assert done["entered"] == 1
    assert [one["serial"] for one in done["already_revoked"]] == [old]
    assert serials(left) == {old, serial(left, "alice.crt")}


def test_an_unknown_name_is_answered_with_those_there_are(folder: Path) -> None:
    before = without_log(folder)

    done = said("revoke", "carol", folder=folder, code=2)

    assert "alice, bob, server" in done["cause"]
    assert without_log(folder) == before


@pytest.mark.parametrize("name", ["ca", "ca.crt", "intermediate"])
def test_an_authority_is_not_revoked(folder: Path, name: str) -> None:
    before = snapshot(folder)

    said("revoke", name, folder=folder, code=2)

    assert snapshot(folder) == before


def test_somebody_elses_certificate_is_not_revoked(folder: Path, tmp_path: Path) -> None:
    other = authority.another(tmp_path / "other")
    (folder / "carol.crt").write_bytes((other / "alice.crt").read_bytes())

    done = said("revoke", "carol", folder=folder, code=2)

    assert "not issued by" in done["error"]


@alike
def test_the_same_name_signed_by_an_earlier_ca_is_none_of_this_one(
    folder: Path, tmp_path: Path
) -> None:
    other = authority.another(tmp_path / "other")  # its root has the same name, and another key
    kept = folder / "backup" / "2026-01-01T00-00-00Z"
    kept.mkdir(parents=True)
    (kept / "alice.crt").write_bytes((other / "alice.crt").read_bytes())

    done = said("revoke", "alice", folder=folder)

    assert [one["serial"] for one in done["revoked"]] == [serial(folder, "alice.crt")]


@alike
def test_a_certificate_that_nobody_has_any_more_is_told_and_revoked_by_its_number(
    unrevoked: Path, tmp_path: Path
) -> None:
    lost = tmp_path / "lost.crt"
    (unrevoked / "alice.crt").rename(lost)
    issue(unrevoked, "alice", "ca", "client")

    done = said("revoke", "alice", "--reason", "keyCompromise", folder=unrevoked)
    (still,) = done["still_valid"]
    assert "alice" in still["subject"]
    assert still["serial"] in " ".join(done["notes"])

    (unrevoked / "lost.crt").write_bytes(lost.read_bytes())
    assert "lost.crt: OK" in verdict(unrevoked, "lost.crt")
    (unrevoked / "lost.crt").unlink()
    lower = ":".join(still["serial"][at : at + 2].lower() for at in range(0, 40, 2))
    again = said("revoke", "--serial", lower, "--reason", "superseded", folder=unrevoked)

    assert [one["serial"] for one in again["revoked"]] == [still["serial"]]
    (unrevoked / "lost.crt").write_bytes(lost.read_bytes())
    assert "certificate revoked" in verdict(unrevoked, "lost.crt")
    reasons = {one.serial: one.reason for one in listed(unrevoked).revoked}
    assert reasons[still["serial"]] == "Superseded"


def renewed(folder: Path) -> tuple[str, str]:
    """Have the register know alice's certificate, and one that is newer; their numbers."""
    said("crl", folder=folder)
    old = supersede(folder, "alice", "ca", "client", "2026-01-01T00-00-00Z")
    said("crl", folder=folder)
    return old, serial(folder, "alice.crt")


@pytest.mark.parametrize("lost", ["damaged", "gone"])
def test_who_has_a_file_that_nobody_can_read_is_revoked_by_what_the_register_knows(
    folder: Path, lost: str
) -> None:
    both = renewed(folder)
    (folder / "alice.crt").unlink()
    if lost == "damaged":
        (folder / "alice.crt").write_text("junk")

    done = said("revoke", "alice", folder=folder)
    again = said("revoke", "alice", folder=folder)

    assert serials(folder) == set(both)
    assert {one["serial"] for one in done["revoked"]} == set(both)
    assert any(note.startswith(f"{both[1]} is revoked too") for note in done["notes"])
    assert done["still_valid"] == []
    assert {one["serial"] for one in again["already_revoked"]} == set(both)


@alike
def test_a_backup_that_nobody_can_read_is_revoked_by_what_the_register_knows(
    folder: Path,
) -> None:
    both = renewed(folder)
    (folder / "backup" / "2026-01-01T00-00-00Z" / "alice.crt").write_text("junk")

    said("revoke", "alice", folder=folder)

    assert serials(folder) == set(both)


@alike
def test_nobody_is_revoked_by_halves_where_the_register_does_not_know_what_is_damaged(
    folder: Path,
) -> None:
    old = supersede(folder, "alice", "ca", "client", "2026-01-01T00-00-00Z")
    (folder / "alice.crt").write_text("junk")
    before = without_log(folder)

    done = said("revoke", "alice", folder=folder, code=7)

    assert "alice.crt" in done["error"]
    assert f"revoke --serial {old}" in done["fix"]
    assert without_log(folder) == before


@alike
def test_whose_only_file_is_damaged_is_told_with_the_number_to_revoke(unrevoked: Path) -> None:
    number = serial(unrevoked, "alice.crt")
    (unrevoked / "alice.crt").write_text("junk")

    done = said("revoke", "alice", folder=unrevoked, code=2)

    assert f"revoke --serial {number}" in done["fix"]


@alike
def test_only_one_certificate_is_revoked_by_name_and_number(folder: Path) -> None:
    old = supersede(folder, "alice", "ca", "client", "2026-01-01T00-00-00Z")

    said("revoke", "alice", "--serial", old, folder=folder)

    assert serials(folder) == {old}
    bobs = serial(folder, "bob.crt")
    assert "not a certificate of alice" in said(
        "revoke", "alice", "--serial", bobs, folder=folder, code=2
    )["error"]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ((), ""),
        (("--reason", "keycompromise"), "Key Compromise"),
        pytest.param(("--reason", "CACompromise"), "CA Compromise", marks=alike),
        pytest.param(("--reason", "affiliationChanged"), "Affiliation Changed", marks=alike),
        pytest.param(("--reason", "cessationOfOperation"), "Cessation Of Operation", marks=alike),
        (("--reason", "certificateHold"), "Certificate Hold"),
    ],
)
def test_the_reason_stands_in_the_crl(folder: Path, typed: tuple[str, ...], printed: str) -> None:
    said("revoke", "alice", *typed, folder=folder)

    (entry,) = listed(folder).revoked
    assert entry.reason == printed


def test_no_reason_lets_somebody_in_again(folder: Path) -> None:
    mtls("revoke", "alice", "--reason", "removeFromCRL", "--out", folder, code=2)
    notes = said("revoke", "bob", "--reason", "certificateHold", folder=folder)["notes"]

    assert any("no way to take it back" in note for note in notes)


def test_who_wants_the_root_revoked_is_told_what_to_do_in_its_folder(folder: Path) -> None:
    again = prompt.line("python", "-m", "mtls_openssl", "all", "--out", str(folder))

    assert again in mtls("revoke", "ca", "--out", folder, code=2).output


@alike
def test_an_expired_certificate_needs_no_revocation(folder: Path) -> None:
    issue(folder, "carol", "ca", "client", days=0)
    time.sleep(1.1)  # it is good to the end of its second

    done = said("revoke", "carol", folder=folder)

    assert done["revoked"] == []
    assert [one["serial"] for one in done["expired"]] == [serial(folder, "carol.crt")]


def test_a_key_with_a_pass_phrase_opens_by_its_variable_and_is_nowhere_in_the_log(
    folder: Path,
) -> None:
    lock(folder / "ca.key", authority.PASSPHRASE)
    before = without_log(folder)
    lacking = said("revoke", "alice", folder=folder, code=6)
    wrong = said(
        "revoke", "alice", folder=folder, code=4, env={"MTLS_CA_PASSPHRASE": "not the right one"}
    )
    assert without_log(folder) == before

    said("revoke", "alice", folder=folder, env={"MTLS_CA_PASSPHRASE": authority.PASSPHRASE})

    assert "MTLS_CA_PASSPHRASE" in lacking["fix"]
    assert "pass phrase" in wrong["cause"]
    assert serials(folder) == {serial(folder, "alice.crt")}
    assert authority.PASSPHRASE not in (folder / "mtls-audit.jsonl").read_text("utf-8")


def test_the_pass_phrase_is_taken_from_where_an_option_or_the_settings_say(folder: Path) -> None:
    lock(folder / "ca.key", authority.PASSPHRASE)
    (folder / "words").write_text(f"{authority.PASSPHRASE}\n")

    said("revoke", "alice", "--ca-passphrase-file", folder / "words", folder=folder)
    said("revoke", "bob", "--ca-passphrase-env", "WORD", folder=folder, code=4)
    (folder / "mtls.toml").write_text('[ca]\npassphrase = "env:OURS"\n')
    said("revoke", "bob", folder=folder, env={"OURS": authority.PASSPHRASE})

    assert serials(folder) == {serial(folder, "alice.crt"), serial(folder, "bob.crt")}


def test_without_the_key_nothing_can_be_revoked(folder: Path) -> None:
    (folder / "ca.key").unlink()

    assert "ca.key" in said("revoke", "alice", folder=folder, code=7)["error"]


def test_the_log_names_every_command_and_is_unbroken(left: Path) -> None:
    mtls("crl", "--out", left)

    log = verify_log(left / "mtls-audit.jsonl", folder=left)

    assert log.faults == ()
    text = (left / "mtls-audit.jsonl").read_text("utf-8")
    assert '"-revoke"' in text
    assert '"-gencrl"' in text


@pytest.mark.posix
def test_an_exported_script_does_the_same_with_openssl_alone(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    mtls("revoke", "alice", "--out", folder)
    script = mtls("audit", "export", "--format", "sh", "--out", folder).stdout
    (copy / "again.sh").write_text(script)

    ran("sh", "again.sh", cwd=copy, env={"PATH": f"{Path(openssl()).parent}:/usr/bin:/bin"})

    assert serials(copy) == serials(folder)
