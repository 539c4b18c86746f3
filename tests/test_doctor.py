"""The doctor on the batch file's set: what it names, and what comes of what it prescribes."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from mtls_openssl import doctor
from mtls_openssl.audit import LOG
from mtls_openssl.doctor import Patient, Severity
from tests import ailments, original
from tests.ailments import (
    CA,
    HARMLESS,
    asked,
    codes,
    findings,
    gone,
    heed,
    issue,
    of_the_set,
    ssl,
    take,
    unaided,
    unlogged,
)
from tests.machine import mtls, snapshot

# Some are marked as posix that are the same on Windows, where a process takes its time.
pytestmark = pytest.mark.end_to_end

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Healthy sets: of the profile modern, another one like it, and the batch file's own."""
    folder = tmp_path_factory.mktemp("sets")
    for name, options in {"modern": (), "other": ("--ca-cn", "Another CA")}.items():
        (folder / name).mkdir()
        mtls("all", "-q", "--profile", "modern", *options, cwd=folder / name)
    (folder / "theirs").mkdir()
    original.make(folder / "theirs")
    return folder


@pytest.fixture
def folder(sets: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sets / "modern", tmp_path / "我的 证书"))


@pytest.fixture(scope="module")
def healthy(sets: Path) -> Patient:
    """What is seen of a healthy set."""
    return ailments.patient(Path(shutil.copytree(sets / "modern", sets / "healthy")))


@pytest.fixture
def other(sets: Path) -> Path:
    return sets / "other"


@pytest.mark.parametrize(
    "options",
    [
        ("bat",),
        pytest.param(("guide", "--ca-key-size", "2048"), marks=pytest.mark.posix),
        pytest.param(("modern",), marks=pytest.mark.posix),
    ],
    ids=lambda options: options[0],
)
def test_a_healthy_set_is_told_so(options: tuple[str, ...], tmp_path: Path) -> None:
    mtls("all", "-q", "--profile", *options, cwd=tmp_path)
    healthy = mtls("doctor", "--json", cwd=tmp_path, exit_code=None)
    data = json.loads(healthy.stdout)
    assert [one for one in data["findings"] if one["code"] not in HARMLESS] == []
    assert healthy.returncode == 0 or sys.platform == "win32"  # Wine keeps no permissions


def test_the_batch_files_ca_is_the_first_thing_that_is_named_and_its_repair_makes_all_well(
    sets: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sets / "theirs", tmp_path / "我的 证书"))
    found = of_the_set(findings(folder))
    assert [(one.code, one.subject) for one in found] == [("ca-key-usage", "ca.crt")]
    assert found[0].mend.startswith("python -m mtls_openssl repair-ca")
    take(found[0].mend, folder)
    (left,) = of_the_set(findings(folder))
    assert left.code == "p12-ca"
    heed(left.mend, folder)
    assert codes(findings(folder)) == []


@pytest.mark.posix
def test_a_certificate_of_another_ca_is_named_with_that_ca(folder: Path, other: Path) -> None:
    unlogged(folder)
    issue(folder, "server", by=other)
    first = of_the_set(findings(folder))[0]
    assert first.code == "chain"
    assert "CN=Another CA" in first.what
    heed(first.mend, folder)
    assert codes(findings(folder)) == []


def test_what_fits_is_brought_back_from_the_backup(folder: Path) -> None:
    unlogged(folder)
    backup = folder / "backup" / "2026-01-01T00-00-00Z"
    backup.mkdir(parents=True, mode=0o700)
    for name in ("ca.crt", "server.key"):
        (folder / name).replace(backup / name)
    for first in ("ca.crt", "server.key"):
        found = of_the_set(findings(folder))[0]
        assert (found.code, found.subject) == ("missing", first)
        assert "backup" in found.mend
        take(found.mend, folder)
    assert set(codes(findings(folder))) <= {"key-open"}


def test_a_certificate_that_is_not_valid_yet_is_blamed_on_the_clock(healthy: Patient) -> None:
    yesterday = dt.datetime.now(dt.UTC) - DAY
    first = of_the_set(asked(healthy, now=yesterday))[0]
    assert (first.code, first.subject) == ("not-yet-valid", "ca.crt")
    assert any(word in first.mend for word in ("timedatectl", "w32tm", "sntp"))


def test_a_clock_without_a_battery_is_named_before_all_that_comes_of_it(healthy: Patient) -> None:
    found = of_the_set(asked(healthy, now=dt.datetime(1970, 1, 1, tzinfo=dt.UTC)))
    assert found[0].code == "clock"


def test_files_of_tomorrow_make_the_clock_suspect(healthy: Patient) -> None:
    yesterday = dt.datetime.now(dt.UTC) - DAY
    assert "clock" in codes(asked(healthy, now=yesterday))


@pytest.mark.parametrize("name", ["server.your_domain.com", "your_domain.com", "127.0.0.1"])
def test_a_name_that_the_server_has_is_no_finding(name: str, healthy: Patient) -> None:
    assert codes(asked(healthy, domain=name)) == []


@pytest.mark.parametrize(
    "name", ["shop.example", pytest.param("192.0.2.7", marks=pytest.mark.posix)]
)
def test_a_name_that_the_server_lacks_is_added_by_what_is_prescribed(
    name: str, folder: Path
) -> None:
    first = of_the_set(findings(folder, domain=name))[0]
    assert first.code == "names"
    heed(first.mend, folder)
    cured = ailments.patient(folder)
    assert "names" not in codes(asked(cured, domain=name))
    assert "names" not in codes(asked(cured, domain="server.your_domain.com"))


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chinese")
    options = ("--org", "测试 公司", "--domain", "例子.测试", "--server-ip", "192.0.2.9")
    mtls("all", "-q", "--profile", "modern", *options, cwd=folder)
    return folder


def test_names_and_organisation_survive_what_is_prescribed(chinese: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(chinese, tmp_path / "set"))
    before = named(folder)
    shutil.copy(folder / "client.key", folder / "server.key")
    heed(of_the_set(findings(folder))[0].mend, folder)
    assert named(folder) == before
    heed(of_the_set(findings(folder, domain="192.0.2.10"))[0].mend, folder)
    assert named(folder) == before.replace("IP Address:", "IP Address:192.0.2.10, IP Address:", 1)


def named(folder: Path) -> str:
    """Whom the server's certificate is for, and the kind of its key."""
    said = ssl(folder, "x509", "-in", "server.crt", "-noout", "-text")
    kind = re.search(r"Public Key Algorithm: .*", said)
    names = ssl(folder, "x509", "-in", "server.crt", "-noout", "-subject", "-ext", "subjectAltName")
    assert kind
    return f"{kind[0]}\n{names}"


def test_a_name_in_chinese_is_the_one_that_the_certificate_has(
    chinese: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(chinese, tmp_path / "set"))
    told = mtls("doctor", "--json", "--domain", "例子.测试", cwd=folder, exit_code=None)
    assert "names" not in {one["code"] for one in json.loads(told.stdout)["findings"]}


def test_what_ends_soon_is_renewed_for_its_own_key_and_life(folder: Path) -> None:
    unlogged(folder)
    issue(folder, "client", begin=-90 * DAY, end=9 * DAY)
    key = (folder / "client.key").read_bytes()
    first = of_the_set(findings(folder, password=None))[0]
    assert first.code == "expires-soon"
    assert first.mend.startswith("python -m mtls_openssl renew client ")

    heed(first.mend, folder)

    cured = ailments.patient(folder)
    client = cured.certificates["client"]
    assert (folder / "client.key").read_bytes() == key
    assert (client.not_after - client.not_before).days == 99
    assert codes(doctor.examine(cured)) == []


def test_what_ends_soon_and_has_no_key_to_be_renewed_for_is_made_anew(
    folder: Path, healthy: Patient
) -> None:
    (folder / "client.key").unlink()
    end = healthy.certificates["client"].not_after - 9 * DAY
    (soon,) = (
        one for one in findings(folder, now=end)
        if (one.code, one.subject) == ("expires-soon", "client.crt")
    )  # fmt: skip
    assert soon.mend.startswith("python -m mtls_openssl client ")


def test_what_ends_soon_is_made_anew_where_mtls_toml_asks_for_another_kind_of_key(
    folder: Path, healthy: Patient
) -> None:
    (folder / "mtls.toml").write_text("key_size = 2048\n")
    end = healthy.certificates["client"].not_after - 9 * DAY
    (soon,) = (
        one for one in findings(folder, now=end)
        if (one.code, one.subject) == ("expires-soon", "client.crt")
    )  # fmt: skip
    assert soon.mend.startswith("python -m mtls_openssl client ")


def test_a_bundle_of_an_earlier_certificate_is_packed_again(folder: Path) -> None:
    unlogged(folder)
    issue(folder, "client")
    first = of_the_set(findings(folder))[0]
    assert (first.code, first.subject) == ("p12-stale", "client.p12")
    heed(first.mend, folder)
    assert codes(findings(folder)) == []


def test_a_bundle_that_does_not_open_is_named(folder: Path) -> None:
    assert codes(findings(folder, password="not this one")) == ["p12-password"]


def test_each_bundle_is_opened_with_the_password_that_was_made_up_for_it(folder: Path) -> None:
    none = {"MTLS_P12_PASSWORD": None}
    for owner in ("client", "server"):
        mtls("p12", "-q", owner, cwd=folder, env=none)
        assert (folder / f"{owner}.p12.password").is_file()
    told = json.loads(mtls("doctor", "--json", cwd=folder, env=none, exit_code=None).stdout)
    assert [one for one in told["findings"] if one["code"] not in HARMLESS] == []
    assert told["not_examined"] == []


@pytest.mark.posix
def test_a_bundle_is_packed_again_for_who_has_to_read_it(folder: Path) -> None:
    mtls("p12", "-q", "--for", "modern", cwd=folder)
    examined = ailments.patient(folder)
    assert codes(asked(examined, reader="modern")) == []
    found = asked(examined, reader="windows2016")
    first = next(one for one in found if one.code == "p12-reader")
    assert "Windows Server 2016" in first.what
    heed(first.mend, folder)
    left = {one.code for one in findings(folder, reader="windows2016")}
    assert "p12-reader" not in left


def test_without_a_password_the_bundle_is_left_closed_and_that_is_said(folder: Path) -> None:
    examined = ailments.patient(folder, password=None)
    assert codes(doctor.examine(examined)) == []
    (said,) = doctor.not_opened(examined)
    assert said == "client.p12 was not opened: its password was not given."


def test_a_changed_log_is_an_error_and_its_line_is_named(folder: Path) -> None:
    log = folder / LOG
    log.write_bytes(log.read_bytes().replace(b"make the CA's private key", b"make a private key"))
    first = of_the_set(unaided(folder))[0]
    assert first.code == "log-broken"
    assert "line " in first.what


def test_a_file_that_was_put_there_by_hand_is_a_warning(folder: Path) -> None:
    issue(folder, "client")
    found = of_the_set(findings(folder, password=None))
    assert [(one.code, one.subject, one.severity) for one in found] == [
        ("file-changed", "client.crt", Severity.WARNING)
    ]


def test_settings_that_are_refused_are_named(folder: Path) -> None:
    (folder / "mtls.toml").write_text("cert_days = 'many'\n")
    first = of_the_set(unaided(folder))[0]
    assert (first.code, first.subject) == ("settings", "mtls.toml")


@pytest.mark.posix
def test_a_ca_that_ends_before_what_it_issued_is_worth_a_note(folder: Path) -> None:
    unlogged(folder)
    issue(folder, "ca", extensions=CA, end=100 * DAY, self_signed=True)
    issue(folder, "server")
    issue(folder, "client")
    assert "ca-outlived" in codes(findings(folder, password=None))


def test_what_is_not_there_and_need_not_be_is_worth_a_note(folder: Path) -> None:
    gone("ca.key", "client.key", "client.crt", "client.p12")(folder)
    found = of_the_set(findings(folder))
    assert [one.code for one in found] == ["ca-key-absent", "no-client"]
    assert {one.severity for one in found} == {Severity.NOTE}


def test_to_look_changes_nothing_but_the_log(folder: Path) -> None:
    before = snapshot(folder)
    mtls("doctor", cwd=folder, exit_code=None)
    after = snapshot(folder)
    assert after.pop(LOG).startswith(before.pop(LOG))
    assert after == before
