"""A file in another form holds the same as before; nothing is lost, and no key comes bare."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from mtls_openssl import audit
from mtls_openssl.inspection.maker import Maker
from tests import shelf
from tests.machine import snapshot
from tests.shelf import PASSWORD, asked, mtls, part, told

pytestmark = pytest.mark.end_to_end

OPEN = ("--password-env", "WORD")
NEW = ("--new-password-env", "NEW")
SHUT = ("--password-env", "NEW")


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf.filled(tmp_path_factory.mktemp("shelf"))


def parts(file: Path, *options: str) -> list[dict[str, object]]:
    (one,) = told("inspect", file, *options)["files"]
    found: list[dict[str, object]] = one["parts"]
    return found


@pytest.mark.parametrize(
    ("name", "command"), [("server.crt", "x509"), ("server.csr", "req"), ("crl.pem", "crl")]
)
def test_pem_becomes_der_and_der_becomes_the_same_pem(
    name: str, command: str, things: Path, tmp_path: Path
) -> None:
    mtls("convert", things / name, tmp_path / "x.der")
    mtls("convert", tmp_path / "x.der", tmp_path / "x.pem")
    assert (tmp_path / "x.der").read_bytes()[0] == 0x30
    plain = asked(things, command, "-in", name)
    assert (tmp_path / "x.pem").read_text() == plain[plain.index("-----BEGIN") :]


def test_a_key_without_a_password_becomes_der_and_stays_private(
    things: Path, tmp_path: Path
) -> None:
    mtls("convert", things / "server.key", tmp_path / "x.der")
    key = part(things / "server.key")["public_key_sha256"]
    assert part(tmp_path / "x.der")["public_key_sha256"] == key


def test_key_and_certificates_become_a_p12_for_the_reader_asked_for(
    things: Path, tmp_path: Path
) -> None:
    result = tmp_path / "x.p12"
    sources = (things / "server.key", things / "chain.pem")
    mtls("convert", *sources, result, *NEW, "--for", "windows2016", "--name", "Web")
    told_ = part(result, *SHUT)
    assert [one["kind"] for one in told_["parts"]] == ["private key", *["certificate"] * 3]
    assert told_["parts"][0]["friendly_name"] == "Web"
    assert all("sha1" in one.lower() for one in told_["algorithms"])


def test_a_p12_is_made_of_an_encrypted_key_too(things: Path, tmp_path: Path) -> None:
    sources = (things / "enc.key", things / "server.crt")
    mtls("convert", *sources, tmp_path / "x.p12", *OPEN, *NEW)
    key, certificate = part(tmp_path / "x.p12", *SHUT)["parts"]
    assert key["public_key_sha256"] == certificate["public_key_sha256"]


def test_a_p12_becomes_pem_and_its_key_keeps_its_password(things: Path, tmp_path: Path) -> None:
    mtls("convert", things / "server.p12", tmp_path / "x.pem", *OPEN)
    key, leaf, _issuer = parts(tmp_path / "x.pem", *OPEN)
    assert key["encrypted"] is True
    assert key["public_key_sha256"] == leaf["public_key_sha256"]


def test_its_key_gets_another_password_where_one_is_named(things: Path, tmp_path: Path) -> None:
    mtls("convert", things / "server.p12", tmp_path / "x.pem", *OPEN, *NEW)
    assert parts(tmp_path / "x.pem", *SHUT)[0]["opened"] is True


def test_its_key_comes_bare_only_when_that_is_asked_for(things: Path, tmp_path: Path) -> None:
    done = mtls("convert", things / "server.p12", tmp_path / "x.pem", *OPEN, "--no-encryption")
    assert parts(tmp_path / "x.pem")[0]["encrypted"] is False
    assert "whoever can read the file has the key" in done.stdout


@pytest.mark.posix
def test_what_has_a_key_is_for_its_owner_alone_and_a_certificate_for_everyone(
    things: Path, tmp_path: Path
) -> None:
    mtls("convert", things / "server.p12", tmp_path, "--split", *OPEN)
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    assert modes == {
        "key-1.pem": "0o600",
        "certificate-1.pem": "0o644",
        "certificate-2.pem": "0o644",
    }


def test_a_chain_is_split_and_joined_again(things: Path, tmp_path: Path) -> None:
    mtls("convert", things / "chain.pem", tmp_path / "split", "--split")
    files = sorted((tmp_path / "split").iterdir())
    assert [file.name for file in files] == [f"certificate-{number}.pem" for number in (1, 2, 3)]
    mtls("convert", *files, tmp_path / "again.pem")
    assert (tmp_path / "again.pem").read_text() == (things / "chain.pem").read_text()


@pytest.mark.parametrize(
    ("only", "names"), [("certificate", ["server"]), ("chain", ["middle", "root"])]
)
def test_part_of_a_file_may_be_taken(
    only: str, names: list[str], things: Path, tmp_path: Path
) -> None:
    mtls("convert", things / "chain.pem", tmp_path / "x.pem", "--only", only)
    subjects = [one["subject"] for one in parts(tmp_path / "x.pem")]
    assert subjects == [[["O", "The shelf"], ["CN", name]] for name in names]


def test_certificates_become_a_p7b(things: Path, tmp_path: Path) -> None:
    mtls("convert", things / "chain.pem", tmp_path / "x.p7b")
    assert len(part(tmp_path / "x.p7b")["parts"]) == 3


def test_the_same_thing_twice_is_written_once(things: Path, tmp_path: Path) -> None:
    mtls("convert", things / "server.crt", things / "chain.pem", tmp_path / "x.pem")
    assert (tmp_path / "x.pem").read_text() == (things / "chain.pem").read_text()


def test_a_file_that_is_there_is_not_touched(things: Path, tmp_path: Path) -> None:
    (tmp_path / "x.der").write_text("mine")
    done = mtls("convert", things / "server.crt", tmp_path / "x.der", code=7)
    assert "--force" in done.stderr
    assert snapshot(tmp_path) == {"x.der": b"mine"}


def test_with_force_it_goes_to_the_backup(things: Path, tmp_path: Path) -> None:
    (tmp_path / "x.der").write_text("mine")
    mtls("convert", things / "server.crt", tmp_path / "x.der", "--force")
    assert part(tmp_path / "x.der")["kind"] == "certificate"
    (kept,) = (tmp_path / "backup").rglob("x.der")
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("name", ["证书 新.der", "a b (1).der", "x's & y.der"])
def test_a_file_may_be_written_under_any_name(name: str, things: Path, tmp_path: Path) -> None:
    folder = tmp_path / "输出 文件夹"
    mtls("convert", things / "server.crt", folder / name)
    assert [file.name for file in folder.iterdir()] == [name]


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("chain.pem", "x.der"), 2, "A DER file holds one thing, and here are 3"),
        (("server.crt", "x.p12", *NEW), 2, "made of one private key, and here are 0"),
        (("middle.key", "server.crt", "x.p12", *NEW), 2, "No certificate here belongs to"),
        (("crl.pem", "server.key", "server.crt", "x.p12", *NEW), 2, "nothing else"),
        (("server.key", "x.p7b"), 2, "certificates only"),
        (("server.crt", "x.txt"), 2, "does not say in which form"),
        (("server.crt", "x.pem", "--to", "jks"), 2, "--to jks is not known"),
        (("server.crt", "x.pem", "--only", "all"), 2, "--only all is not known"),
        (("server.crt", "x.pem", "--for", "me"), 2, "--p12-for me is not known"),
        (("server.crt", "x.pem", "--only", "key"), 2, "There is nothing to convert"),
        (("server.crt", ".x.pem"), 2, "is no name for a file"),
        (("server.crt", "server.key", "x.p12"), 2, "is to have a password, and none is given"),
        (("enc.key", "x.pem"), 2, "has a password, and none is given"),
        (("server.p12", "x.pem"), 2, "has a password, and none is given"),
        (("enc.key", "x.der", *OPEN), 2, "no encrypted keys in DER"),
        (("server.p12", "x.pem", *SHUT), 4, "is not opened by the password"),
        (("shelf.cnf", "x.pem"), 7, "no certificate, request, key"),
        (("none.crt", "x.pem"), 7, "there is no file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_can_not_be_done_is_told_and_leaves_nothing(
    argv: tuple[str, ...], code: int, says: str, things: Path, tmp_path: Path
) -> None:
    place = {name: str(things / name) for name in argv if (things / name).exists()}
    place |= {name: str(tmp_path / name) for name in argv if name.startswith(("x.", ".x"))}
    done = mtls("convert", *(place.get(name, name) for name in argv), code=code)
    assert says in done.stderr
    assert snapshot(tmp_path) == {}


def test_what_does_not_pass_its_proof_is_thrown_away(
    things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Maker._written

    def faulty(self: Maker, content: str | bytes, ending: str) -> str:
        other = (things / "root.crt").read_text()
        return written(self, other, ending)

    monkeypatch.setattr(Maker, "_written", faulty)
    (tmp_path / "x.pem").write_text("mine")
    done = mtls("convert", things / "server.crt", tmp_path / "x.pem", "--force", code=5)
    assert "What was made is not what was asked for" in done.stderr
    assert snapshot(tmp_path) == {"x.pem": b"mine"}


def test_what_was_written_is_told_as_data(things: Path, tmp_path: Path) -> None:
    told_ = told("convert", things / "server.p12", tmp_path / "x.pem", *OPEN)
    assert told_["files"] == {
        str(tmp_path / "x.pem"): ["private key", "certificate", "certificate"]
    }
    assert (told_["form"], told_["backup"]) == ("pem", None)


def test_a_set_with_a_log_has_the_new_file_in_it(things: Path, tmp_path: Path) -> None:
    with audit.AuditLog.open(tmp_path / audit.LOG) as log:
        log.end(0, "done", {})
    mtls("convert", things / "server.crt", tmp_path / "x.der")
    last = list(audit.read(tmp_path / audit.LOG))[-1]
    assert last.writes == {"x.der": audit.sha256_of(tmp_path / "x.der")}
    assert audit.verify(tmp_path / audit.LOG, folder=tmp_path).faults == ()


def test_no_password_is_in_any_log(
    things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTLS_LOG_DIR", str(tmp_path / "log"))
    mtls("convert", things / "server.p12", tmp_path / "x.pem", *OPEN, *NEW)
    log = (tmp_path / "log" / audit.LOG).read_text("utf-8")
    assert PASSWORD not in log
    assert shelf.NEW_PASSWORD not in log
    assert "PRIVATE KEY" not in log


def test_the_source_stays_as_it_was(things: Path, tmp_path: Path) -> None:
    shutil.copy(things / "server.p12", tmp_path)
    before = snapshot(tmp_path)
    mtls("convert", tmp_path / "server.p12", tmp_path / "out" / "x.pem", *OPEN)
    assert snapshot(tmp_path)["server.p12"] == before["server.p12"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("*.pem", "* and ? stand for other characters"),
        ("a|b.pem", "holds a character that Windows does not allow"),
        ("-a.pem", "choose one that does not begin with a dot or a dash"),
        (f"{'a' * 100}.pem", "its name has more than 100 characters"),
    ],
)
def test_a_name_that_is_not_written_is_told_with_what_is_wrong_with_it(
    name: str, why: str, things: Path, tmp_path: Path
) -> None:
    assert why in mtls("convert", things / "server.crt", tmp_path / name, code=2).stderr


@pytest.mark.parametrize(
    ("command", "otherwise"),
    [
        (("convert", "server.crt", "{}/a.der"), "name a file in another folder"),
        (("convert", "chain.pem", "{}", "--split"), "name another folder"),
        (
            ("key", "decrypt", "enc.key", "--out-file", "{}/a.key", "--password-env", "WORD"),
            "name a file in another folder with --out-file",
        ),
    ],
)
def test_a_folder_that_may_not_be_written_is_told_with_what_says_where(
    command: tuple[str, ...], otherwise: str, things: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    words = [word.format(tmp_path / "file" / "below") for word in command]

    with contextlib.chdir(things):
        said = mtls(*words, code=7).stderr

    assert f"or {otherwise}\n" in said
    assert "--out\n" not in said
