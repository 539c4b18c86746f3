"""A revocation that goes wrong anywhere: the folder has the old register or the new one, whole."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from mtls_openssl.openssl import ca
from tests.authority import issue, left, serial, serials
from tests.machine import CHECKOUT, mtls, ran, snapshot, stand_in, started

KILLED = 9
COMMANDS = {
    "enter": "* -valid *",
    "revoke": "* -revoke *",
    "list": "* -gencrl *",
    "write as DER": "* crl *-outform DER*",
}
FAULTS = {
    "fails": "echo broken >&2; exit 1",
    "does nothing and says that all is well": "exit 0",
}
ENDS = {
    "interrupted": ("kill -INT $PPID; sleep 9; exit 1", 130),
    "killed": ("kill -9 $PPID; exit 1", -KILLED),
}
REFUSED = (
    r'printf "error 23 at 0 depth lookup: certificate revoked\n" >&2;'
    r'printf "error $one: verification failed\n" >&2'
)

EXPIRED = REFUSED.replace("23", "10").replace("certificate revoked", "certificate has expired")
UNDECIDED = REFUSED.replace("23", "17").replace("certificate revoked", "out of memory")


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    return left(tmp_path / "set")


def prepare(folder: Path, command: str) -> None:
    """Leave something to do for a command."""
    if command == "enter":
        issue(folder, "dora", "ca", "client")


def hidden(folder: Path) -> list[Path]:
    """What a run has left of its own."""
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def kept(folder: Path) -> dict[str, bytes]:
    """The files of the set, without the log and what a killed run leaves of its own."""
    return {
        name: data
        for name, data in snapshot(folder).items()
        if not name.endswith(".jsonl") and not name.startswith(".mtls")
    }


@pytest.mark.posix
@pytest.mark.parametrize("way", FAULTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_when_a_command_goes_wrong_all_stays_as_it_was(
    folder: Path, tmp_path: Path, command: str, way: str
) -> None:
    program = stand_in(tmp_path, COMMANDS[command], FAULTS[way])
    prepare(folder, command)
    before = kept(folder)

    done = mtls(
        "revoke", "bob", "--openssl", program, "--out", folder, cwd=tmp_path, exit_code=None
    )

    assert done.returncode in {4, 5}
    assert kept(folder) == before
    assert "unbroken" in mtls("audit", "verify", "--out", folder, cwd=tmp_path).stdout
    assert not hidden(folder)


@pytest.mark.posix
@pytest.mark.parametrize(
    ("way", "command"),
    [
        *(("killed", command) for command in COMMANDS),
        *(("interrupted", command) for command in ("enter", "list")),
    ],
)
def test_when_it_ends_in_a_command_the_old_register_and_crl_stay_and_it_can_be_done_again(
    folder: Path, tmp_path: Path, way: str, command: str
) -> None:
    script, code = ENDS[way]
    program = stand_in(tmp_path, COMMANDS[command], script)
    prepare(folder, command)
    before = kept(folder)

    started("revoke", "bob", "--openssl", program, "--out", folder, cwd=tmp_path, exit_code=code)

    assert kept(folder) == before
    mtls("revoke", "bob", "--out", folder, cwd=tmp_path)
    assert serials(folder) == {serial(folder, "alice.crt"), serial(folder, "bob.crt")}
    assert "unbroken" in mtls("audit", "verify", "--out", folder, cwd=tmp_path).stdout
    assert not hidden(folder)


@pytest.mark.posix
def test_a_crl_that_does_not_list_the_leaver_is_never_put_in_place(
    folder: Path, tmp_path: Path
) -> None:
    # What was in place before is given for the new one.
    program = stand_in(tmp_path, COMMANDS["list"], f"cp {folder}/crl.pem crl.pem; exit 0")
    before = kept(folder)

    done = mtls("revoke", "bob", "--openssl", program, "--out", folder, cwd=tmp_path, exit_code=5)

    assert "it lists what the register says is revoked" in done.stderr
    assert kept(folder) == before


@pytest.mark.posix
@pytest.mark.parametrize(
    ("says", "wanted"),
    [
        ('echo "$one: OK"', "alice .*: it is not: OK .wanted: it is refused as revoked"),
        (REFUSED, "server .*: certificate revoked .wanted: the CRL lets it in"),
        (UNDECIDED, "server .*: out of memory .wanted: the CRL lets it in"),
        (
            'echo "verify: out of memory" >&2; exit 2',
            "server .*: openssl gave no answer: verify: out of memory .wanted: the CRL lets it in",
        ),
    ],
    ids=["lets everybody in", "refuses everybody", "decides nothing", "gives no answer"],
)
def test_a_crl_by_which_openssl_decides_otherwise_is_never_put_in_place(
    folder: Path, tmp_path: Path, says: str, wanted: str
) -> None:
    each = f'for one; do case "$one" in crl.pem) ;; *.pem) {says};; esac; done; exit 0'
    program = stand_in(tmp_path, "* -crl_check *", each)
    before = kept(folder)

    done = mtls("revoke", "bob", "--openssl", program, "--out", folder, cwd=tmp_path, exit_code=5)

    assert re.search(wanted, " ".join(done.stderr.split()))
    assert kept(folder) == before


@pytest.mark.posix
def test_where_openssl_gives_no_answer_no_crl_is_called_proven(
    folder: Path, tmp_path: Path
) -> None:
    program = stand_in(tmp_path, "* -crl_check *", 'echo "verify: out of memory" >&2; exit 2')
    (folder / "alice.crt").unlink()
    before = kept(folder)

    done = mtls("crl", "--openssl", program, "--out", folder, cwd=tmp_path, exit_code=5)

    assert "openssl gave no answer: verify: out of memory" in " ".join(done.stderr.split())
    assert kept(folder) == before


@pytest.mark.posix
def test_that_an_authority_has_expired_is_no_fault_of_the_crl(folder: Path, tmp_path: Path) -> None:
    says = EXPIRED.replace("at 0", "at 1")
    each = f'for one; do case "$one" in crl.pem) ;; *.pem) {says};; esac; done; exit 2'
    (folder / "alice.crt").unlink()

    mtls(
        "crl", "--openssl", stand_in(tmp_path, "* -crl_check *", each), "--out", folder,
        cwd=tmp_path,
    )  # fmt: skip


@pytest.mark.parametrize(
    "function",
    [
        "mtls_openssl.workspace.commit.write_journal",
        "mtls_openssl.workspace.commit.carry_out",
        "mtls_openssl.workspace.commit.forget",
    ],
)
def test_a_kill_while_it_is_put_in_place_leaves_register_and_crl_in_step(
    folder: Path, function: str
) -> None:
    module, _, name = function.rpartition(".")
    program = (
        f"import os, {module} as module; module.{name} = lambda *_, **__: os._exit({KILLED});"
        f"from mtls_openssl.cli import app; app(['revoke', 'bob', '--out', {str(folder)!r}])"
    )
    env = {"PYTHONPATH": str(CHECKOUT), **os.environ}
    ran(sys.executable, "-c", program, cwd=folder, env=env, exit_code=KILLED)

    mtls("crl", "--out", folder, cwd=folder)

    entries = ca.parse((folder / "index.txt").read_text("utf-8"))
    revoked = {one.serial for one in entries if one.status is ca.Status.REVOKED}
    assert revoked == serials(folder)
    assert serial(folder, "alice.crt") in revoked
    assert "unbroken" in mtls("audit", "verify", "--out", folder, cwd=folder).stdout
    assert not hidden(folder)
