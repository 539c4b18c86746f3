"""What belongs to somebody else, and is closed to us, is no fault of this program."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl import doctor
from mtls_openssl.inventory import survey
from mtls_openssl.inventory.held import Terms
from mtls_openssl.inventory.things import State
from mtls_openssl.locate import find_keytool
from mtls_openssl.trust import programs
from mtls_openssl.webserver import program as nginx
from tests.machine import mtls
from tests.ordinary import NOBODY, as_an_ordinary_user, reachable_folder
from tests.trusting import host, program

pytestmark = pytest.mark.posix

OF_ROOT = Path("/etc/master.passwd" if sys.platform == "darwin" else "/etc/shadow")
"""What is root's on every computer, and closed to all others."""


@pytest.fixture
def reachable() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def closed(reachable: Path) -> Iterator[Path]:
    """A folder that nobody but root can enter; `su` leaves root's own on the PATH."""
    folder = reachable / "closed"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize("name", ["ssh", "keytool", "nginx"])
def test_a_program_is_found_behind_a_folder_that_may_not_be_entered(
    reachable: Path, closed: Path, name: str
) -> None:
    there = program(reachable / "bin" / name)
    path = f"{closed}:{there.parent}"
    machine = host(reachable, PATH=path, JAVA_HOME=str(closed)).machine

    with as_an_ordinary_user():
        found = {
            "ssh": lambda: programs.find(machine, name),
            "keytool": lambda: find_keytool(machine),
            "nginx": lambda: nginx.find(None, {"PATH": path}),
        }[name]()
    assert found == there


def test_what_holds_a_private_key_of_somebody_else_is_passed_over_and_no_certificate_is(
    reachable: Path,
) -> None:
    mtls("all", "--profile", "modern", "--quiet", cwd=reachable)
    private = ["ca.key", "client.key", "client.p12", "privkey.pem", "server.key"]
    for name in (*private, "another.crt", "chain.pem"):
        (reachable / name).touch()
        (reachable / name).chmod(0)

    with as_an_ordinary_user():
        stock = survey.of_set(reachable, Terms(dt.datetime.now(dt.UTC)))
    broken = [one.file for one in survey.flat(stock) if one.verdict.state is State.BROKEN]
    assert broken == ["another.crt", "chain.pem"]
    assert set(private) <= set(stock.passed_over)


@pytest.fixture(scope="module", name="original")
def original_fixture() -> Iterator[Path]:
    """A set with a fleet: two clients in folders, and one in an archive."""
    with reachable_folder() as folder:
        mtls("all", "--profile", "modern", "--quiet", cwd=folder)
        issue = ("issue", "--key", "P-256", "--quiet")
        mtls(*issue, "-n", "2", "--cn", "device-{}", cwd=folder)
        mtls(*issue, "-n", "1", "--cn", "packed-{}", "--zip", cwd=folder)
        mtls("crl", "--quiet", cwd=folder)
        mtls("doctor", cwd=folder, exit_code=None)
        (folder / "mtls-audit.jsonl").chmod(0o644)
        yield folder


@pytest.fixture(name="fleet")
def fleet_fixture(original: Path) -> Iterator[Path]:
    """The same, where others may look into the folders of the fleet."""
    with reachable_folder() as folder:
        fleet = shutil.copytree(original, folder / "set")
        for each in (fleet, fleet / "clients", *fleet.glob("clients/device-*")):
            each.chmod(0o755)
        for public in (*fleet.glob("clients/device-*/*.crt"), *fleet.glob("clients/*.zip")):
            public.chmod(0o644)
        yield fleet


@pytest.mark.parametrize("name", ["clients", "clients/device-1", "clients/packed-1.zip"])
def test_status_does_not_call_a_fleet_fine_that_it_may_not_look_into(
    fleet: Path, name: str
) -> None:
    with as_an_ordinary_user():
        mtls("status", cwd=fleet)
    (fleet / name).chmod(0)

    with as_an_ordinary_user():
        done = mtls("status", "--json", cwd=fleet, exit_code=7)
        mtls("status", "--nagios", cwd=fleet, exit_code=3)

    told = json.loads(done.stdout)["places"][0]["broken"]
    assert [(one["file"], one["state"]) for one in told] == [(name, "not opened")]


def test_what_is_over_in_a_set_is_not_hidden_by_what_may_not_be_looked_into(fleet: Path) -> None:
    (fleet / "clients").chmod(0)
    (fleet / "server.crt").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")

    with as_an_ordinary_user():
        mtls("status", cwd=fleet, exit_code=2)
        mtls("status", "--nagios", cwd=fleet, exit_code=2)


def test_status_goes_on_past_a_key_that_is_kept_where_it_may_not_look(
    fleet: Path, closed: Path
) -> None:
    closed.chmod(0o700)
    (fleet / "server.key").rename(closed / "server.key")
    (fleet / "server.key").symlink_to(closed / "server.key")
    closed.chmod(0)

    with as_an_ordinary_user():
        told = mtls("status", cwd=fleet).stdout
    assert "server.crt" in told


@pytest.mark.parametrize(
    "command", ["inspect {}", "match {}", "convert {} x.pem", "key decrypt {}"]
)
def test_a_file_that_may_not_be_read_is_told_as_one_that_is_not_there(
    reachable: Path, command: str
) -> None:
    reachable.chmod(0o777)
    (reachable / "ca.key").write_text("")
    (reachable / "ca.key").chmod(0)

    mtls(*command.format("none.key").split(), cwd=reachable, exit_code=7)
    with as_an_ordinary_user():
        log = {"MTLS_LOG_DIR": str(reachable / "log")}
        done = mtls(*command.format("ca.key").split(), cwd=reachable, env=log, exit_code=7)
    assert done.stderr.startswith("Error: ca.key can't be read: Permission denied\n")


@pytest.mark.parametrize("command", ["schema --write {}/x", "status --out {}", "all --out {}/x"])
def test_a_place_that_may_not_be_entered_is_told_with_what_mends_it(
    reachable: Path, closed: Path, command: str
) -> None:
    mtls(*command.format("none/none").split(), cwd=reachable, exit_code=None)
    with as_an_ordinary_user():
        done = mtls(*command.format(closed).split(), cwd=reachable, exit_code=7)
    assert done.stderr.startswith(f"Error: {closed}")
    assert "To mend it: run the command as the user who owns" in done.stderr


@pytest.mark.parametrize(
    ("ours", "severity", "mend"), [(False, "note", "sudo -u "), (True, "error", "chmod 600 ")]
)
def test_a_key_that_may_not_be_read_is_told_with_whose_it_is_and_what_mends_it(
    reachable: Path, monkeypatch: pytest.MonkeyPatch, ours: bool, severity: str, mend: str
) -> None:
    mtls("all", "--profile", "modern", "--quiet", cwd=reachable)
    (reachable / "log").mkdir()
    (reachable / "log").chmod(0o777)
    (reachable / "server.key").chmod(0)
    mtls("doctor", cwd=reachable, exit_code=None)
    monkeypatch.setattr(doctor.closed, "is_ours", lambda _path: ours)

    with as_an_ordinary_user():
        log = {"MTLS_LOG_DIR": str(reachable / "log")}
        done = mtls("doctor", "--json", cwd=reachable, env=log, exit_code=None)

    found = {one["subject"]: one for one in json.loads(done.stdout)["findings"]}["server.key"]
    assert (found["code"], found["severity"]) == ("unreadable", severity)
    assert found["mend"].startswith(mend)
    assert str(reachable) in found["mend"]


def said(folder: Path) -> list[dict[str, str]]:
    """What doctor says to somebody else; not of what all may read."""
    (folder.parent / "log").mkdir(mode=0o777, exist_ok=True)
    (folder.parent / "log").chmod(0o777)
    with as_an_ordinary_user():
        log = {"MTLS_LOG_DIR": str(folder.parent / "log")}
        done = mtls("doctor", "--json", cwd=folder, env=log, exit_code=None)
    found: list[dict[str, str]] = json.loads(done.stdout)["findings"]
    return found


def findings(folder: Path) -> dict[str, dict[str, str]]:
    """The same, by what it is about."""
    return {one["subject"]: one for one in said(folder)}


def given_away(folder: Path) -> None:
    """The set is that of whom `as_an_ordinary_user` takes over for."""
    if os.geteuid() == 0:
        for each in (folder, *folder.rglob("*")):
            os.chown(each, NOBODY, NOBODY, follow_symlinks=False)


@pytest.mark.parametrize(
    ("shut", "what"),
    [
        ("clients", "You may not read clients: it belongs to "),
        ("clients/device-1", "You may not look at 1 client of the fleet: device-1."),
        ("clients/packed-1.zip", "You may not look at 1 client of the fleet: packed-1."),
    ],
)
def test_doctor_says_what_of_a_fleet_it_may_not_look_into(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, shut: str, what: str
) -> None:
    (fleet / shut).chmod(0)
    monkeypatch.setattr(doctor.closed, "is_ours", lambda _path: False)

    (found,) = [one for one in findings(fleet).values() if one["code"] == "fleet-unreadable"]

    assert found["subject"].startswith(shut)
    assert found["severity"] == "note"
    assert found["what"].startswith(what)


def test_doctor_tells_of_a_key_that_is_kept_where_it_may_not_look_and_examines_the_others(
    fleet: Path, closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed.chmod(0o700)
    (fleet / "server.key").rename(closed / "server.key")
    (fleet / "server.key").symlink_to(closed / "server.key")
    (fleet / "client.key").unlink()
    closed.chmod(0)
    monkeypatch.setattr(doctor.closed, "is_ours", lambda _path: False)

    found = findings(fleet)

    assert found["server.key"]["code"] == "unreadable"
    assert found["server.key"]["mend"].startswith("sudo -u ")
    assert found["client.key"]["code"] == "missing"


@pytest.mark.parametrize("backup", ["backup", "backup/2026-01-02T03-04-05Z"])
def test_doctor_goes_on_without_backups_that_it_may_not_look_into(
    fleet: Path, closed: Path, backup: str
) -> None:
    shutil.rmtree(fleet / "backup")
    (fleet / backup).parent.mkdir(exist_ok=True)
    (fleet / backup).symlink_to(closed / "elsewhere")
    (fleet / "client.key").unlink()
    given_away(fleet)

    assert findings(fleet)["client.key"]["code"] == "missing"


def test_doctor_goes_on_without_the_log_of_a_set_that_may_not_be_written(fleet: Path) -> None:
    (fleet / "mtls-audit.jsonl").chmod(0)
    given_away(fleet)

    log = findings(fleet)["mtls-audit.jsonl"]

    assert (log["code"], log["severity"]) == ("log-unreadable", "error")
    assert log["mend"].startswith("chmod 600 ")


def test_a_register_that_may_not_be_read_is_told_with_whose_it_is(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fleet / "index.txt").chmod(0)
    monkeypatch.setattr(doctor.closed, "is_ours", lambda _path: False)

    register = findings(fleet)["index.txt"]

    assert register["code"] == "register"
    assert register["what"].startswith("You may not read index.txt: it belongs to ")
    assert " chmod 644 " in register["mend"]


def test_a_link_of_ours_to_what_belongs_to_somebody_else_is_not_prescribed_to_be_opened(
    fleet: Path,
) -> None:
    (fleet / "server.key").unlink()
    (fleet / "server.key").symlink_to(OF_ROOT)
    given_away(fleet)

    (mend,) = [one["mend"] for one in said(fleet) if one["code"] == "unreadable"]

    assert mend.startswith("sudo -u root ")


def test_a_key_of_somebody_else_that_all_may_read_is_theirs_to_close(fleet: Path) -> None:
    (fleet / "server.key").unlink()
    (fleet / "server.key").symlink_to("/etc/passwd")
    given_away(fleet)

    (found,) = [
        one for one in said(fleet) if (one["code"], one["subject"]) == ("key-open", "server.key")
    ]

    assert found["mend"] == f"sudo -u root chmod 600 {fleet / 'server.key'}"


def test_a_key_of_somebody_else_that_a_group_may_read_is_theirs_to_close(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fleet / "server.key").chmod(0o640)
    given_away(fleet)
    monkeypatch.setattr(doctor.closed, "is_ours", lambda _path: False)

    (mend,) = [one["mend"] for one in said(fleet) if one["code"] == "key-group"]

    assert mend.startswith("sudo -u ")
    assert mend.endswith(f" chmod 600 {fleet / 'server.key'}")


def test_what_an_authority_has_issued_is_not_blamed_where_that_one_may_not_be_read(
    reachable: Path,
) -> None:
    layered = reachable / "set"
    layered.mkdir()
    (layered / "mtls.toml").write_text(
        'profile = "modern"\n[ca]\n[intermediate]\n[[server]]\nname = "www"\n'
    )
    mtls("apply", "--quiet", cwd=layered)
    before = findings(layered)
    (layered / "intermediate.crt").chmod(0)

    assert findings(layered).keys() - before.keys() == {"intermediate.crt"}
