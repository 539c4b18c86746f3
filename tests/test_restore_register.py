"""`restore` and the register: whatever comes back, no revocation is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtls_openssl.openssl import ca
from mtls_openssl.restore import all_, merging
from tests.machine import mtls, openssl, ran
from tests.test_restore import changes, folder_fixture, renewed, serial, told

pytestmark = pytest.mark.end_to_end
_used = folder_fixture


def revoked(folder: Path) -> set[str]:
    """The serial numbers on the list of a folder, as openssl reads it."""
    text = ran(openssl(), "crl", "-in", "crl.pem", "-noout", "-text", cwd=folder).stdout
    return {line.split()[-1] for line in text.splitlines() if "Serial Number:" in line}


def number(folder: Path) -> int:
    return int((folder / ca.CRL_NUMBER).read_text(), 16)


def test_a_certificate_that_was_revoked_stays_so_and_the_number_never_falls(folder: Path) -> None:
    gone = serial(folder / "client.crt")
    mtls("crl", cwd=folder)
    mtls("client", "--profile", "modern", cwd=folder)
    first = all_(folder)[0]
    mtls("revoke", "client", "--serial", gone, "--reason", "keyCompromise", cwd=folder)
    book = {name: (folder / name).read_bytes() for name in ca.KEPT if (folder / name).is_file()}
    old = next(one for one in all_(folder) if ca.INDEX in one.files)

    back = told(folder, first.name, "--yes")
    assert any("client.crt was revoked" in note for note in back["notes"])
    assert serial(folder / "client.crt") == gone
    answer = told(folder, old.name, "--yes")

    assert {changes(answer)[name] for name in ca.KEPT if name in old.files} == {"kept"}
    assert {name: (folder / name).read_bytes() for name in book} == book
    mtls("crl", cwd=folder)
    assert gone in revoked(folder)


@pytest.mark.posix  # A hundred processes; the same on Windows.
def test_a_ca_comes_back_with_all_that_it_has_ever_revoked(folder: Path) -> None:
    server, client = (serial(folder / f"{name}.crt") for name in ("server", "client"))
    mtls("revoke", "client", cwd=folder)
    renewed(folder, "ca", "client")
    whole = next(one for one in all_(folder) if "ca.crt" in one.files)
    other = serial(folder / "client.crt")
    mtls("revoke", "client", cwd=folder)

    first = told(folder, whole.name, "--yes")
    assert changes(first)[ca.INDEX] == "replaced"
    assert revoked(folder) == {client}
    mtls("revoke", "server", cwd=folder)
    highest = number(folder)

    told(folder, Path(first["backup"]).name, "--yes")
    assert revoked(folder) == {other}
    again = told(folder, whole.name, "--yes")

    assert changes(again)[ca.INDEX] == "replaced"
    assert revoked(folder) == {client, server}
    assert number(folder) == highest
    mtls("crl", cwd=folder)
    assert revoked(folder) == {client, server}


def test_a_list_of_a_ca_that_goes_does_not_stay(folder: Path) -> None:
    backup = renewed(folder, "ca")
    mtls("crl", cwd=folder)

    answer = told(folder, backup.name, "--yes")

    assert changes(answer)["crl.pem"] == changes(answer)[ca.INDEX] == "leaves"
    assert not (folder / "crl.pem").exists()
    assert any(note.endswith("mtls_openssl crl") for note in answer["notes"])


def test_a_register_that_was_lost_comes_back_with_every_revocation(folder: Path) -> None:
    client = serial(folder / "client.crt")
    mtls("revoke", "client", cwd=folder)
    mtls("crl", cwd=folder)
    mtls("revoke", "server", cwd=folder)
    backup = next(one for one in all_(folder) if ca.INDEX in one.files)
    (folder / ca.INDEX).unlink()

    answer = told(folder, backup.name, "--yes")

    assert changes(answer)[ca.INDEX] in {"merged", "returns"}
    assert client in merging.merged_index([(folder / ca.INDEX).read_text()])
    assert changes(answer)[ca.CRL_NUMBER] == "kept"


def entries() -> st.SearchStrategy[str]:
    line = st.tuples(
        st.sampled_from("VRE"), st.integers(0, 15), st.sampled_from(["/CN=a", "/CN=乙\\tx"])
    ).map(
        lambda one: "\t".join(
            (
                one[0],
                "270101000000Z",
                "260101000000Z,superseded" if one[0] == "R" else "",
                f"{one[1]:02X}",
                "unknown",
                one[2],
            )
        )
    )
    return st.lists(line, max_size=8).map(lambda lines: "".join(f"{one}\n" for one in lines))


@settings(deadline=None, max_examples=60)
@given(st.lists(entries(), max_size=4), st.lists(st.integers(0, 5000), max_size=4))
def test_put_together_a_register_has_every_entry_and_every_revocation(
    indices: list[str], numbers: list[int]
) -> None:
    merged = merging.merged_index(indices)
    lines = [line.split("\t") for index in indices for line in index.splitlines()]

    assert {entry.serial for entry in ca.parse(merged) if entry.revoked} == {
        ca.plain(line[3]) for line in lines if line[0] == "R"
    }
    assert {line.split("\t")[3] for line in merged.splitlines()} == {line[3] for line in lines}
    assert len(merged.splitlines()) == len({line[3] for line in lines})
    highest = merging.highest_number([f"{one:04X}\n" for one in numbers])
    assert (int(highest, 16) if highest else None) == max(numbers, default=None)
