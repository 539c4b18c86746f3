"""What `status` says of an authority with certificates in every state, and of folders of others."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.inventory import judging, survey, telling
from mtls_openssl.inventory.entered import oneline
from mtls_openssl.inventory.things import Node, Severity, State
from tests import shelf
from tests.test_status import DAY, NOW, asked, by_file, looked_at, status
from tests.tls_servers import Workshop

pytestmark = pytest.mark.end_to_end

CA = ("basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign",
      "subjectKeyIdentifier = hash")  # fmt: skip
SERVER = (
    "basicConstraints = CA:FALSE",
    "extendedKeyUsage = serverAuth",
    "authorityKeyIdentifier = keyid",
    "subjectAltName = DNS:a.example, IP:192.0.2.1",
)
CLIENT = (*SERVER[:1], "extendedKeyUsage = clientAuth", SERVER[2])


def stamp(days: float) -> str:
    return f"{NOW + days * DAY:%Y%m%d%H%M%SZ}"


def lasting(days: float) -> tuple[str, str]:
    return stamp(-800), stamp(days + 0.5)


@pytest.fixture(name="shop", scope="module")
def shop_fixture(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """An authority with certificates in every state."""
    shop = Workshop.at(tmp_path_factory.mktemp("shop"))
    shop.certificate("ca", None, *CA, dates=lasting(1000))
    shop.certificate("middle", "ca", *CA, dates=lasting(500))
    shop.certificate("fine", "middle", *SERVER, dates=lasting(100))
    shop.certificate("soon", "middle", *SERVER, dates=lasting(7))
    shop.certificate("over", "middle", *CLIENT, dates=lasting(-3))
    shop.certificate("later", "middle", *CLIENT, dates=(stamp(5.5), stamp(100)))
    shop.certificate("outlived", "middle", *SERVER, dates=lasting(900))
    shop.certificate("leaver", "middle", *CLIENT, dates=lasting(100))
    shop.certificate("stolen", "middle", *SERVER, dates=lasting(100))
    for name in ("leaver", "stolen"):
        shop.openssl("ca", "-revoke", f"{name}.crt", "-cert", "middle.crt", "-keyfile",
                     "middle.key", "-crl_reason", "keyCompromise")  # fmt: skip
    shop.certificate("strange", "middle", *SERVER, dates=lasting(100))
    shutil.copy(shop.folder / "soon.key", shop.folder / "strange.key")
    (shop.folder / "broken.crt").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    for rest in (
        *shop.folder.glob("*.csr"),
        *shop.folder.glob("0*.pem"),
        *shop.folder.glob("1*.pem"),
    ):
        rest.unlink()
    return shop


def tree(nodes: Sequence[Node]) -> dict[str, Any]:
    return {node.file: tree(node.children) for node in nodes}


def test_every_state_is_told(shop: Workshop) -> None:
    found = {name: node.verdict.state for name, node in by_file(shop.folder).items()}

    assert found == {
        "ca.crt": State.FINE, "middle.crt": State.FINE, "fine.crt": State.FINE,
        "soon.crt": State.SOON, "over.crt": State.OVER, "later.crt": State.NOT_YET,
        "outlived.crt": State.OUTLIVED, "leaver.crt": State.REVOKED, "stolen.crt": State.REVOKED,
        "strange.crt": State.MISMATCH, "broken.crt": State.BROKEN,
    }  # fmt: skip


def test_a_client_that_left_is_no_alarm_but_a_server_that_nobody_trusts_is(shop: Workshop) -> None:
    found = by_file(shop.folder)

    assert found["leaver.crt"].verdict.severity is Severity.FINE
    assert found["stolen.crt"].verdict.severity is Severity.OVER
    why = found["leaver.crt"].verdict.why
    assert re.fullmatch(r"revoked on \d{4}-\d\d-\d\d: keyCompromise", why)


def test_who_was_issued_by_whom_makes_the_tree(shop: Workshop) -> None:
    names = tree(looked_at(shop.folder).nodes)

    assert list(names) == ["ca.crt", "broken.crt"]
    assert list(names["ca.crt"]) == ["middle.crt"]
    assert list(names["ca.crt"]["middle.crt"]) == [
        "fine.crt", "outlived.crt", "soon.crt", "stolen.crt", "strange.crt",
        "later.crt", "leaver.crt", "over.crt",
    ]  # fmt: skip


def test_what_outlives_its_ca_is_soon_and_over_with_it(shop: Workshop) -> None:
    def severity(days: int) -> tuple[State, Severity]:
        verdict = by_file(shop.folder, NOW + days * DAY)["outlived.crt"].verdict
        return verdict.state, verdict.severity

    assert severity(0) == (State.OUTLIVED, Severity.FINE)
    assert severity(480) == (State.OUTLIVED, Severity.SOON)
    assert severity(600) == (State.OUTLIVED, Severity.OVER)
    assert severity(880) == (State.OUTLIVED, Severity.OVER)  # and it ends soon itself
    why = by_file(shop.folder, NOW + 600 * DAY)["outlived.crt"].verdict.why
    assert why.endswith("and everybody refuses it since")


def test_the_worst_of_all_is_the_exit_code_and_the_rest_is_told_quietly(shop: Workshop) -> None:
    told = status("--quiet", cwd=shop.folder, code=2)

    assert "strange.key is the key of another certificate" in told
    assert "fine.crt" not in told


def test_an_ed25519_key_is_compared_by_openssl(tmp_path: Path) -> None:
    (tmp_path / "shelf.cnf").write_text(shelf.CONFIG)
    shelf.key(tmp_path, "root", *shelf.ED25519)
    shelf.self_sign(tmp_path, "root", "root", days=400)
    told = json.loads(status("--json", cwd=tmp_path))
    assert told["places"][0]["certificates"][0]["key_file"] == "root.key"

    shelf.key(tmp_path, "root", *shelf.ED25519)
    assert "KEY DOES NOT MATCH" in status(cwd=tmp_path, code=2)


# Lists of revoked certificates.


@pytest.fixture(name="listed")
def listed_fixture(shop: Workshop, tmp_path: Path) -> Iterator[Path]:
    """The authority with a list of 30 days, and no register beside it."""
    shop.openssl("ca", "-gencrl", "-cert", "middle.crt", "-keyfile", "middle.key", "-crldays", "30",
                 "-out", "crl.pem")  # fmt: skip
    for name in ("ca.crt", "middle.crt", "fine.crt", "leaver.crt", "crl.pem"):
        shutil.copy(shop.folder / name, tmp_path)
    shop.openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", str(tmp_path / "crl.der"))
    yield tmp_path
    (shop.folder / "crl.pem").unlink()


def test_a_list_hangs_below_its_ca_and_revokes(listed: Path) -> None:
    found = by_file(listed)

    assert tree(looked_at(listed).nodes)["ca.crt"]["middle.crt"]["crl.pem"] == {}
    assert [place.file for place in found["crl.pem"].places] == ["crl.pem", "crl.der"]
    assert found["leaver.crt"].verdict.state is State.REVOKED
    assert found["leaver.crt"].verdict.why.endswith("Key Compromise")
    assert found["fine.crt"].verdict.state is State.FINE
    assert telling.name(found["crl.pem"]) == "number 1, 2 revoked"


def test_a_list_that_ends_locks_everybody_out_and_is_an_alarm_in_time(listed: Path) -> None:
    def verdict(days: int) -> tuple[State, Severity, str]:
        found = by_file(listed, NOW + dt.timedelta(days, hours=1))["crl.pem"].verdict
        return found.state, found.severity, found.why

    refuses = "a server that reads it refuses every client"
    assert verdict(0)[:2] == (State.FINE, Severity.FINE)
    assert verdict(15)[:2] == (State.FINE, Severity.FINE)
    assert verdict(21) == (State.SOON, Severity.SOON, f"once it has ended, {refuses}")
    assert verdict(31) == (
        State.OVER,
        Severity.OVER,
        f"{refuses} until there is a new one",
    )
    assert judging.worst(looked_at(listed, NOW + 31 * DAY).nodes) is Severity.OVER


def test_the_newest_list_counts(shop: Workshop, listed: Path) -> None:
    index = shop.folder / "index.txt"
    whole = index.read_text()
    try:
        index.write_text("")
        shop.openssl("ca", "-gencrl", "-cert", "middle.crt", "-keyfile", "middle.key",
                     "-out", str(listed / "newer.pem"))  # fmt: skip
    finally:
        index.write_text(whole)
    assert by_file(listed)["leaver.crt"].verdict.state is State.FINE


# Folders that others made.


@pytest.fixture
def foreign(shop: Workshop, tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "live" / "a").mkdir(parents=True)
    (folder / "backup").mkdir()
    (folder / ".git").mkdir()
    for hidden in ("backup", ".git"):
        shutil.copy(shop.folder / "over.crt", folder / hidden)
    shop.openssl("x509", "-in", "ca.crt", "-outform", "DER", "-out", str(folder / "root.cer"))
    chain = shelf.joined(shop.folder, "chain", "fine.crt", "middle.crt").read_bytes()
    (folder / "live" / "a" / "fullchain.pem").write_bytes(chain)
    (folder / "live" / "a" / "privkey.pem").write_bytes((shop.folder / "fine.key").read_bytes())
    shop.openssl("crl2pkcs7", "-nocrl", "-certfile", "soon.crt", "-outform", "DER", "-out",
                 str(folder / "soon.p7b"))  # fmt: skip
    (folder / "readme.txt").write_text("nothing")
    (folder / "picture.bin").write_bytes(b"0\x82\x01\x00picture")
    return folder


def test_a_folder_of_others_is_read_with_all_that_is_in_it(foreign: Path) -> None:
    stock = looked_at(foreign)
    full = f"live{os.sep}a{os.sep}fullchain.pem"
    nodes = {node.file: node for node in survey.flat(stock)}

    assert tree(stock.nodes) == {
        "root.cer": {f"{full} #2": {f"{full} #1": {}, "soon.p7b": {}}}
    }  # fmt: skip
    assert nodes[f"{full} #1"].key == f"live{os.sep}a{os.sep}privkey.pem"
    assert stock.passed_over == ()


def test_a_certificate_without_its_issuer_says_who_that_is(foreign: Path) -> None:
    (foreign / "root.cer").unlink()
    (root,) = looked_at(foreign).nodes

    assert root.notes == ("issued by ca, which is not here",)


def test_a_single_file_and_a_place_without_any_are_told(foreign: Path, tmp_path: Path) -> None:
    done = asked(foreign / "soon.p7b", tmp_path / "none", cwd=tmp_path, code=7)
    assert "ends soon" in done.stdout
    assert f"There is no folder or file {tmp_path / 'none'}." in done.stderr
    (tmp_path / "empty").mkdir()
    done = asked("empty", cwd=tmp_path, code=7)
    assert f"There is no certificate in {tmp_path / 'empty'}." in done.stderr
    assert status("empty", "--nagios", cwd=tmp_path, code=3).startswith("CERTIFICATES UNKNOWN - ")
    done = asked("--out", foreign / "soon.p7b", cwd=tmp_path, code=7)
    assert f"There is no folder {foreign / 'soon.p7b'}." in done.stderr


def test_what_can_not_be_read_is_broken_where_its_name_promises_something(foreign: Path) -> None:
    (foreign / "empty.crt").touch()
    (foreign / "empty.md").touch()
    (foreign / "cut.der").write_bytes((foreign / "root.cer").read_bytes()[:99])
    broken = [node for node in looked_at(foreign).nodes if node.verdict.state is State.BROKEN]

    assert [(node.file, node.verdict.why) for node in broken] == [
        ("cut.der", "it is DER, but cut off, damaged or of no kind that is known here"),
        ("empty.crt", "it is empty"),
    ]


def test_a_register_above_the_folder_of_the_certificates_counts(
    shop: Workshop, tmp_path: Path
) -> None:
    (tmp_path / "newcerts").mkdir()
    shutil.copy(shop.folder / "leaver.crt", tmp_path / "newcerts" / "07.pem")
    shutil.copy(shop.folder / "index.txt", tmp_path)
    (node,) = looked_at(tmp_path).nodes

    assert node.verdict.state is State.REVOKED


def test_a_newer_certificate_for_the_same_names_is_pointed_at(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path)
    shop.certificate("ca", None, *CA, dates=lasting(1000))
    for name, days in (("old", 5), ("new", 300)):
        shop.certificate(name, "ca", *SERVER, subject="/CN=a.example", dates=lasting(days))
    found = by_file(tmp_path)

    assert found["old.crt"].notes == ("a newer one for the same names is new.crt",)
    assert found["old.crt"].verdict.severity is Severity.SOON
    assert found["new.crt"].notes == ()


def test_a_name_of_the_register_is_written_as_openssl_does(shop: Workshop) -> None:
    lines = (shop.folder / "index.txt").read_text().splitlines()
    (leaver,) = (line for line in lines if line.endswith("/CN=leaver"))

    assert leaver.split("\t")[5] == oneline((("CN", "leaver"),))
