"""`repair-ca` on sets made by the batch file's own commands: a strict CA, and nothing else new."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests import original
from tests.machine import CHECKOUT, facts, lock, mtls, openssl, ran, snapshot
from tests.test_strict import strict_pythons

pytestmark = pytest.mark.end_to_end

LEAVES = [("server.crt", "sslserver"), ("client.crt", "sslclient")]
CHINESE = "/C=CN/ST=北京/O=测试公司 CA/CN=根证书"
DUMPED = ("-noout", "-subject", "-nameopt", "RFC2253,dump_all,dump_der")
PLAIN = "[req]\ndistinguished_name = dn\nutf8 = yes\nstring_mask = {mask}\n[dn]\n"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    original.make(folder)
    return folder


@pytest.fixture
def folder(theirs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(theirs, tmp_path / "旧 证书"))


@pytest.fixture(scope="module")
def repaired(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(theirs, tmp_path_factory.mktemp("repaired") / "set"))
    mtls("repair-ca", cwd=folder, env={"MTLS_LOG_DIR": str(folder.parent)})
    return folder


def ssl(folder: Path, *argv: str, exit_code: int | None = 0) -> str:
    conf = {"OPENSSL_CONF": "plain.cnf" if (folder / "plain.cnf").is_file() else "stock.cnf"}
    return ran(openssl(), *argv, cwd=folder, env=conf, exit_code=exit_code).stdout


def x509(certificate: Path, *what: str) -> str:
    return ssl(certificate.parent, "x509", "-in", certificate.name, *what)


def strict(folder: Path, certificate: str, *more: str) -> str:
    return ssl(folder, "verify", "-x509_strict", *more, "-CAfile", "ca.crt", certificate).strip()


def make_ca(
    folder: Path,
    subject: str,
    extensions: Sequence[str],
    *,
    mask: str = "utf8only",
    leaf: Sequence[str] = original.EXTENSION_FILES["v3_client.ext"],
) -> None:
    """A CA with these extensions, and a client's certificate of it, by default the guide's."""
    folder.mkdir()
    (folder / "plain.cnf").write_text(PLAIN.format(mask=mask), encoding="utf-8")
    ssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-out", "ca.key")  # fmt: skip
    shutil.copy(folder / "ca.key", folder / "client.key")
    (folder / "ca.ext").write_text("\n".join(extensions) + "\n")
    (folder / "client.ext").write_text("\n".join(leaf) + "\n")
    ca = ("x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-days", "3650")
    request(folder, "ca.csr", "ca.key", subject)
    ssl(folder, *ca, *(("-extfile", "ca.ext") if extensions else ()), "-out", "ca.crt")
    request(folder, "client.csr", "client.key", "/CN=client1")
    ssl(folder, "x509", "-req", "-in", "client.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "365", "-sha256", "-extfile", "client.ext",
        "-out", "client.crt")  # fmt: skip


def request(folder: Path, csr: str, key: str, subject: str) -> None:
    config = (folder / "plain.cnf").read_text("utf-8").partition("[dn]")[0]
    parts = subject.strip("/").split("/")
    config += "[dn]\n" + "\n".join(part.replace("=", " = ", 1) for part in parts) + "\n"
    (folder / "subject.cnf").write_text(config.replace("[req]", "[req]\nprompt = no"), "utf-8")
    ssl(folder, "req", "-new", "-config", "subject.cnf", "-key", key, "-out", csr)


@pytest.mark.parametrize(("certificate", "purpose"), LEAVES)
def test_a_leaf_made_before_passes_the_strictest_check(
    certificate: str, purpose: str, repaired: Path
) -> None:
    assert strict(repaired, certificate, "-purpose", purpose) == f"{certificate}: OK"


@pytest.mark.parametrize("python", strict_pythons())
def test_python_shakes_hands_with_the_old_leaves(python: str, repaired: Path) -> None:
    handshake = CHECKOUT / "tests" / "handshake.py"
    shaken = ran(python, handshake, repaired, "server.your_domain.com", cwd=repaired)
    assert shaken.stdout.split() == ["TLSv1.3", "client1"]


def test_the_certificate_is_the_old_one_and_says_what_its_key_is_for(
    theirs: Path, repaired: Path
) -> None:
    old, new = facts(theirs / "ca.crt"), facts(repaired / "ca.crt")
    usage = {"X509v3 Key Usage: critical": "Certificate Sign, CRL Sign"}
    assert dict(new.extensions) == {**old.extensions, **usage}
    assert (new.subject, new.issuer, new.key) == (old.subject, old.issuer, old.key)
    same = ("-noout", "-dates", "-subject_hash", "-ext", "subjectKeyIdentifier")
    assert x509(repaired / "ca.crt", *same) == x509(theirs / "ca.crt", *same)
    serial = ("-noout", "-serial")
    assert x509(repaired / "ca.crt", *serial) != x509(theirs / "ca.crt", *serial)


def test_nothing_else_is_touched_and_the_old_certificate_is_in_the_backup(
    theirs: Path, repaired: Path
) -> None:
    before, after = snapshot(theirs), snapshot(repaired)
    new = {name for name in after if after[name] != before.get(name)}
    (kept,) = [name for name in new if name.startswith("backup/")]
    assert after[kept] == before["ca.crt"]
    assert new == {"ca.crt", "mtls-audit.jsonl", kept}


def test_the_log_of_the_repair_is_unbroken(repaired: Path) -> None:
    assert "unbroken" in mtls("audit", "verify", cwd=repaired).stdout


def test_a_ca_that_is_strict_already_is_left_alone_and_needs_no_key(
    repaired: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(repaired, tmp_path / "set"))
    (folder / "ca.key").unlink()
    before = snapshot(folder)
    before.pop("mtls-audit.jsonl")
    again = mtls("repair-ca", cwd=folder)
    after = snapshot(folder)
    after.pop("mtls-audit.jsonl")
    assert "nothing was changed" in again.stdout
    assert after == before


def test_with_days_it_lasts_longer(folder: Path) -> None:
    mtls("repair-ca", "--ca-days", "7300", cwd=folder)
    assert facts(folder / "ca.crt").days == 7300
    assert strict(folder, "server.crt", "-purpose", "sslserver") == "server.crt: OK"


def test_a_period_that_ends_sooner_is_refused(folder: Path) -> None:
    before = snapshot(folder)
    refused = mtls("repair-ca", "--ca-days", "30", cwd=folder, exit_code=2)
    assert "would end sooner" in refused.stderr
    assert snapshot(folder) == before


def test_a_dry_run_prints_the_commands_and_changes_nothing(folder: Path) -> None:
    before = snapshot(folder)
    shown = mtls("repair-ca", "--dry-run", cwd=folder).stdout
    assert "-preserve_dates -clrext" in shown
    assert snapshot(folder) == before


@dataclasses.dataclass(frozen=True)
class Odd:
    """A CA that is not as usual, before and after its repair."""

    folder: Path
    subject: str
    serial: str


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Odd]:
    """Two of them, by their `string_mask`, with the name of a company in Chinese.

    One has a key identifier that is no hash. The other has a path length, and what it has issued
    names its serial number.
    """
    found = {}
    for mask, identifier, constraints, authority in (
        ("utf8only", "01:02:03", "CA:true", "keyid"),
        ("pkix", "hash", "critical,CA:true,pathlen:0", "keyid, issuer:always"),
    ):
        folder = tmp_path_factory.mktemp("odd") / "set"
        extensions = (f"subjectKeyIdentifier = {identifier}", f"basicConstraints = {constraints}")
        leaf = (f"authorityKeyIdentifier = {authority}", "basicConstraints = CA:FALSE")
        make_ca(folder, CHINESE, extensions, mask=mask, leaf=leaf)
        ca = folder / "ca.crt"
        found[mask] = Odd(folder, x509(ca, *DUMPED), x509(ca, "-noout", "-serial"))
        mtls("repair-ca", cwd=folder, env={"MTLS_LOG_DIR": str(folder.parent)})
    return found


@pytest.mark.parametrize("mask", ["utf8only", "pkix"])
def test_a_subject_keeps_every_byte(mask: str, odd: Mapping[str, Odd]) -> None:
    folder = odd[mask].folder
    assert x509(folder / "ca.crt", *DUMPED) == odd[mask].subject
    assert strict(folder, "client.crt") == "client.crt: OK"


def test_a_key_identifier_that_is_no_hash_is_kept(odd: Mapping[str, Odd]) -> None:
    extensions = facts(odd["utf8only"].folder / "ca.crt").extensions
    assert extensions["X509v3 Subject Key Identifier:"] == "01:02:03"


def test_a_path_length_is_kept(odd: Mapping[str, Odd]) -> None:
    extensions = facts(odd["pkix"].folder / "ca.crt").extensions
    assert extensions["X509v3 Basic Constraints: critical"] == "CA:TRUE, pathlen:0"


def test_the_serial_number_stays_only_where_what_was_issued_names_it(
    odd: Mapping[str, Odd],
) -> None:
    def stays(mask: str) -> bool:
        return x509(odd[mask].folder / "ca.crt", "-noout", "-serial") == odd[mask].serial

    assert (stays("utf8only"), stays("pkix")) == (False, True)


@pytest.fixture(scope="module")
def crowded(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A repaired set with more than the batch file's in its folder, and what was advised.

    `foreign.crt` is of another CA, and `bad.crt` has a fault of its own.
    """
    folder = Path(shutil.copytree(theirs, tmp_path_factory.mktemp("crowded") / "set"))
    for name in ("server.p12", "truststore.p12", "theirs.jks"):
        (folder / name).touch()
    other = folder.parent / "other"
    make_ca(other, "/CN=other", ("basicConstraints = critical,CA:true",))
    shutil.copy(other / "client.crt", folder / "foreign.crt")
    (folder / "plain.cnf").write_text(PLAIN.format(mask="utf8only"))
    (folder / "bad.ext").write_text("basicConstraints = CA:FALSE\nkeyUsage = keyCertSign\n")
    request(folder, "bad.csr", "client.key", "/CN=bad")
    ssl(folder, "x509", "-req", "-in", "bad.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-set_serial", "7", "-days", "9", "-extfile", "bad.ext", "-out", "bad.crt")  # fmt: skip
    env = {"MTLS_LOG_DIR": str(folder.parent)}
    told = mtls("repair-ca", "--out", folder, "--json", cwd=folder.parent, env=env).stdout
    data = json.loads(told)
    assert list(data["files"]) == ["ca.crt"]
    return folder, data["advice"]


def test_what_still_carries_the_old_certificate_is_told(crowded: tuple[Path, list[str]]) -> None:
    told = "\n".join(crowded[1])
    for maker in ("p12 client", "p12 truststore", "trust install"):
        assert f"python -m mtls_openssl {maker} --out " in told
    assert "theirs.jks may hold" in told
    assert "server.p12" not in told


def test_what_the_ca_did_not_issue_is_no_obstacle(crowded: tuple[Path, list[str]]) -> None:
    folder, told = crowded
    assert strict(folder, "server.crt", "-purpose", "sslserver") == "server.crt: OK"
    assert "foreign.crt" not in "\n".join(told)


def test_a_leaf_with_a_fault_of_its_own_is_told_and_no_obstacle(
    crowded: tuple[Path, list[str]],
) -> None:
    folder, told = crowded
    assert strict(folder, "server.crt", "-purpose", "sslserver") == "server.crt: OK"
    refused = ssl(folder, "verify", "-x509_strict", "-CAfile", "ca.crt", "bad.crt", exit_code=None)
    assert ("bad.crt is refused" in "\n".join(told)) == ("bad.crt: OK" not in refused)


def damage(folder: Path, what: str) -> None:
    other = folder.parent / "other"
    match what:
        case "no key":
            (folder / "ca.key").unlink()
        case "no certificate":
            (folder / "ca.crt").unlink()
        case "key with a password":
            lock(folder / "ca.key", "only for a test")
        case "key of another CA":
            shutil.copy(folder / "server.key", folder / "ca.key")
        case "no certificate in it":
            (folder / "ca.crt").write_text("nothing")
        case "a leaf":
            shutil.copy(folder / "server.crt", folder / "ca.crt")
        case "name constraints":
            make_ca(
                other, "/CN=ca",
                ("basicConstraints = critical,CA:true", "nameConstraints = permitted;dirName:dn",
                 "[dn]", "O = Ours"),
            )  # fmt: skip
            for name in ("ca.crt", "ca.key"):
                shutil.copy(other / name, folder / name)


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("no key", 7, "ca.key is not in"),
        ("no certificate", 7, "ca.crt is not in"),
        ("key with a password", 6, "The pass phrase of ca.key is not known"),
        ("key of another CA", 7, "is not the key of"),
        ("no certificate in it", 7, "can't be read as a certificate"),
        ("a leaf", 2, "is not the certificate of a CA"),
        ("name constraints", 2, "X509v3 Name Constraints"),
    ],
)
def test_what_can_not_be_repaired_is_refused_in_words_and_left_alone(
    what: str, code: int, said: str, folder: Path
) -> None:
    damage(folder, what)
    before = snapshot(folder)
    refused = mtls("repair-ca", cwd=folder, exit_code=code)
    assert said in refused.stderr
    assert "To mend it" in refused.stderr
    assert snapshot(folder) == before


@pytest.mark.posix
@pytest.mark.parametrize(
    ("instead", "said"),
    [
        ("the old one", "it has all that strict validators ask for"),
        ("another CA's", "its key is the old one"),
    ],
)
def test_a_certificate_that_is_not_the_right_one_never_takes_the_old_ones_place(
    instead: str, said: str, folder: Path, tmp_path: Path
) -> None:
    given = folder / "ca.crt"
    if instead == "another CA's":
        usage = "keyUsage = critical,keyCertSign"
        make_ca(tmp_path / "other", "/CN=ca", ("basicConstraints = critical,CA:true", usage))
        given = tmp_path / "other" / "ca.crt"
    faulty = tmp_path / "openssl"
    faulty.write_text(
        f'#!/bin/sh\ncase "$*" in *-preserve_dates*) cp "{given}" ca.crt ;;'
        f' *) exec "{openssl()}" "$@" ;; esac\n'
    )
    faulty.chmod(0o755)
    before = snapshot(folder)
    refused = mtls("repair-ca", "--openssl", faulty, cwd=folder, exit_code=5)
    after = snapshot(folder)
    after.pop("mtls-audit.jsonl")
    assert said in refused.stderr
    assert after == before


DESCRIBED = """\
profile = "modern"
domain = "example.com"

[ca]
passphrase = "env:MTLS_CA_PASSPHRASE"
path_length = 1
days = 1000
permitted = ["example.com", "192.0.2.0/24", "2001:db8::/32"]
excluded = ["bad.example.com"]

[intermediate]
cn = "Issuing"
days = 900

[[server]]
name = "www"
dns = ["www.example.com"]

[[client]]
name = "alice"
email = ["alice@example.com"]
"""
PASSPHRASE = {"MTLS_CA_PASSPHRASE": "the pass phrase of the CA"}


def test_a_root_with_an_encrypted_key_lasts_longer_and_all_below_it_stays(tmp_path: Path) -> None:
    (tmp_path / "mtls.toml").write_text(DESCRIBED, "utf-8")
    mtls("apply", cwd=tmp_path, env=PASSPHRASE)
    before, old = snapshot(tmp_path), facts(tmp_path / "ca.crt")

    refused = mtls("repair-ca", "--ca-days", "4000", cwd=tmp_path, exit_code=6)
    assert "set the variable MTLS_CA_PASSPHRASE" in refused.stderr
    wrong = {"MTLS_CA_PASSPHRASE": "another"}
    refused = mtls("repair-ca", "--ca-days", "4000", cwd=tmp_path, env=wrong, exit_code=6)
    assert "does not open with its pass phrase" in refused.stderr
    told = mtls("repair-ca", "--ca-days", "4000", cwd=tmp_path, env=PASSPHRASE).stdout

    after, new = snapshot(tmp_path), facts(tmp_path / "ca.crt")
    kept = {name for name in before if name != "mtls-audit.jsonl" and after[name] == before[name]}
    assert set(before) - kept == {"mtls-audit.jsonl", "ca.crt", "chain.crt"}
    assert (new.days, new.subject, new.extensions) == (4000, old.subject, old.extensions)
    assert "X509v3 Name Constraints: critical" in new.extensions
    joined = after["intermediate.crt"] + after["ca.crt"]
    assert after["chain.crt"].split() == joined.split()
    assert "alice.p12 holds the CA's old certificate: make it again: python" in told
    assert "www.p12" not in told
    assert "p12 alice" in told
    by = ("-untrusted", "intermediate.crt")
    assert strict(tmp_path, "www.crt", "-purpose", "sslserver", *by) == "www.crt: OK"
    assert PASSPHRASE["MTLS_CA_PASSPHRASE"].encode() not in after["mtls-audit.jsonl"]
    assert b'"-passin","env:MTLS_CA_PASSPHRASE"' in after["mtls-audit.jsonl"]
