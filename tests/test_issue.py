"""A fleet of clients: made on all processors, put in place whole, each as it is asked for."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import ssl
import subprocess
import zipfile
from pathlib import Path

import pytest

from mtls_openssl.audit import verify
from mtls_openssl.inventory import clients
from mtls_openssl.openssl import ca, x509
from mtls_openssl.openssl.x509 import Description
from tests.sets import PASSPHRASE, Set, made_fixture, program

pytestmark = pytest.mark.end_to_end
_used = made_fixture

SET = """
country = "CN"
state = ""
city = ""
org = "某某公司"
[ca]
cn = "Root"
key = "P-256"
crl_url = "http://example.com/crl.der"
ocsp_url = "http://example.com/ocsp"
[[server]]
name = "server"
cn = "localhost"
key = "P-256"
"""
LAYERED = f"""{SET}
[intermediate]
cn = "Issuing"
key = "P-384"
passphrase = "env:MTLS_INTERMEDIATE_PASSPHRASE"
"""
NUMBERED = ("issue", "--cn", "device-{:03d}", "--key", "P-256")


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("fleet") / "set")
    original.describe(SET)
    original.must("apply")
    return original


@pytest.fixture(name="fleet")
def fleet_fixture(original: Set, made: Set) -> Set:
    """A set without clients, made once and copied for each test."""
    return made.copy_of(original)


def table(made: Set, text: str, encoding: str = "utf-8") -> tuple[str, ...]:
    (made.folder / "clients.csv").write_bytes(text.encode(encoding))
    return ("issue", "--from", str(made.folder / "clients.csv"))


def described(made: Set, name: str) -> Description:
    return x509.parse_text(made.openssl(*x509.inspect(f"clients/{name}/{name}.crt")))


def assert_has_its_key(folder: Path, name: str) -> None:
    """The key of a client is the one of its certificate: OpenSSL says so, in this process."""
    place = folder / "clients" / name
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
        place / f"{name}.crt", place / f"{name}.key"
    )


def assert_all_agree(made: Set, count: int) -> None:
    """So many clients, each whole; the register, the log and the folders say the same."""
    folder = made.folder
    found = list(clients.all_in(folder))
    serials = [ca.plain(one.described.serial) for one in found if one.described]
    entries = ca.parse((folder / "index.txt").read_text("utf-8"))
    published = [
        name
        for line in (folder / "mtls-audit.jsonl").read_text("utf-8").splitlines()
        for name in json.loads(line)["writes"]
        if json.loads(line)["event"] in {"publish", "end"} and name.endswith(".crt")
    ]
    assert len(set(serials)) == len(found) == count
    assert len({entry.serial for entry in entries}) == len(entries)
    assert set(serials) <= {entry.serial for entry in entries}
    assert {entry.shown.rpartition("=")[2] for entry in entries if entry.serial in serials} == {
        one.name for one in found
    }
    inside = [name for name in published if name.startswith("clients/")]
    assert sorted(set(inside)) == sorted(f"clients/{one.name}/{one.name}.crt" for one in found)
    assert verify(folder / "mtls-audit.jsonl", folder=folder).faults == ()
    assert [path.name for path in folder.glob(".mtls*")] == []
    for one in found:
        assert_has_its_key(folder, one.name)


def test_numbered_clients_are_there_in_the_register_and_in_the_log(fleet: Set) -> None:
    said = fleet.must(*NUMBERED, "-n", "7", "--start", "3").stdout

    assert "7 clients issued and proven" in said
    assert sorted(clients.names(fleet.folder)) == [
        f"device-{number:03d}" for number in range(3, 10)
    ]
    assert_all_agree(fleet, 7)
    one = described(fleet, "device-005")
    assert dict(one.subject) == {"C": "CN", "O": "某某公司", "CN": "device-005"}
    assert one.key is not None
    assert (one.key.kind, one.key.curve) == ("EC", "prime256v1")


@pytest.mark.posix
def test_nobody_else_may_read_what_is_in_the_folder_of_a_client(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "1", "--p12", "default")

    modes = {path.name: path.stat().st_mode & 0o077 for path in fleet.folder.rglob("*device*")}
    modes |= {name: (fleet.folder / name).stat().st_mode & 0o077 for name in ("clients",)}
    modes["passwords"] = (fleet.folder / "clients.passwords.csv").stat().st_mode & 0o077
    assert set(modes.values()) == {0}


KEYS = ("P-256", "RSA-2048", "Ed25519")


@pytest.fixture(
    name="alike",
    scope="module",
    params=[
        pytest.param(SET, id="root"),
        # The same on Windows, where a process takes its time.
        pytest.param(LAYERED, id="layered", marks=pytest.mark.posix),
    ],
)
def alike_fixture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """For each kind of key a client that was added alone, and the same one of a fleet."""
    word = {"MTLS_INTERMEDIATE_PASSPHRASE": PASSPHRASE}
    alike = Set(tmp_path_factory.mktemp("alike") / "set")
    alike.describe(request.param)
    alike.must("apply", **word)
    identity = {
        "cn": "设备 一/+,", "dns": "a.example.com", "ip": "192.0.2.1",
        "email": "a@example.com", "uri": "spiffe://example.com/a", "days": "77",
    }  # fmt: skip
    options = [word for name, value in identity.items() for word in (f"--{name}", value)]
    row = io.StringIO()
    rows = csv.writer(row)
    rows.writerow(["name", "key", *identity])
    for key in KEYS:
        alike.must("client", "add", f"alone-{key}", "--key", key, *options, **word)
        rows.writerow([f"many-{key}", key, *identity.values()])
    alike.must(*table(alike, row.getvalue()), **word)
    return alike


@pytest.mark.parametrize("key", KEYS)
def test_a_client_of_a_fleet_is_as_one_that_is_added_alone(alike: Set, key: str) -> None:
    name = f"many-{key}"
    alone, many = alike.certificate(f"alone-{key}"), described(alike, name)

    own = "X509v3 Subject Key Identifier"
    for one in (alone, many):
        assert len(one.extensions.pop(own).values) == 1
    # Not to the second: openssl asks for the time twice.
    lasts = [(one.not_after - one.not_before).days for one in (many, alone)]
    assert lasts == [77, 77]
    assert many.serial != alone.serial
    assert many == dataclasses.replace(
        alone, serial=many.serial, public_key=many.public_key, not_before=many.not_before,
        not_after=many.not_after,
    )  # fmt: skip
    assert many.serial in (alike.folder / "index.txt").read_text("utf-8")
    chain = alike.folder / f"clients/{name}/{name}.chain.crt"
    assert (alike.folder / "intermediate.crt").exists() == chain.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_is_read_as_excel_saves_it(fleet: Set, encoding: str, mark: str) -> None:
    lines = ("Name,CN,dns\r\n", "\r\n", 'a1,"张三, 一","x.example.com y.example.com"\r\n')
    rows = [next(csv.reader([line])) for line in lines if line.strip()]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark).writerows(rows)

    shown = fleet.must(*table(fleet, text.getvalue(), encoding), "--dry-run").stdout

    assert "a1: 张三, 一 (DNS:x.example.com, DNS:y.example.com), " in shown


def test_each_p12_has_a_password_of_its_own(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "3", "--p12", "windows2016")
    fleet.must(*NUMBERED, "-n", "4", "--p12", "modern")

    with (fleet.folder / "clients.passwords.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [f"device-{number:03d}.p12" for number in range(1, 5)]
    assert len({row["password"] for row in rows}) == 4
    for row in rows:
        path = f"clients/{row['name']}/{row['file']}"
        printed = subprocess.run(
            [program(), "pkcs12", "-in", path, "-nokeys", "-passin", "env:WORD"],
            cwd=fleet.folder, check=True, capture_output=True, text=True,
            env={**os.environ, "WORD": row["password"], "OPENSSL_CONF": os.devnull},
        )  # fmt: skip
        assert printed.stdout.count("BEGIN CERTIFICATE") == 2
        assert row["password"] not in (fleet.folder / "mtls-audit.jsonl").read_text("utf-8")


def test_a_password_without_its_client_is_taken_out(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "1", "--p12", "default")
    file = fleet.folder / "clients.passwords.csv"
    before = file.read_text("utf-8")
    file.write_text(f"{before}device-009,device-009.p12,lost\ndevice-0", "utf-8", newline="\n")

    fleet.must(*NUMBERED, "-n", "1")

    assert file.read_text("utf-8") == before


def test_an_archive_has_all_that_a_client_needs(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "2", "--zip")

    assert sorted(path.name for path in (fleet.folder / "clients").iterdir()) == [
        "device-001.zip", "device-002.zip",
    ]  # fmt: skip
    with zipfile.ZipFile(fleet.folder / "clients/device-001.zip") as archive:
        assert sorted(archive.namelist()) == ["ca.crt", "device-001.crt", "device-001.key"]
        assert archive.read("ca.crt") == (fleet.folder / "ca.crt").read_bytes()
    assert fleet.must(*NUMBERED, "-n", "2").stdout.startswith("Nothing to do")
    assert "device-002.zip" in fleet.must("status").stdout


@pytest.mark.parametrize("form", [(), ("--zip",)], ids=["folder", "archive"])
def test_a_client_of_a_fleet_is_revoked_by_its_name(fleet: Set, form: tuple[str, ...]) -> None:
    fleet.must(*NUMBERED, "-n", "3", *form)

    fleet.must("revoke", "device-002")

    states = {
        entry.shown.rpartition("=")[2]: entry.status
        for entry in ca.parse((fleet.folder / "index.txt").read_text("utf-8"))
    }
    assert states == {"localhost": "V", "device-001": "V", "device-002": "R", "device-003": "V"}
    for file in ("crl.pem", "crl.der"):
        (fleet.folder / file).unlink()  # the register says so too
    told = fleet.must("status").stdout.splitlines()
    assert ["REVOKED" in line for line in told if "device-002" in line] == [True]


def test_a_dry_run_shows_the_first_and_makes_nothing(fleet: Set) -> None:
    before = fleet.files()

    said = fleet.must(*NUMBERED, "-n", "600", "--dry-run").stdout

    assert "device-001: device-001 (-), P-256" in said
    assert "and 595 more" in said
    assert fleet.changed_since(before) == set()
