"""Revocation where an intermediate authority issues: CRLs of both, since nginx asks for both."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests import authority
from tests.authority import asked, layered, listed, said, serial, serials, verdict
from tests.machine import lock, snapshot
from tests.shelf import mtls

BETWEEN = "intermediate.crt"


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    return layered(tmp_path / "set")


def test_crl_pem_has_the_list_of_each_authority_so_that_only_the_leaver_is_out(
    folder: Path,
) -> None:
    done = said("revoke", "alice", folder=folder)

    assert done["entered"] == 3
    text = (folder / "crl.pem").read_text()
    assert text.count("BEGIN X509 CRL") == 2
    assert listed(folder).issuer[-1] == ("CN", "The one that issues")
    assert serials(folder) == {serial(folder, "alice.crt")} == serials(folder, "crl.pem")
    assert "certificate revoked" in verdict(folder, "alice.crt", between=BETWEEN)
    assert "bob.crt: OK" in verdict(folder, "bob.crt", between=BETWEEN)
    assert listed(folder, "ca.crl.pem").revoked == ()
    assert listed(folder, "crl.der", "DER") == listed(folder)


def test_a_root_that_is_elsewhere_is_asked_for_its_list_before_anything_is_done(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "ca.key").rename(tmp_path / "ca.key")

    done = said("revoke", "alice", folder=folder, code=7)

    assert "ca.crl.pem" in done["fix"]
    assert not (folder / "index.txt").exists()


def test_the_list_of_a_root_that_is_elsewhere_is_kept(folder: Path, tmp_path: Path) -> None:
    mtls("crl", "--out", folder)
    roots = (folder / "ca.crl.pem").read_bytes()
    (folder / "ca.key").rename(tmp_path / "ca.key")

    said("revoke", "alice", folder=folder)

    assert (folder / "ca.crl.pem").read_bytes() == roots
    assert "certificate revoked" in verdict(folder, "alice.crt", between=BETWEEN)
    assert "server.crt: OK" in verdict(folder, "server.crt", between=BETWEEN)


def test_a_list_that_the_root_has_made_elsewhere_can_be_brought(
    folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "ca.crt").write_bytes((folder / "ca.crt").read_bytes())
    (folder / "ca.key").rename(root / "ca.key")
    mtls("crl", "--days", "90", "--out", root)
    (folder / "ca.crl.pem").write_bytes((root / "crl.pem").read_bytes())

    said("revoke", "alice", folder=folder)

    assert "certificate revoked" in verdict(folder, "alice.crt", between=BETWEEN)


def test_a_list_of_another_root_is_refused_and_nothing_changes(
    folder: Path, tmp_path: Path
) -> None:
    other = authority.flat(tmp_path / "other")
    mtls("crl", "--out", other)
    (folder / "ca.key").unlink()
    (folder / "ca.crl.pem").write_bytes((other / "crl.pem").read_bytes())
    before = {name for name in snapshot(folder) if not name.endswith(".jsonl")}

    done = said("revoke", "alice", folder=folder, code=5)

    assert "ca.crl.pem" in done["error"]
    assert {name for name in snapshot(folder) if not name.endswith(".jsonl")} == before


def without_the_intermediate(folder: Path, root: Path) -> Path:
    """The list of a root that has revoked the intermediate authority of a set."""
    root.mkdir()
    for name in ("ca.crt", "ca.key"):
        (root / name).write_bytes((folder / name).read_bytes())
    (root / "issuing.crt").write_bytes((folder / BETWEEN).read_bytes())
    said("revoke", "issuing", "--reason", "keyCompromise", folder=root)
    return root / "crl.pem"


def test_whom_the_root_has_revoked_elsewhere_stays_revoked_where_its_key_is(
    folder: Path, tmp_path: Path
) -> None:
    said("crl", folder=folder)
    made = without_the_intermediate(folder, tmp_path / "root")
    (folder / "ca.crl.pem").write_bytes(made.read_bytes())

    done = said("crl", folder=folder)

    roots = listed(folder, "ca.crl.pem")
    assert roots.revoked == listed(made.parent).revoked
    assert [one.reason for one in roots.revoked] == ["Key Compromise"]
    assert roots.number == 2
    assert "certificate revoked" in verdict(folder, "bob.crt", between=BETWEEN)
    assert any(note.startswith("The root has revoked intermediate.crt") for note in done["notes"])


def test_whom_the_root_has_revoked_stays_so_though_its_own_list_is_lost(
    folder: Path, tmp_path: Path
) -> None:
    roots = without_the_intermediate(folder, tmp_path / "root").read_bytes()
    (folder / "ca.crl.pem").write_bytes(roots)
    said("crl", folder=folder)
    (folder / "ca.crl.pem").unlink()

    said("crl", folder=folder)

    assert serials(folder, "ca.crl.pem") == {serial(folder, BETWEEN)}
    assert listed(folder, "ca.crl.pem").number == 3


def test_below_an_authority_that_is_revoked_a_leaver_is_revoked_too(
    folder: Path, tmp_path: Path
) -> None:
    roots = without_the_intermediate(folder, tmp_path / "root").read_bytes()
    (folder / "ca.crl.pem").write_bytes(roots)
    (folder / "ca.key").unlink()

    done = said("revoke", "alice", folder=folder)

    assert serials(folder) == {serial(folder, "alice.crt")}
    assert (folder / "ca.crl.pem").read_bytes() == roots
    assert any("intermediate.crt" in note for note in done["notes"])


def test_whom_another_root_has_revoked_is_none_of_this_one(folder: Path, tmp_path: Path) -> None:
    other = authority.another(tmp_path / "other")
    said("revoke", "bob", folder=other)
    (folder / "ca.crl.pem").write_bytes((other / "crl.pem").read_bytes())

    said("crl", folder=folder)

    assert serials(folder, "ca.crl.pem") == set()


def test_each_key_has_a_pass_phrase_of_its_own(folder: Path) -> None:
    for name in ("ca", "intermediate"):
        lock(folder / f"{name}.key", authority.PASSPHRASE)
    lacking = said("crl", folder=folder, code=6)
    both = {
        "MTLS_INTERMEDIATE_PASSPHRASE": authority.PASSPHRASE,
        "MTLS_CA_PASSPHRASE": authority.PASSPHRASE,
    }

    said("crl", folder=folder, env=both)
    # The root's list is there by now.
    only = {"MTLS_INTERMEDIATE_PASSPHRASE": authority.PASSPHRASE}
    said("revoke", "alice", folder=folder, env=only)

    assert "MTLS_INTERMEDIATE_PASSPHRASE" in lacking["fix"]
    assert serials(folder) == {serial(folder, "alice.crt")}


def test_the_number_of_each_list_rises(folder: Path) -> None:
    numbers = []
    for _ in range(2):
        said("crl", folder=folder)
        numbers.append((listed(folder).number, listed(folder, "ca.crl.pem").number))

    assert numbers == [(1, 1), (2, 2)]


def test_what_the_root_has_issued_by_itself_is_not_the_intermediates_to_revoke(
    folder: Path,
) -> None:
    authority.issue(folder, "carol", "ca", "client")

    done = said("revoke", "carol", folder=folder, code=2)

    assert "intermediate.crt" in done["error"]


def test_openssl_reads_both_lists_as_its_own(folder: Path) -> None:
    said("crl", folder=folder)

    for name, signer in (("ca.crl.pem", "ca.crt"), ("crl.pem", BETWEEN)):
        assert "verify OK" in asked(folder, "crl", "-in", name, "-noout", "-CAfile", signer)


def test_verify_blames_the_intermediate_that_is_revoked_and_nobody_below_it(folder: Path) -> None:
    revoked_by_the_root(folder)

    done = said("verify", folder=folder, code=5)

    assert "intermediate.crt: the root has revoked it" in done["error"]
    assert not {"alice.crt", "bob.crt", "server.crt"} & set(done["error"].replace(":", "").split())
    assert "apply --replace ca" in done["fix"]
    assert "--rekey" not in done["fix"]


def test_verify_blames_who_is_revoked_below_an_intermediate(folder: Path) -> None:
    said("revoke", "alice", folder=folder)
    done = said("verify", folder=folder, code=5)
    assert "alice.crt: its CA has revoked it" in done["error"]
    assert "renew alice --rekey" in done["fix"]


def revoked_by_the_root(folder: Path) -> None:
    """What its holder does with openssl alone: crl.pem says that the intermediate is revoked."""
    said("crl", folder=folder)
    (folder / "roots.txt").touch()
    (folder / "test.cnf").write_text(
        "[ca]\ndefault_ca = x\n[x]\ndatabase = roots.txt\n"
        "certificate = ca.crt\nprivate_key = ca.key\ndefault_md = sha256\n"
    )
    asked(folder, "ca", "-revoke", BETWEEN)
    asked(folder, "ca", "-gencrl", "-crldays", "30", "-out", "ca.crl.pem")
    ours = (folder / "crl.pem").read_text().partition("-----END X509 CRL-----\n")
    (folder / "crl.pem").write_text(f"{ours[0]}{ours[1]}{(folder / 'ca.crl.pem').read_text()}")


def test_a_list_of_the_root_that_is_over_is_told_before_anything_is_done(
    folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("ca.crt", "ca.key"):
        (root / name).write_bytes((folder / name).read_bytes())
    mtls("crl", "--out", root)
    (root / "test.cnf").write_text(
        "[ca]\ndefault_ca = x\n[x]\ndatabase = index.txt\ncrlnumber = crlnumber\n"
        "certificate = ca.crt\nprivate_key = ca.key\ndefault_md = sha256\n"
    )
    asked(root, "ca", "-gencrl", "-crlsec", "1", "-out", "over.pem")
    (folder / "ca.crl.pem").write_bytes((root / "over.pem").read_bytes())
    (folder / "ca.key").unlink()
    time.sleep(2)

    done = said("revoke", "alice", folder=folder, code=7)

    assert "ca.key" in done["fix"]
    assert not (folder / "index.txt").exists()
