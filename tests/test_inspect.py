"""What a file holds is found out by its content, and told right, for everything there is."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import machine, shelf
from tests.machine import snapshot
from tests.shelf import PASSWORD, asked, joined, mtls, part, told

pytestmark = pytest.mark.end_to_end

OPEN = ("--password-env", "WORD")


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf.filled(tmp_path_factory.mktemp("shelf"))


def der(file: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(file.read_text("ascii"))


def test_a_certificate_is_told_in_full(things: Path) -> None:
    told_ = part(things / "server.crt")
    (now, day) = (dt.datetime.now(dt.UTC), dt.timedelta(days=1))
    assert told_["kind"] == "certificate"
    assert told_["form"] == "PEM"
    assert told_["subject"] == [["O", "The shelf"], ["CN", "server"]]
    assert told_["issuer"] == [["O", "The shelf"], ["CN", "middle"]]
    assert told_["names"] == ["DNS:server.example", "IP:10.0.0.1", "IP:::1"]
    assert told_["extended_key_usage"] == ["serverAuth"]
    assert told_["key_usage"] == ["digitalSignature"]
    assert told_["key"] == {"kind": "EC", "bits": 256, "curve": "prime256v1"}
    assert told_["signature_algorithm"] == "ecdsa-with-SHA256"
    assert told_["serial"] == "1234"
    assert told_["ca"] is False
    assert told_["days_left"] == 29
    assert abs(dt.datetime.fromisoformat(told_["not_before"]) - now) < day


def test_its_fingerprints_are_those_of_its_bytes(things: Path) -> None:
    told_ = part(things / "server.crt")
    assert told_["sha256"] == hashlib.sha256(der(things / "server.crt")).hexdigest()
    assert told_["sha1"] == hashlib.sha1(der(things / "server.crt")).hexdigest()


def test_a_ca_is_told_as_one_with_its_path_length(things: Path) -> None:
    assert part(things / "root.crt")["ca"] is True
    assert part(things / "root.crt")["path_length"] is None
    assert part(things / "middle.crt")["path_length"] == 0


def test_identifiers_lead_from_a_certificate_to_its_issuers(things: Path) -> None:
    issuer = part(things / "middle.crt")["key_identifier"]
    assert issuer
    assert part(things / "server.crt")["issuer_key_identifier"] == issuer


def test_a_request_is_told_with_what_it_asks_for(things: Path) -> None:
    shelf.request(things, "server", "-reqexts", "asked")
    told_ = part(things / "server.csr")
    assert told_["kind"] == "request"
    assert told_["subject"][-1] == ["CN", "server"]
    assert told_["names"] == ["DNS:server.example", "IP:10.0.0.1", "IP:::1"]
    assert told_["signature_right"] is True


def test_a_request_that_was_changed_is_told_to_be(things: Path, tmp_path: Path) -> None:
    asked(things, "req", "-in", "server.csr", "-outform", "DER", "-out", "changed.csr")
    content = bytearray((things / "changed.csr").read_bytes())
    place = content.index(b"The shelf")
    content[place : place + 9] = b"The thief"
    (tmp_path / "changed.csr").write_bytes(content)
    assert part(tmp_path / "changed.csr")["signature_right"] is False


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        (shelf.RSA, {"kind": "RSA", "bits": 2048, "curve": None}),
        (shelf.EC, {"kind": "EC", "bits": 256, "curve": "prime256v1"}),
        (shelf.ED25519, {"kind": "ED25519", "bits": None, "curve": None}),
    ],
    ids=["RSA", "EC", "Ed25519"],
)
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_key_is_told_by_kind_and_by_its_public_half(
    algorithm: tuple[str, ...], kind: dict[str, object], form: str, things: Path
) -> None:
    shelf.key(things, "one", *algorithm)
    asked(things, "pkey", "-in", "one.key", "-outform", form, "-out", "one.bin")
    public = asked(things, "pkey", "-in", "one.key", "-pubout")
    spki = ssl.PEM_cert_to_DER_cert(public.replace("PUBLIC KEY", "CERTIFICATE"))
    told_ = part(things / "one.bin")
    assert told_["key"] == kind
    assert told_["form"] == form
    assert told_["encrypted"] is False
    assert told_["public_key_sha256"] == hashlib.sha256(spki).hexdigest()


def test_no_view_of_a_key_has_the_key(things: Path) -> None:
    lines = (things / "server.key").read_text().split("\n")[1:-2]
    hidden = asked(things, "pkey", "-in", "server.key", "-text", "-noout")
    private = hidden.partition("priv:")[2].partition("pub:")[0].split()[0]
    for options in ((), ("--raw",), ("--json",)):
        shown = mtls("inspect", things / "server.key", *options).output
        assert not [line for line in (*lines, private) if line in shown]


def test_no_log_has_the_key_or_the_password(
    things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTLS_LOG_DIR", str(tmp_path))
    asked(things, "pkey", "-in", "server.key", "-outform", "DER", "-out", "server.der")
    mtls("inspect", things / "server.der", things / "enc.key", things / "server.p12", *OPEN)
    log = (tmp_path / "mtls-audit.jsonl").read_text("utf-8")
    hidden = asked(things, "pkey", "-in", "server.key", "-text", "-noout")
    private = hidden.partition("priv:")[2].partition("pub:")[0].replace(":", "").split()
    assert not [piece for piece in (PASSWORD, *private[1:2]) if piece.lower() in log.lower()]
    assert "find out what it is" in log


def test_an_encrypted_key_is_told_to_be_one_without_its_password(things: Path) -> None:
    told_ = part(things / "enc.key")
    assert told_["encrypted"] is True
    assert "PBES2" in told_["encryption"]
    assert told_["public_key_sha256"] is None


def test_an_encrypted_key_is_told_in_full_with_its_password(things: Path) -> None:
    plain = part(things / "server.key")["public_key_sha256"]
    assert part(things / "enc.key", *OPEN)["public_key_sha256"] == plain


def test_a_traditional_encrypted_key_is_told_with_its_cipher(things: Path) -> None:
    shelf.key(things, "rsa", *shelf.RSA)
    old = ("rsa", "-in", "rsa.key", "-aes128", "-passout", "env:WORD", "-out", "old.key")
    # From 3.0 on it takes a word to write what 1.1.1 writes by itself.
    version = asked(things, "version")
    asked(things, *old, *(() if "1.1.1" in version else ("-traditional",)))
    told_ = part(things / "old.key", *OPEN)
    assert told_["encryption"] == ["AES-128-CBC"]
    assert told_["public_key_sha256"] == part(things / "rsa.key")["public_key_sha256"]


@pytest.mark.parametrize("file", ["enc.key", "server.p12"])
def test_a_wrong_password_is_told_to_be_wrong(file: str, things: Path) -> None:
    told_ = told("inspect", things / file, *OPEN, code=5, env={"WORD": "not this one"})
    assert told_["ok"] is False
    assert told_["files"][0]["parts"][0]["opened"] is False


def test_a_p12_is_told_with_names_algorithms_and_readers(things: Path) -> None:
    told_ = part(things / "server.p12", *OPEN)
    key, leaf, issuer = told_["parts"]
    assert told_["kind"] == "PKCS#12"
    assert key["friendly_name"] == leaf["friendly_name"] == "My server"
    assert key["public_key_sha256"] == leaf["public_key_sha256"]
    assert issuer["subject"][-1] == ["CN", "middle"]
    assert any(algorithm.startswith("MAC: ") for algorithm in told_["algorithms"])
    assert any("OpenSSL" in reader for reader in told_["read_by"])


def test_a_p12_without_its_password_is_told_to_be_closed(things: Path) -> None:
    told_ = part(things / "server.p12")
    assert told_["opened"] is False
    assert told_["parts"] == []


def test_the_password_that_p12_made_up_is_found_beside_the_file(
    things: Path, tmp_path: Path
) -> None:
    shutil.copy(things / "server.p12", tmp_path)
    (tmp_path / "server.p12.password").write_text(f"{PASSWORD}\n")
    assert part(tmp_path / "server.p12")["opened"] is True


def test_a_crl_is_told_with_its_serials_and_its_days(things: Path) -> None:
    told_ = part(things / "crl.pem")
    assert told_["kind"] == "CRL"
    assert told_["number"] == 0x2A
    assert told_["days_left"] == 6
    assert told_["issuer"][-1] == ["CN", "root"]
    assert [one["serial"] for one in told_["revoked"]] == ["1234"]
    assert told_["revoked"][0]["reason"] == "Key Compromise"


@pytest.mark.parametrize(
    ("command", "source", "kind"),
    [
        ("x509", "server.crt", "certificate"),
        ("req", "server.csr", "request"),
        ("crl", "crl.pem", "CRL"),
    ],
)
def test_der_is_told_as_what_it_is_whatever_its_name(
    command: str, source: str, kind: str, things: Path
) -> None:
    asked(things, command, "-in", source, "-outform", "DER", "-out", "a picture.jpg")
    told_ = part(things / "a picture.jpg")
    assert (told_["kind"], told_["form"]) == (kind, "DER")


def test_an_encrypted_key_in_der_is_told_to_be_one(things: Path) -> None:
    asked(
        things, "pkcs8", "-topk8", "-in", "server.key", "-outform", "DER", "-out", "enc.der",
        "-passout", "env:WORD",
    )  # fmt: skip
    assert part(things / "enc.der")["encrypted"] is True


def test_a_p7b_is_told_with_its_certificates(things: Path) -> None:
    asked(things, "crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-out", "chain.p7b")
    told_ = part(things / "chain.p7b")
    assert told_["kind"] == "PKCS#7"
    assert [one["subject"][-1][1] for one in told_["parts"]] == ["server", "middle", "root"]


@pytest.mark.parametrize(
    ("names", "verdict", "chain"),
    [
        (("server.crt", "middle.crt", "root.crt"), "right", [1, 2, 3]),
        (("root.crt", "server.crt", "middle.crt"), "wrong", [2, 3, 1]),
        (("server.crt", "root.crt"), "apart", [1]),
    ],
)
def test_a_chain_file_is_told_to_be_in_order_or_not(
    names: tuple[str, ...], verdict: str, chain: list[int], things: Path, tmp_path: Path
) -> None:
    contents = (things / name for name in names)
    (tmp_path / "x.pem").write_bytes(b"".join(file.read_bytes() for file in contents))
    (file,) = told("inspect", tmp_path / "x.pem")["files"]
    assert file["order"]["verdict"] == verdict
    assert file["order"]["chain"] == chain


def test_a_file_of_several_kinds_is_told_part_by_part(things: Path, tmp_path: Path) -> None:
    content = ["server.key", "server.crt", "crl.pem"]
    (tmp_path / "x.pem").write_bytes(b"".join((things / name).read_bytes() for name in content))
    (file,) = told("inspect", tmp_path / "x.pem")["files"]
    assert [one["kind"] for one in file["parts"]] == ["private key", "certificate", "CRL"]
    assert file["parts"][1]["line"] == len((things / "server.key").read_text().splitlines()) + 1


@pytest.mark.parametrize(
    "dressed",
    [
        lambda pem: b"\xef\xbb\xbf" + pem,
        lambda pem: pem.replace(b"\n", b"\r\n"),
        lambda pem: "证书\r\nBag Attributes\r\n".encode() + pem + b"the end",
        lambda pem: pem.decode().encode("utf-16"),
        lambda pem: b"\n".join(b"    " + line for line in pem.split(b"\n")),
        lambda pem: pem.rstrip(b"\n"),
        lambda pem: b"".join(pem.split(b"\n")[1:-2]),
    ],
    ids=["byte order mark", "CRLF", "text around", "UTF-16", "indented", "no last line", "bare"],
)
def test_a_certificate_survives_what_editors_and_shells_do_to_it(
    dressed: Callable[[bytes], bytes], things: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.crt").write_bytes(dressed((things / "server.crt").read_bytes()))
    assert part(tmp_path / "x.crt")["sha256"] == part(things / "server.crt")["sha256"]


@pytest.mark.parametrize("name", ["服务器 证书.crt", "a b (1).crt", "-in.crt", "x[1].crt"])
def test_a_file_may_have_any_name(
    name: str, things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "证书 与 密钥"
    folder.mkdir()
    shutil.copy(things / "server.crt", folder / name)
    monkeypatch.chdir(folder)
    (file,) = told("inspect", "--", name)["files"]
    assert file["parts"][0]["subject"][-1] == ["CN", "server"]


def test_names_in_chinese_are_told_as_they_are(things: Path) -> None:
    shelf.key(things, "cn")
    (things / "cn.cnf").write_text(
        shelf.CONFIG.replace("CN = unused", "O = 测试 公司\nCN = 根证书"), "utf-8"
    )
    asked(
        things, "req", "-new", "-x509", "-key", "cn.key", "-out", "cn.crt",
        env={"OPENSSL_CONF": "cn.cnf"},
    )  # fmt: skip
    assert part(things / "cn.crt")["subject"] == [["O", "测试 公司"], ["CN", "根证书"]]
    assert "O=测试 公司, CN=根证书" in mtls("inspect", things / "cn.crt").stdout


def test_a_name_can_not_act_on_the_terminal(things: Path) -> None:
    shelf.key(things, "evil")
    asked(
        things, "req", "-new", "-x509", "-key", "evil.key", "-out", "evil.crt", "-subj",
        "/CN=a\x1b[31mb",
    )  # fmt: skip
    shown = mtls("inspect", things / "evil.crt").stdout
    assert "\x1b" not in shown
    assert "CN=a\\x1B[31mb" in shown


def test_fifty_certificates_in_a_file_are_all_told(things: Path, tmp_path: Path) -> None:
    (tmp_path / "many.pem").write_bytes((things / "server.crt").read_bytes() * 50)
    (file,) = told("inspect", tmp_path / "many.pem")["files"]
    assert {one["sha256"] for one in file["parts"]} == {part(things / "server.crt")["sha256"]}
    assert len(file["parts"]) == 50


def test_a_folder_stands_for_its_files_and_what_is_none_of_ours_is_passed_over(
    things: Path, tmp_path: Path
) -> None:
    for name in ("server.crt", "server.key"):
        shutil.copy(things / name, tmp_path)
    (tmp_path / "notes.txt").write_text("milk, bread")
    told_ = told("inspect", tmp_path)
    assert [Path(one["file"]).name for one in told_["files"]] == ["server.crt", "server.key"]
    assert told_["passed_over"] == ["notes.txt"]


def test_a_set_is_told_and_its_log_is_none_of_it(modern: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(modern, tmp_path / "set")
    told_ = told("inspect", folder, *OPEN, env={"WORD": machine.PASSWORD})
    names = ["ca.crt", "ca.key", "client.crt", "client.key", "client.p12", "server.crt"]
    assert [Path(one["file"]).name for one in told_["files"]] == [*names, "server.key"]
    assert "mtls-audit.jsonl" in told_["passed_over"]
    assert told_["files"][4]["parts"][0]["opened"] is True
    objections = [one["parts"][0].get("objections", []) for one in told_["files"]]
    assert objections == [[]] * 7


def test_a_file_may_come_from_standard_input(things: Path) -> None:
    done = mtls("inspect", "-", stdin=(things / "server.crt").read_text())
    assert "DNS:server.example" in done.stdout


def test_raw_gives_openssls_own_text(things: Path) -> None:
    shown = mtls("inspect", "--raw", things / "server.crt", things / "crl.pem").stdout
    assert shown.startswith("Certificate:\n    Data:\n        Version: 3 (0x2)")
    assert "Certificate Revocation List (CRL):" in shown
    assert "-----BEGIN" not in shown


def test_quiet_says_nothing_of_what_can_be_read(things: Path) -> None:
    assert mtls("inspect", "-q", things / "server.crt").output == ""


def test_verbose_says_every_command(things: Path) -> None:
    assert "openssl x509 -in server.crt" in mtls("inspect", "-v", things / "server.crt").stderr


def test_looking_leaves_nothing_beside_the_file(things: Path, tmp_path: Path) -> None:
    joined(things, "x.pem", "server.crt", "server.key")
    shutil.copy(things / "x.pem", tmp_path)
    before = snapshot(tmp_path)
    mtls("inspect", tmp_path / "x.pem")
    assert snapshot(tmp_path) == before


@pytest.mark.posix
def test_a_key_that_is_taken_out_of_a_file_is_kept_from_others(
    things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mtls_openssl.inspection.reading import Reader

    seen: set[int] = set()
    kept = Reader._kept

    def watched(self: Reader, *part: Any) -> Any:
        place = kept(self, *part)
        seen.add(place.folder.stat().st_mode & 0o777)
        return place

    monkeypatch.setattr(Reader, "_kept", watched)
    joined(things, "x.pem", "server.crt", "server.key")
    mtls("inspect", things / "x.pem")
    assert seen == {0o700}
