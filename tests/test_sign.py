"""`sign` certifies keys of others: under no name of somebody else, and only what is in order."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.requests import GREEDY, RSA_1024, SECP256K1, request
from tests.sets import PASSPHRASE, Set

pytestmark = pytest.mark.end_to_end
SET = """\
profile = "modern"
org = "示例公司"
domain = "example.com"

[ca]
crl_url = "http://pki.example.com/crl.der"

[[server]]
name = "www"
dns = ["www.example.com"]

[[client]]
name = "alice"
p12 = []
"""
LAYERED = """\
profile = "modern"

[ca]
passphrase = "env:MTLS_CA_PASSPHRASE"

[intermediate]
passphrase = "env:MTLS_INTERMEDIATE_PASSPHRASE"

[[client]]
name = "alice"
p12 = []
"""
FLEET = ("issue", "-n", "1", "--cn", "dev-{:03d}", "--key", "P-256")


@pytest.fixture(name="whole", scope="module")
def whole_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set, made once for all tests."""
    made = Set(tmp_path_factory.mktemp("whole") / "ca")
    made.describe(SET)
    made.must("apply")
    return made.folder


@pytest.fixture(name="ca")
def ca_fixture(tmp_path: Path, whole: Path) -> Set:
    """A copy of it."""
    made = Set(tmp_path / "ca of 示例")
    shutil.copytree(whole, made.folder, dirs_exist_ok=True)
    return made


@pytest.fixture(name="manned", scope="module")
def manned_fixture(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    manned = Set(tmp_path_factory.mktemp("manned") / "ca")
    shutil.copytree(whole, manned.folder, dirs_exist_ok=True)
    manned.must(*FLEET)
    return manned.folder


@pytest.fixture(name="fleet")
def fleet_fixture(tmp_path: Path, manned: Path) -> Set:
    """As `ca`, with a client of a fleet, dev-001."""
    made = Set(tmp_path / "fleet of 示例")
    shutil.copytree(manned, made.folder, dirs_exist_ok=True)
    return made


@pytest.fixture(name="host")
def host_fixture(tmp_path: Path) -> Path:
    """A folder of whoever asks."""
    return tmp_path / "host"


def only(data: dict[str, Any]) -> dict[str, Any]:
    (one,) = data["requests"]
    found: dict[str, Any] = one
    return found


@pytest.mark.parametrize("name", ["www.example.com", "alice", "MyRootCA"])
def test_nobody_gets_another_s_name_by_asking(ca: Set, host: Path, name: str) -> None:
    theirs = request(host, "bob", subject=f"/CN={name}")

    refused = ca.run("sign", str(theirs), "--client")

    assert (refused.code, (ca.folder / "bob.crt").exists()) == (5, False)
    assert "it asks for the name of" in refused.stderr


@pytest.mark.parametrize("form", ["folder", "archive", "without a register"])
def test_nobody_gets_the_name_of_a_client_of_the_fleet(fleet: Set, host: Path, form: str) -> None:
    if form == "archive":
        fleet.must(*FLEET, "--zip", "--reissue")
    if form == "without a register":
        (fleet.folder / "index.txt").unlink()
    theirs = request(host, "mallory", subject="/CN=dev-001")

    refused = fleet.run("sign", str(theirs), "--client")

    assert (refused.code, (fleet.folder / "mallory.crt").exists()) == (5, False)
    assert (fleet.folder / "clients/dev-001.zip").exists() == (form == "archive")
    assert "it asks for the name of clients/dev-001" in refused.stderr


def test_a_client_of_the_fleet_may_ask_again_with_its_own_key(fleet: Set, host: Path) -> None:
    host.mkdir()
    shutil.copy(fleet.folder / "clients" / "dev-001" / "dev-001.key", host / "again.key")

    fleet.must("sign", str(request(host, "again", subject="/CN=dev-001")), "--client")

    assert fleet.certificate("again").subject[-1] == ("CN", "dev-001")


NAMES = ("a/b", "a\\/b", "a/b\\", "\\x41", "Zoë")


@pytest.fixture(name="registered", scope="module")
def registered_fixture(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """A set with a client of each of the names, all of them in the register."""
    registered = Set(tmp_path_factory.mktemp("registered") / "ca")
    shutil.copytree(whole, registered.folder, dirs_exist_ok=True)
    for number, name in enumerate(NAMES):
        identity = ("--cn", name, "--uri", "urn:bob", "--key", "P-256", "--p12", "none")
        registered.must("client", "add", f"bob{number}", *identity)
    registered.must("crl")
    return registered


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_known_however_the_register_writes_it(
    registered: Set, host: Path, name: str
) -> None:
    ca = registered
    typed = re.sub(r"([\\/+])", r"\\\1", name)
    theirs = request(host, "mallory", subject=f"/CN={typed}/emailAddress=m@evil.example")

    refused = ca.run("sign", str(theirs), "--client")

    assert (refused.code, (ca.folder / "mallory.crt").exists()) == (5, False)
    assert f"it asks for the name of bob{NAMES.index(name)}.crt" in refused.stderr


def test_a_certificate_for_another_key_is_replaced_only_when_asked(ca: Set, host: Path) -> None:
    first = request(host, "bob")
    ca.must("sign", str(first), "--client")
    before = ca.certificate("bob")
    again = only(ca.must("sign", str(first), "--client", "--json").data)
    (host / "bob.key").unlink()
    second = request(host, "bob")

    refused = ca.run("sign", str(second), "--client")
    ca.must("sign", str(second), "--client", "--replace")

    assert again["notes"] == ["it takes the place of bob.crt, for the same key"]
    assert (refused.code, "for another key" in refused.stderr) == (5, True)
    assert ca.certificate("bob").public_key != before.public_key
    assert len(list((ca.folder / "backup").glob("*/bob.crt"))) == 2


@pytest.mark.parametrize("name", ["Alice", "Www", "WWW"])
def test_a_name_that_differs_in_case_only_replaces_nobody(ca: Set, host: Path, name: str) -> None:
    theirs, before = request(host, "bob"), ca.files()

    refused = ca.run("sign", str(theirs), "--client", "--name", name)

    assert (refused.code, f"{name.lower()}.crt is here" in refused.stderr) == (5, True)
    assert ca.files() == before


def test_a_name_in_another_case_is_signed_again_as_it_is_spelt(ca: Set, host: Path) -> None:
    theirs = request(host, "bob")
    ca.must("sign", str(theirs), "--client")

    again = only(ca.must("sign", str(theirs), "--client", "--name", "BOB", "--json").data)

    assert again["notes"] == ["it takes the place of bob.crt, for the same key"]
    assert {"bob.crt"} == {name for name in ca.files() if name.lower() == "bob.crt"}


@pytest.mark.parametrize("name", ["dev-001", "DEV-001"])
def test_no_certificate_is_called_like_a_client_of_the_fleet(
    fleet: Set, host: Path, name: str
) -> None:
    theirs, before = request(host, "someone"), fleet.files()

    refused = fleet.run("sign", str(theirs), "--client", "--name", name, "--replace")

    assert (refused.code, "of the fleet is called dev-001" in refused.stderr) == (5, True)
    assert fleet.files() == before


def test_a_key_of_the_set_is_never_parted_from_its_certificate(ca: Set, host: Path) -> None:
    theirs = request(host, "alice", subject="/CN=someone")

    assert ca.run("sign", str(theirs), "--client", "--replace").code == 5


@pytest.mark.parametrize(
    ("key", "said"),
    [(RSA_1024, "1024 bits"), (SECP256K1, "secp256k1"), (("-algorithm", "ED448"), "ED448")],
)
def test_a_weak_or_strange_key_is_refused_with_the_reason(
    ca: Set, host: Path, key: tuple[str, ...], said: str
) -> None:
    theirs = request(host, "bob", key=key)

    refused = ca.run("sign", str(theirs), "--client", "--json")

    assert (refused.code, (ca.folder / "bob.crt").exists()) == (5, False)
    data = json.loads(refused.stdout)
    assert said in data["error"]
    assert said in only(data)["fault"]


def test_a_request_that_was_changed_is_refused(ca: Set, host: Path) -> None:
    theirs = request(host, "bob", subject="/CN=bob", form="DER")
    theirs.write_bytes(theirs.read_bytes().replace(b"bob", b"eve"))

    refused = ca.run("sign", str(theirs), "--client")

    assert (refused.code, "signature" in refused.stderr) == (5, True)


def test_what_is_no_request_is_told_for_what_it_is(ca: Set) -> None:
    refused = ca.run("sign", str(ca.folder / "alice.crt"), "--client")

    assert (refused.code, "it holds: certificate" in refused.stderr) == (7, True)


def test_several_are_signed_in_one_run_whatever_their_files_are_called(ca: Set, host: Path) -> None:
    files = [
        request(host, "bob", file="bob's request.DER", form="DER", subject="/CN=bob"),
        request(host, "carol", file="请求.pem", subject="/CN=carol"),
        request(host, "dave", file="dave.csr.pem", subject="/CN=Dave Ö"),
    ]

    ca.must("sign", *map(str, files), "--client")

    names = [dict(ca.certificate(name).subject)["CN"] for name in ("bob", "carol", "dave")]
    assert names == ["bob", "carol", "Dave Ö"]


def test_nothing_is_signed_if_one_of_several_is_refused(ca: Set, host: Path) -> None:
    files = [request(host, "bob"), request(host, "weak", key=RSA_1024)]
    before = ca.files()

    refused = ca.run("sign", *map(str, files), "--client", "--json")

    assert (refused.code, ca.files()) == (5, before)
    data = json.loads(refused.stdout)
    assert [bool(one["fault"]) for one in data["requests"]] == [False, True]


def test_a_dry_run_shows_it_and_signs_nothing(ca: Set, host: Path) -> None:
    theirs = request(host, "bob", extensions=GREEDY)
    before = ca.files()

    data = ca.must("sign", str(theirs), "--client", "--dry-run", "--json").data

    assert (data["dry_run"], only(data)["granted"]["ca"]) == (True, False)
    assert ca.files() == before


def test_it_is_entered_into_the_register_and_can_be_revoked(ca: Set, host: Path) -> None:
    ca.must("crl")
    theirs = request(host, "bob")

    ca.must("sign", str(theirs), "--client")

    serial = ca.certificate("bob").serial
    assert serial in (ca.folder / "index.txt").read_text()
    ca.must("revoke", "bob")
    assert ca.run("sign", str(request(host, "eve", subject="/CN=alice")), "--client").code == 5


def test_an_intermediate_authority_signs_with_its_pass_phrase(tmp_path: Path, host: Path) -> None:
    ca = Set(tmp_path / "layered")
    ca.describe(LAYERED)
    words = {"MTLS_CA_PASSPHRASE": PASSPHRASE, "MTLS_INTERMEDIATE_PASSPHRASE": PASSPHRASE}
    ca.must("apply", **words)

    ca.must("sign", str(request(host, "bob", extensions=GREEDY)), "--client", **words)

    chain = (ca.folder / "bob.chain.crt").read_text()
    middle = (ca.folder / "intermediate.crt").read_text()
    assert chain == (ca.folder / "bob.crt").read_text() + middle
    said = ca.openssl("verify", "-CAfile", "ca.crt", "-untrusted", "intermediate.crt", "bob.crt")
    assert said.strip() == "bob.crt: OK"


def test_a_request_of_ours_is_signed_elsewhere_and_fits_its_key(ca: Set, tmp_path: Path) -> None:
    host = Set(tmp_path / "their host")
    host.must("csr", "web", "--server", "--dns", "web.example.com", "--key", "P-384")

    ca.must("sign", str(host.folder / "web.csr"), "--grant-san", "all", "--days", "30")

    made = ca.certificate("web")
    assert made.public_key == public_key_of(host, "web")
    assert (made.not_after - made.not_before).days == 30
    log = (ca.folder / "mtls-audit.jsonl").read_text("utf-8")
    assert "the request web.csr, as it was sent" in log


def test_what_was_signed_is_not_renewed_with_a_key_of_ours(ca: Set, host: Path) -> None:
    ca.must("sign", str(request(host, "bob")), "--client", "--days", "5")
    before = ca.files()

    by_end = ca.run("renew", "--within", "30d")
    by_name = ca.run("renew", "bob")

    assert (by_end.code, by_name.code, ca.files()) == (10, 7, before)
    assert "its key is elsewhere; sign another request of that host" in by_end.stdout
    assert "sign REQUEST --name bob" in by_name.stderr


def test_a_name_that_was_signed_is_not_added_and_what_mends_it_is_told(ca: Set, host: Path) -> None:
    ca.must("sign", str(request(host, "bob")), "--client")

    refused = ca.run("client", "add", "bob")

    assert (refused.code, "renew bob" in refused.stderr) == (7, False)
    assert "sign REQUEST --name bob" in refused.stderr


def public_key_of(host: Set, name: str) -> str:
    return host.openssl("pkey", "-in", f"{name}.key", "-pubout").strip()
