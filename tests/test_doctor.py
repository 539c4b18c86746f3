"""The doctor names each planted fault first, and what it prescribes cures it."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtls_openssl import doctor
from mtls_openssl.audit import LOG
from mtls_openssl.doctor import Severity
from tests import ailments, original
from tests.ailments import (
    CA,
    HARMLESS,
    codes,
    findings,
    gone,
    issue,
    moved,
    of_the_set,
    rewritten,
    ssl,
    take,
    unlogged,
)
from tests.machine import PASSWORD, lock, mtls, snapshot

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


@pytest.fixture
def other(sets: Path) -> Path:
    return sets / "other"


def der(folder: Path) -> None:
    ssl(folder, "x509", "-in", "server.crt", "-outform", "DER", "-out", "server.der")
    (folder / "server.der").replace(folder / "server.crt")


def with_password(folder: Path) -> None:
    lock(folder / "server.key", PASSWORD)


def with_small_key(folder: Path) -> None:
    ssl(folder, "genrsa", "-out", "server.key", "1024")
    issue(folder, "server")


def swapped(folder: Path) -> None:
    (folder / "server.crt").replace(folder / "x")
    (folder / "client.crt").replace(folder / "server.crt")
    (folder / "x").replace(folder / "client.crt")


def with_key_inside(folder: Path) -> None:
    both = (folder / "server.crt").read_text() + (folder / "server.key").read_text()
    (folder / "server.crt").write_text(both)


def without_san(folder: Path) -> None:
    issue(folder, "server", extensions=ailments.SERVER[:4])


def without_authority(folder: Path) -> None:
    names_its_serial = "authorityKeyIdentifier = issuer:always"
    issue(folder, "client", extensions=(names_its_serial, *ailments.CLIENT[1:]))


def for_clients_only(folder: Path) -> None:
    issue(folder, "server", extensions=ailments.CLIENT)


def ca_made_anew(folder: Path) -> None:
    ssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-out", "ca.key")  # fmt: skip
    old = ssl(folder, "x509", "-in", "ca.crt", "-noout", "-subject", "-nameopt", "compat").strip()
    (folder / "v3.ext").write_text(
        "subjectKeyIdentifier = hash\nbasicConstraints = critical,CA:TRUE\n"
        "keyUsage = critical,keyCertSign\n"
    )
    ssl(folder, "req", "-new", "-key", "ca.key", "-out", "x.csr",
        "-subj", "/" + old.partition("=")[2].strip().lstrip("/").replace(", ", "/"))  # fmt: skip
    ssl(folder, "x509", "-req", "-in", "x.csr", "-signkey", "ca.key", "-days", "99",
        "-extfile", "v3.ext", "-out", "ca.crt")  # fmt: skip
    gone("v3.ext", "x.csr")(folder)


CURED: dict[str, tuple[Callable[[Path], None], str]] = {
    "ca.crt is missing": (gone("ca.crt"), "missing"),
    "server.crt is missing": (gone("server.crt"), "missing"),
    "client.key is missing": (gone("client.key"), "missing"),
    "nothing is there": (gone(*original.FILES), "no-set"),
    "server.crt is empty": (rewritten("server.crt", lambda _: b""), "damaged"),
    "client.crt is cut off": (rewritten("client.crt", lambda all_: all_[:400]), "damaged"),
    "server.key is damaged": (
        rewritten("server.key", lambda all_: all_[:60] + b"AAAAAAAA" + all_[68:]), "damaged"),
    "server.crt is DER": (der, "der"),
    "server.crt was saved with a byte order mark": (
        rewritten("server.crt", lambda all_: b"\xef\xbb\xbf" + all_), "encoding"),
    "ca.crt was saved as UTF-16": (
        rewritten("ca.crt", lambda all_: all_.decode().encode("utf-16")), "encoding"),
    "server.key was saved as UTF-16": (
        rewritten("server.key", lambda all_: all_.decode().encode("utf-16")), "encoding"),
    "server.key holds the certificate": (moved("server.crt", "server.key"), "wrong-kind"),
    "server.crt holds the key too": (with_key_inside, "key-in-certificate"),
    "server.key is the client's": (moved("client.key", "server.key"), "key-mismatch"),
    "ca.key is the server's": (moved("server.key", "ca.key"), "key-mismatch"),
    "server.key has a password": (with_password, "key-password"),
    "the leaves are in each other's place": (swapped, "purpose"),
    "server.crt is the CA's": (moved("ca.crt", "server.crt"), "purpose"),
    "server.crt is for clients only": (for_clients_only, "purpose"),
    "server.crt names no host": (without_san, "server-names"),
    "client.crt does not say who issued it": (without_authority, "authority-key-identifier"),
    "server.crt has expired": (
        lambda folder: issue(folder, "server", begin=-9 * DAY, end=-DAY), "expired"),
    "client.crt expires soon": (
        lambda folder: issue(folder, "client", begin=-90 * DAY, end=9 * DAY), "expires-soon"),
    "server.crt lasts too long for Apple": (
        lambda folder: issue(folder, "server", end=900 * DAY), "apple-days"),
    "the CA has expired": (
        lambda folder: issue(folder, "ca", extensions=CA, begin=-9 * DAY, end=-DAY,
                             self_signed=True), "expired"),
    "server.crt is signed with SHA-1": (lambda folder: issue(folder, "server", digest="sha1"),
                                        "weak-hash"),
    "the server's key is small": (with_small_key, "rsa-bits"),
    "the CA was made anew": (ca_made_anew, "chain"),
    "two serial numbers are one": (ailments.numbered, "serial-twice"),
    "a run was cut off": (ailments.journal, "unfinished"),
}  # fmt: skip


ALIKE = {
    "client.crt does not say who issued it", "client.crt expires soon", "nothing is there",
    "server.crt is empty", "server.crt is for clients only", "server.crt is signed with SHA-1",
    "server.crt is the CA's", "server.crt lasts too long for Apple", "server.crt names no host",
    "server.key holds the certificate", "server.key was saved as UTF-16",
    "the server's key is small", "two serial numbers are one",
}  # fmt: skip
"""What is the same on Windows, where a process takes its time."""

FAULTS = [
    pytest.param(fault, marks=[pytest.mark.posix] if fault in ALIKE else []) for fault in CURED
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_first_and_cured_by_what_is_prescribed(
    fault: str, folder: Path
) -> None:
    plant, code = CURED[fault]
    unlogged(folder)
    plant(folder)
    first = of_the_set(findings(folder, password=None))[0]
    assert first.code == code, first
    mend = first.mend
    if "convert" in mend and fault == "server.key has a password":
        mend = f"{mend} --password-env MTLS_P12_PASSWORD"
    # One command at a time, as the doctor says, until all is well: the first one must help.
    take(mend, folder)
    left = findings(folder, password=None)
    assert (first.code, first.subject) not in {(one.code, one.subject) for one in left}


@pytest.mark.parametrize("profile", ["bat", "guide", "modern"])
def test_a_healthy_set_is_told_so(profile: str, tmp_path: Path) -> None:
    mtls("all", "-q", "--profile", profile, cwd=tmp_path)
    healthy = mtls("doctor", "--json", cwd=tmp_path, exit_code=None)
    data = json.loads(healthy.stdout)
    assert [one for one in data["findings"] if one["code"] not in HARMLESS] == []
    assert healthy.returncode == 0 or sys.platform == "win32"  # Wine keeps no permissions


def test_the_batch_files_ca_is_the_first_thing_that_is_named_and_its_repair_makes_all_well(
    sets: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sets / "theirs", tmp_path / "set"))
    found = of_the_set(findings(folder))
    assert [(one.code, one.subject) for one in found] == [("ca-key-usage", "ca.crt")]
    assert found[0].mend.startswith("python -m mtls_openssl repair-ca")
    take(found[0].mend, folder)
    assert codes(findings(folder)) == ["p12-ca"]
    take(next(one.mend for one in findings(folder) if one.code == "p12-ca"), folder)
    assert codes(findings(folder)) == []


def test_a_certificate_of_another_ca_is_named_with_that_ca(folder: Path, other: Path) -> None:
    unlogged(folder)
    issue(folder, "server", by=other)
    first = of_the_set(findings(folder))[0]
    assert first.code == "chain"
    assert "CN=Another CA" in first.what
    take(first.mend, folder)
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


def test_a_certificate_that_is_not_valid_yet_is_blamed_on_the_clock(folder: Path) -> None:
    yesterday = dt.datetime.now(dt.UTC) - DAY
    first = of_the_set(findings(folder, now=yesterday))[0]
    assert (first.code, first.subject) == ("not-yet-valid", "ca.crt")
    assert any(word in first.mend for word in ("timedatectl", "w32tm", "sntp"))


def test_a_clock_without_a_battery_is_named_before_all_that_comes_of_it(folder: Path) -> None:
    found = of_the_set(findings(folder, now=dt.datetime(1970, 1, 1, tzinfo=dt.UTC)))
    assert found[0].code == "clock"


def test_files_of_tomorrow_make_the_clock_suspect(folder: Path) -> None:
    yesterday = dt.datetime.now(dt.UTC) - DAY
    assert "clock" in codes(findings(folder, now=yesterday))


@pytest.mark.parametrize("name", ["server.your_domain.com", "your_domain.com", "127.0.0.1"])
def test_a_name_that_the_server_has_is_no_finding(name: str, folder: Path) -> None:
    assert codes(findings(folder, domain=name)) == []


@pytest.mark.parametrize("name", ["shop.example", "192.0.2.7"])
def test_a_name_that_the_server_lacks_is_added_by_what_is_prescribed(
    name: str, folder: Path
) -> None:
    first = of_the_set(findings(folder, domain=name))[0]
    assert first.code == "names"
    take(first.mend, folder)
    assert "names" not in codes(findings(folder, domain=name))
    assert "names" not in codes(findings(folder, domain="server.your_domain.com"))


def test_names_and_organisation_survive_what_is_prescribed(tmp_path: Path) -> None:
    options = ("--org", "测试 公司", "--domain", "例子.测试", "--server-ip", "192.0.2.9")
    mtls("all", "-q", "--profile", "modern", *options, cwd=tmp_path)
    before = named(tmp_path)
    shutil.copy(tmp_path / "client.key", tmp_path / "server.key")
    take(of_the_set(findings(tmp_path))[0].mend, tmp_path)
    assert named(tmp_path) == before
    take(of_the_set(findings(tmp_path, domain="192.0.2.10"))[0].mend, tmp_path)
    assert named(tmp_path) == before.replace("IP Address:", "IP Address:192.0.2.10, IP Address:", 1)


def named(folder: Path) -> str:
    """Whom the server's certificate is for, and the kind of its key."""
    said = ssl(folder, "x509", "-in", "server.crt", "-noout", "-text")
    kind = re.search(r"Public Key Algorithm: .*", said)
    names = ssl(folder, "x509", "-in", "server.crt", "-noout", "-subject", "-ext", "subjectAltName")
    assert kind
    return f"{kind[0]}\n{names}"


def test_a_name_in_chinese_is_the_one_that_the_certificate_has(tmp_path: Path) -> None:
    mtls("all", "-q", "--profile", "modern", "--domain", "例子.测试", cwd=tmp_path)
    told = mtls("doctor", "--json", "--domain", "例子.测试", cwd=tmp_path, exit_code=None)
    assert "names" not in {one["code"] for one in json.loads(told.stdout)["findings"]}


def test_what_ends_soon_is_renewed_for_its_own_key_and_life(folder: Path) -> None:
    unlogged(folder)
    issue(folder, "client", begin=-90 * DAY, end=9 * DAY)
    key = (folder / "client.key").read_bytes()
    first = of_the_set(findings(folder, password=None))[0]
    assert first.code == "expires-soon"
    assert first.mend.startswith("python -m mtls_openssl renew client ")

    take(first.mend, folder)

    client = ailments.patient(folder).certificates["client"]
    assert (folder / "client.key").read_bytes() == key
    assert (client.not_after - client.not_before).days == 99
    assert codes(findings(folder)) == []


def test_what_ends_soon_and_has_no_key_to_be_renewed_for_is_made_anew(folder: Path) -> None:
    (folder / "client.key").unlink()
    end = ailments.patient(folder).certificates["client"].not_after - 9 * DAY
    (soon,) = (
        one for one in findings(folder, now=end)
        if (one.code, one.subject) == ("expires-soon", "client.crt")
    )  # fmt: skip
    assert soon.mend.startswith("python -m mtls_openssl client ")


def test_what_ends_soon_is_made_anew_where_mtls_toml_asks_for_another_kind_of_key(
    folder: Path,
) -> None:
    (folder / "mtls.toml").write_text("key_size = 2048\n")
    end = ailments.patient(folder).certificates["client"].not_after - 9 * DAY
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
    take(first.mend, folder)
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


def test_a_bundle_is_packed_again_for_who_has_to_read_it(folder: Path) -> None:
    take("python -m mtls_openssl p12 --for modern", folder)
    assert codes(findings(folder, reader="modern")) == []
    found = findings(folder, reader="windows2016")
    first = next(one for one in found if one.code == "p12-reader")
    assert "Windows Server 2016" in first.what
    take(first.mend, folder)
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
    first = of_the_set(findings(folder))[0]
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
    first = of_the_set(findings(folder))[0]
    assert (first.code, first.subject) == ("settings", "mtls.toml")


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
