"""More than one thing is the matter: what the doctor prescribes first is not refused."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mtls_openssl.doctor import Severity
from tests.ailments import CA, codes, findings, gone, heed, issue, of_the_set, rewritten, unlogged
from tests.machine import lock, mtls
from tests.sets import PASSPHRASE

pytestmark = [pytest.mark.end_to_end, pytest.mark.posix]  # a process takes its time on Windows

DAY = dt.timedelta(days=1)


@pytest.fixture(name="folder")
def folder_fixture(modern: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(modern, tmp_path / "set"))
    unlogged(folder)
    return folder


def another(folder: Path) -> None:
    """The server has a certificate of another CA."""
    other = folder.parent / "other"
    mtls("all", "--profile", "modern", "--out", other, cwd=folder)
    shutil.copy(other / "server.crt", folder)


def another_root(folder: Path) -> None:
    """The certificate of the CA is another's."""
    mtls("ca", "--profile", "modern", "--out", folder.parent / "other", cwd=folder)
    shutil.copy(folder.parent / "other" / "ca.crt", folder)


@pytest.mark.parametrize(
    ("plant", "command"),
    [
        (another, "python -m mtls_openssl renew server --out "),
        (gone("server.key"), "python -m mtls_openssl renew server --rekey --out "),
        (
            gone("server.crt"),
            "move server.key away; then: python -m mtls_openssl server add server",
        ),
    ],
    ids=["of another", "no key", "no certificate"],
)
def test_where_the_key_of_the_ca_has_a_pass_phrase_what_asks_for_it_is_prescribed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], None], command: str
) -> None:
    plant(folder)
    lock(folder / "ca.key", PASSPHRASE)
    monkeypatch.setenv("MTLS_CA_PASSPHRASE", PASSPHRASE)

    mend = of_the_set(findings(folder))[0].mend

    assert mend.startswith(command)
    if "away; then: " in mend:
        (folder / "server.key").unlink()
    heed(mend.rpartition("then: ")[2], folder)
    assert codes(findings(folder)) == []


def test_a_ca_that_has_expired_comes_before_a_certificate_that_it_can_not_issue(
    folder: Path,
) -> None:
    issue(folder, "ca", extensions=CA, begin=-9 * DAY, end=-DAY, self_signed=True)
    (folder / "server.crt").unlink()

    first = of_the_set(findings(folder))[0]
    assert (first.code, first.subject) == ("expired", "ca.crt")
    heed(first.mend, folder)
    second = of_the_set(findings(folder))[0]
    assert (second.code, second.subject) == ("missing", "server.crt")
    heed(second.mend, folder)

    assert "server.crt" not in {one.subject for one in of_the_set(findings(folder))}


def test_with_a_fleet_a_ca_that_has_lost_its_key_is_not_replaced_behind_its_back(
    folder: Path,
) -> None:
    mtls("issue", "-n", "1", "--cn", "device-{}", cwd=folder)
    shutil.copy(folder / "server.key", folder / "ca.key")

    (mend,) = [one.mend for one in findings(folder) if one.subject == "ca.key"]

    assert mend.startswith("describe the set in mtls.toml; then: python -m mtls_openssl apply ")
    assert " --replace ca " in mend


@pytest.mark.parametrize(
    "plant",
    [gone("ca.crt"), rewritten("ca.crt", lambda all_: all_[:99]), another_root],
    ids=["gone", "cut off", "of another"],
)
def test_the_certificate_of_a_ca_comes_out_of_a_pkcs12_file_that_has_it(
    folder: Path, plant: Callable[[Path], None]
) -> None:
    before = (folder / "ca.crt").read_text("ascii")
    plant(folder)

    mend = of_the_set(findings(folder))[0].mend

    assert " convert client.p12 ca.crt " in mend.replace(f"{folder}/", "")
    heed(f"{mend} --password-env MTLS_P12_PASSWORD", folder)
    assert (folder / "ca.crt").read_text("ascii") == before
    assert codes(findings(folder)) == []


def test_beside_a_second_root_a_certificate_of_neither_is_named(folder: Path) -> None:
    mtls("ca", "--profile", "modern", "--out", folder.parent / "second", cwd=folder)
    second = (folder.parent / "second" / "ca.crt").read_text("ascii")
    (folder / "ca.crt").write_text((folder / "ca.crt").read_text("ascii") + second, "ascii")
    another(folder)

    found = {(one.code, one.subject) for one in of_the_set(findings(folder))}

    assert {("several-certificates", "ca.crt"), ("chain", "server.crt")} <= found
    assert ("chain", "client.crt") not in found


@pytest.fixture(name="layered")
def layered_fixture(tmp_path: Path) -> Path:
    """A set with an intermediate authority, and a log."""
    folder = tmp_path / "layered"
    folder.mkdir()
    (folder / "mtls.toml").write_text(
        'profile = "modern"\n[ca]\n[intermediate]\n[[client]]\nname = "alice"\n'
    )
    mtls("apply", cwd=folder)
    return folder


def test_what_stands_above_comes_before_what_stands_below_it(folder: Path, layered: Path) -> None:
    shutil.copy(folder / "ca.crt", layered)
    (layered / "intermediate.crt").unlink()
    (layered / "alice.crt").write_bytes(b"")

    named = [one.subject for one in of_the_set(findings(layered))]

    assert named.index("ca.key") < named.index("intermediate.crt") < named.index("alice.crt")


def test_what_only_has_to_be_written_anew_comes_before_what_is_made_with_it(layered: Path) -> None:
    (layered / "intermediate.crt").write_bytes(b"")
    as_windows_does = (layered / "alice.crt").read_text("ascii").encode("utf-16")
    (layered / "alice.crt").write_bytes(as_windows_does)

    for code in ("encoding", "damaged"):
        first = of_the_set(findings(layered))[0]
        assert first.code == code
        heed(first.mend, layered)
    assert [one.severity for one in of_the_set(findings(layered))] == []


def test_what_was_brought_back_by_hand_is_worth_a_note(layered: Path) -> None:
    mtls("renew", "alice", cwd=layered)
    (backup,) = layered.glob("backup/*/alice.crt")
    shutil.copy(backup, layered)
    mtls("apply", cwd=layered)

    (one,) = of_the_set(findings(layered))

    assert (one.code, one.subject, one.severity) == ("file-older", "alice.crt", Severity.NOTE)
