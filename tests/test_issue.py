"""A fleet of clients: made on all processors, put in place whole, resumed wherever it stopped."""

from __future__ import annotations

import csv
import dataclasses
import errno
import io
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mtls_openssl.audit import verify
from mtls_openssl.inventory import clients
from mtls_openssl.openssl import ca, x509
from mtls_openssl.openssl.x509 import Description
from tests.machine import stand_in
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


@pytest.fixture(name="pair", scope="module")
def pair_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    pair = Set(tmp_path_factory.mktemp("pair") / "set").copy_of(original)
    pair.must(*NUMBERED, "-n", "2")
    return pair


@pytest.fixture(name="two")
def two_fixture(pair: Set, made: Set) -> Set:
    """The same with two clients, device-001 and device-002."""
    return made.copy_of(pair)


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


FAULTS = {
    "a name that is no file's": ("name\n../a\n", ["line 2", "can't be the name of its files"]),
    "a name of Windows": ("name\nnul\n", ["line 2", "is the name of a device on Windows"]),
    "a name of the set": ("name\nserver\n", ["line 2", "is server.crt of the set"]),
    "a name twice": ("name\nab\nc\nAB\n", ["line 4", "is in clients.csv line 2 already"]),
    "no name that will do": (
        "cn\n张三\n",
        ["line 2", "can't be the name of its files", "are called: in a column name"],
    ),
    "an address that is none": ("name,ip\na,1.2.3\n", ["line 2", "ip '1.2.3'"]),
    "several at once": ("name,key\na,DSA\nb,P-256\nc,P-1\n", ["line 2", "line 4"]),
    "days that are over": ("name,days\na,-1\n", ["line 2", "is too short a time"]),
    "days without end": ("name,days\na,99999\n", ["line 2", "hundred years"]),
    "one longer than the CA": ("name,days\na,9999\n", ["line 2", "is longer than"]),
    "too many values": (
        "name\na,b\n",
        ["line 2", "has 2 values for 1 columns; allowed: a value for each column"],
    ),
    "an unknown column": ("name,dsn\na,b\n", ["'dsn' is no column", "dns"]),
    "no columns": ("a\nb\n", ["does not name the columns"]),
    "nothing": ("", ["does not name the columns"]),
    "an open quote": ('name\n"a\n', ["can't be read as CSV"]),
    "a column twice": ("name,name\na,b\n", ["name is there twice"]),
    "a line break in a name": ('name,cn\na,"b\nc"\n', ["line 2", "a line break"]),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_table_is_told_with_its_line_and_nothing_is_made(
    fleet: Set, case: str
) -> None:
    text, wanted = FAULTS[case]
    arguments = table(fleet, text)
    before = fleet.files()

    ran = fleet.run(*arguments)

    assert ran.code == 6
    assert all(words in ran.stderr for words in wanted), ran.stderr
    assert fleet.changed_since(before) == set()
    assert not (fleet.folder / "clients").exists()


def test_a_name_that_differs_in_case_only_from_another_is_refused(fleet: Set) -> None:
    fleet.must(*table(fleet, "name\nli\n"), "--key", "P-256")
    before = described(fleet, "li")

    ran = fleet.run(*table(fleet, "name\nLI\nServer\n"), "--reissue")

    assert ran.code == 6
    assert "line 2) differs in upper and lower case only from li of the fleet" in ran.stderr
    assert "line 3) is server.crt of the set" in ran.stderr
    assert described(fleet, "li") == before


@pytest.mark.parametrize("form", [(), ("--zip",)])
@pytest.mark.parametrize("name", ["device-001", "Device-001"])
def test_nobody_else_gets_the_name_of_a_client_of_the_fleet(
    fleet: Set, name: str, form: tuple[str, ...]
) -> None:
    fleet.must(*NUMBERED, "-n", "1", *form)
    before = fleet.files()

    client, server = fleet.run("client", "add", name), fleet.run("server", "add", name)

    assert (client.code, server.code) == (7, 7)
    assert "renew device-001" in client.stderr
    assert fleet.changed_since(before) == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Who is to get a certificate?"),
        (("-n", "2"), "nothing says what they are called"),
        (("-n", "2", "--cn", "device"), "gives all the same"),
        (("-n", "2", "--cn", "{.__class__}"), "gives all the same"),
        (("--from", "x.csv", "--cn", "{}"), "for numbered clients"),
    ],
)
def test_what_can_not_be_meant_is_told(fleet: Set, options: tuple[str, ...], words: str) -> None:
    ran = fleet.run("issue", *options)

    assert (ran.code, words in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (("--cn", "设{}"), 'say what their files are called: add --name "dev{:03d}"'),
        (("--cn", "设{}", "--name", "设{}"), "change --name"),
        (("--cn", "device-{}", "--days", "99999"), "change --days"),
    ],
)
def test_what_is_wrong_with_numbered_clients_is_mended_where_it_was_typed(
    fleet: Set, options: tuple[str, ...], cure: str
) -> None:
    ran = fleet.run("issue", "-n", "5", *options)

    assert ran.code == 6
    assert ran.stderr.endswith(f"\nTo mend it: {cure}\n")


@pytest.mark.parametrize("column", ["name", "cn"])
def test_for_names_in_chinese_a_column_with_names_of_files_is_prescribed(
    fleet: Set, column: str
) -> None:
    ran = fleet.run(*table(fleet, f"{column}\n张三\n李四\n"))

    assert ran.code == 6
    assert "are called: in a column name, with A-Z a-z 0-9 . _ - alone; what is" in ran.stderr


def test_of_many_rows_that_must_be_edited_a_few_are_named_and_the_others_counted(
    fleet: Set,
) -> None:
    rows = "".join(f"a{number},1.2.3\n" for number in range(6))
    ran = fleet.run(*table(fleet, f"name,ip\n{rows}"))

    places = "; ".join(f"edit clients.csv line {line}" for line in (2, 3, 4))
    assert ran.code == 6
    assert ran.stderr.endswith(f"\nTo mend it: {places}; and 3 more\n")


def test_whoever_is_there_stays_and_whoever_is_wanted_otherwise_is_named(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "3")
    before = (fleet.folder / "clients/device-002/device-002.crt").read_bytes()

    said = fleet.must(*table(fleet, "name,cn\ndevice-002,Other\ndevice-004,\n"), "--key", "P-256")
    again = fleet.must(*NUMBERED, "-n", "3").stdout

    assert "1 of them was there already, and stays as it is" in said.stdout
    assert "not as it is asked for now: device-002" in said.stdout
    assert (fleet.folder / "clients/device-002/device-002.crt").read_bytes() == before
    assert again.startswith("Nothing to do: all 3 are there.")
    assert_all_agree(fleet, 4)


def test_whoever_is_wanted_otherwise_is_issued_again_where_that_is_asked_for(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "3", "--p12", "windows2016")
    before = {name: described(fleet, name) for name in clients.names(fleet.folder)}
    passwords = (fleet.folder / "clients.passwords.csv").read_text("utf-8")
    asked = table(
        fleet,
        "name,dns,key\ndevice-001,,P-256\ndevice-002,a.example.com,P-256\n"
        "device-003,,P-384\ndevice-004,,P-256\n",
    )

    shown = fleet.must(*asked, "--reissue", "--dry-run").stdout
    said = fleet.must(*asked, "--reissue").stdout

    now = {name: described(fleet, name) for name in clients.names(fleet.folder)}
    assert "2 of them were there, and were not as they are asked for" in shown
    assert "3 clients issued and proven" in said
    assert now["device-001"] == before["device-001"]
    assert now["device-002"].extensions["X509v3 Subject Alternative Name"].values == (
        "DNS:a.example.com",
    )
    assert now["device-002"].public_key == before["device-002"].public_key
    assert now["device-003"].key != before["device-003"].key
    assert (fleet.folder / "clients/device-002/device-002.p12").exists()
    assert (fleet.folder / "clients.passwords.csv").read_text("utf-8") == passwords
    assert_all_agree(fleet, 4)
    assert fleet.must(*asked, "--reissue").stdout.startswith("Nothing to do: all 4 are there.")


def test_whoever_was_revoked_and_is_issued_again_gets_a_new_key(two: Set) -> None:
    before = described(two, "device-001")
    two.must("revoke", "device-001", "--no-crl")

    two.must(*NUMBERED, "-n", "1", "--days", "33", "--reissue")

    assert described(two, "device-001").public_key != before.public_key


def test_who_is_revoked_is_named_and_gets_a_new_key_where_that_is_asked_for(two: Set) -> None:
    before = described(two, "device-001")
    two.must("revoke", "device-001", "--no-crl")

    left = two.must(*NUMBERED, "-n", "2").stdout
    same = described(two, "device-001")
    shown = two.must(*NUMBERED, "-n", "2", "--reissue", "--dry-run", "--json").data
    two.must(*NUMBERED, "-n", "2", "--reissue")

    assert "revoked, and left as it is: device-001; --reissue" in left
    assert same == before
    assert (shown["there"], shown["again"]) == (1, 1)
    assert described(two, "device-001").public_key != before.public_key
    assert two.must(*NUMBERED, "-n", "2").stdout.startswith("Nothing to do: all 2 are there.\n")


def test_a_dry_run_tells_who_would_be_left_as_the_run_does(two: Set) -> None:
    two.must("revoke", "device-001", "--no-crl")
    asked = table(two, "name,cn\ndevice-001,\ndevice-002,Other\n")

    shown = two.must(*asked, "--key", "P-256", "--dry-run").stdout
    data = two.must(*asked, "--key", "P-256", "--dry-run", "--json").data
    said = two.must(*asked, "--key", "P-256").stdout

    # Only the run asks which openssl it is, and 1.1.1 is out of support.
    notes = [
        line for line in said.splitlines() if line.startswith("Note: ") and "support" not in line
    ]
    assert [line for line in shown.splitlines() if line.startswith("Note: ")] == notes
    assert len(notes) == 2
    assert (data["revoked"], data["others"]) == (["device-001"], 1)


def test_a_dry_run_tells_who_cannot_be_read_unless_they_are_issued_again(two: Set) -> None:
    (two.folder / "clients/device-002/device-002.crt").write_text("junk")

    shown = two.must(*NUMBERED, "-n", "2", "--dry-run").stdout
    again = two.must(*NUMBERED, "-n", "2", "--dry-run", "--reissue").stdout

    assert "Another authority has issued these, or they can't be read: device-002" in shown
    assert "Another authority" not in again


def test_a_pkcs12_file_that_is_asked_for_later_is_named_and_packed_where_asked(two: Set) -> None:
    before = described(two, "device-001")

    named = two.must(*NUMBERED, "-n", "2", "--p12", "default").stdout
    two.must(*NUMBERED, "-n", "2", "--p12", "default", "--reissue")

    assert "not as they are asked for now: device-001, device-002" in named
    for name in clients.names(two.folder):
        assert f"{name}.p12" in clients.files(two.folder, name)
    assert described(two, "device-001").public_key == before.public_key
    assert (two.folder / "clients.passwords.csv").read_text("utf-8").count("device-00") == 4
    for options in ((), ("--p12", "default")):
        said = two.must(*NUMBERED, "-n", "2", *options, "--reissue").stdout
        assert said.startswith("Nothing to do: all 2 are there.\n")
    assert_all_agree(two, 2)


def test_a_further_pkcs12_file_leaves_the_first_where_it_is(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "1", "--p12", "default")

    fleet.must(*NUMBERED, "-n", "1", "--p12", "default", "--p12", "java8", "--reissue")
    fleet.must(*NUMBERED, "-n", "1", "--days", "44", "--p12", "default", "--reissue")

    packed = {file for file in clients.files(fleet.folder, "device-001") if file.endswith(".p12")}
    assert packed == {"device-001.p12", "device-001.java8.p12"}


def test_an_archive_that_is_asked_for_later_takes_the_place_of_the_folder(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "1")
    before = described(fleet, "device-001")

    named = fleet.must(*NUMBERED, "-n", "1", "--zip").stdout
    said = fleet.must(*NUMBERED, "-n", "1", "--zip", "--reissue").stdout

    assert "not as it is asked for now: device-001" in named
    assert "1 client issued and proven" in said
    assert [path.name for path in (fleet.folder / "clients").iterdir()] == ["device-001.zip"]
    assert [path.name for path in fleet.folder.glob("backup/*/clients/*")] == ["device-001"]
    now = clients.one(fleet.folder, "device-001").described
    assert now is not None
    assert now.public_key == before.public_key
    log = fleet.folder / "mtls-audit.jsonl"
    assert verify(log, folder=fleet.folder).faults == ()
    for options in ((), ("--zip",)):
        again = fleet.must(*NUMBERED, "-n", "1", *options, "--reissue").stdout
        assert again.startswith("Nothing to do: 1 is there.\n")


def test_a_client_that_is_in_no_register_is_entered_as_openssl_would(fleet: Set) -> None:
    fleet.must(*NUMBERED, "-n", "4")
    index = fleet.folder / "index.txt"
    whole = index.read_text("utf-8")
    index.write_text("".join(whole.splitlines(keepends=True)[:-2]), "utf-8", newline="\n")

    said = fleet.must(*NUMBERED, "-n", "4").stdout

    assert "2 were in no register, and were entered" in said
    assert sorted(index.read_text("utf-8").splitlines()) == sorted(whole.splitlines())


def test_a_certificate_of_another_authority_is_not_entered(fleet: Set, tmp_path: Path) -> None:
    other = Set(tmp_path / "other")
    other.describe(SET)
    other.must("apply")
    other.must(*NUMBERED, "-n", "1")
    fleet.must(*NUMBERED, "-n", "2", "--start", "2")
    (other.folder / "clients/device-001").rename(fleet.folder / "clients/device-001")

    shown = fleet.must(*NUMBERED, "-n", "3", "--dry-run").stdout
    said = fleet.must(*NUMBERED, "-n", "3").stdout

    assert "Another authority has issued these, or they can't be read: device-001" in said
    assert "Another authority has issued these, or they can't be read: device-001" in shown
    assert len(ca.parse((fleet.folder / "index.txt").read_text("utf-8"))) == 3


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


BATCH = 5
BEGUN = f"""
import sys
from mtls_openssl.fleet import issuing
issuing._BATCH = {BATCH}
from mtls_openssl.cli import app
app(prog_name="mtls", args=sys.argv[1:])
"""


def begun(made: Set, *options: str) -> subprocess.Popen[bytes]:
    """A run in small batches, as a process of its own."""
    arguments = (*NUMBERED, "-n", "40", *options, "--out", str(made.folder))
    return subprocess.Popen(
        [sys.executable, "-c", BEGUN, *arguments], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.posix
def test_killed_at_any_moment_and_run_again_all_are_there_once(fleet: Set) -> None:
    chance = random.Random(5)
    for _time in range(5):
        run = begun(fleet, "--p12", "default")
        try:
            run.wait(chance.uniform(0.4, 1.4))
        except subprocess.TimeoutExpired:
            run.kill()
        run.wait()

    fleet.must(*NUMBERED, "-n", "40", "--p12", "default")

    assert_all_agree(fleet, 40)
    with (fleet.folder / "clients.passwords.csv").open(encoding="utf-8") as file:
        named = [row["name"] for row in csv.DictReader(file)]
    assert sorted(named) == sorted(clients.names(fleet.folder))


@pytest.mark.posix
def test_interrupted_it_leaves_a_state_that_the_same_command_resumes(fleet: Set) -> None:
    run = begun(fleet)
    until = time.monotonic() + 60
    # The first batch may still be on its way into place, and would be taken back: more is not.
    while len(clients.names(fleet.folder)) <= BATCH and time.monotonic() < until:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)

    assert run.wait(60) == 130
    there = len(clients.names(fleet.folder))
    assert BATCH <= there < 40
    assert_all_agree(fleet, there)
    fleet.must(*NUMBERED, "-n", "40")
    assert_all_agree(fleet, 40)


@pytest.mark.posix
@pytest.mark.parametrize(
    ("pattern", "script", "code"),
    [
        ("* req *device-004*", "echo broken >&2; exit 1", 4),
        ("* req *device-004*", "exit 0", 4),
        ("* ca *", "exit 1", 4),
        ("* verify *", "exit 0", 5),
    ],
)
def test_when_openssl_fails_nobody_is_there_half(
    two: Set, tmp_path: Path, pattern: str, script: str, code: int
) -> None:

    ran = two.run(*NUMBERED, "-n", "6", "--openssl", str(stand_in(tmp_path, pattern, script)))

    assert ran.code == code
    assert "Traceback" not in ran.stderr
    assert clients.names(two.folder) == ["device-001", "device-002"]
    assert_all_agree(two, 2)


def test_a_new_ca_does_not_make_a_fleet_worthless(two: Set) -> None:
    (two.folder / "mtls.toml").unlink()

    ran = two.run("ca")

    assert (ran.code, "clients/device-001" in ran.stderr) == (2, True), ran.stderr
    assert_all_agree(two, 2)


@pytest.mark.posix
def test_a_file_that_can_not_be_written_is_told_and_the_fleet_stays_whole(
    fleet: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.must(*NUMBERED, "-n", "1", "--p12", "default")
    (fleet.folder / "clients.passwords.csv").unlink()
    (fleet.folder / "clients.passwords.csv").mkdir()

    ran = fleet.run(*NUMBERED, "-n", "3", "--p12", "default")

    assert (ran.code, "clients.passwords.csv" in ran.stderr) == (7, True), ran.stderr
    assert "Traceback" not in ran.stderr
    (fleet.folder / "clients.passwords.csv").rmdir()
    assert_all_agree(fleet, 1)

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "file")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    ran = fleet.run(*NUMBERED, "-n", "3", "--zip")

    assert (ran.code, "the disk is full" in ran.stderr) == (7, True), ran.stderr
    assert_all_agree(fleet, 1)


def test_a_set_without_its_key_can_issue_nothing(fleet: Set) -> None:
    (fleet.folder / "ca.key").unlink()

    ran = fleet.run(*NUMBERED, "-n", "2")

    assert (ran.code, "ca.key is not in" in ran.stderr) == (7, True)
    assert "put ca.key beside ca.crt for this" in ran.stderr
