"""`apply` makes the folder what mtls.toml says, and nothing more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mtls_openssl.openssl import extensions
from mtls_openssl.scripting import prompt
from tests.sets import PASSPHRASE, PASSWORD, Set, days_left, made_fixture

__all__ = ["made_fixture"]
pytestmark = pytest.mark.end_to_end
alike = pytest.mark.posix
"""What is the same on Windows, where each of many processes takes its time."""

SMALL = """\
profile = "modern"
domain = "example.com"

[[server]]
name = "www"
dns = ["www.example.com"]

[[client]]
name = "alice"

[[client]]
name = "bob"
days = 90
"""
WHOLE = """\
profile = "modern"
org = "示例公司"
domain = "example.com"

[ca]
cn = "Root"
key = "P-384"
days = 4000
passphrase = "env:MTLS_CA_PASSPHRASE"
path_length = 1
permitted = ["example.com", "127.0.0.0/8", "2001:db8::/32"]
excluded = ["bad.example.com"]
crl_url = "http://pki.example.com/crl.der"
ocsp_url = "http://ocsp.example.com/"

[intermediate]
cn = "Issuing"
key = "RSA-2048"
days = 2000
path_length = 0

[[server]]
name = "www.example.com"
dns = ["www.example.com", "*.example.com"]
ip = ["127.0.0.1", "2001:db8::1"]
key = "RSA-3072"
p12 = ["default", "windows2016"]

[[client]]
name = "alice"
cn = "Alice, A/B + C"
email = ["alice@example.com"]
uri = ["spiffe://example.com/alice"]
key = "Ed25519"
"""


@pytest.fixture(name="applied", scope="module")
def applied_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    applied = Set(tmp_path_factory.mktemp("applied") / "set")
    applied.describe(SMALL)
    applied.must("apply")
    return applied


@pytest.fixture(name="small")
def small_fixture(applied: Set, made: Set) -> Set:
    return made.copy_of(applied)


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("original") / "set")
    original.describe(WHOLE)
    original.must("apply", MTLS_CA_PASSPHRASE=PASSPHRASE)
    return original


@pytest.fixture(name="whole")
def whole_fixture(original: Set, made: Set) -> Set:
    return made.copy_of(original)


def test_each_certificate_is_made_as_it_is_described(whole: Set) -> None:
    root, issuing = whole.certificate("ca"), whole.certificate("intermediate")
    www, alice = whole.certificate("www.example.com"), whole.certificate("alice")

    assert [one.subject[-1] for one in (root, issuing, www, alice)] == [
        ("CN", "Root"),
        ("CN", "Issuing"),
        ("CN", "www.example.com"),
        ("CN", "Alice, A/B + C"),
    ]
    assert [(one.key.kind, one.key.bits) for one in (root, issuing, www, alice) if one.key] == [
        ("EC", 384),
        ("RSA", 2048),
        ("RSA", 3072),
        ("ED25519", 0),
    ]
    assert dict(www.subject)["O"] == "示例公司"
    assert www.extensions[extensions.ALTERNATIVE_NAME].values == (
        "DNS:www.example.com",
        "DNS:*.example.com",
        "IP Address:127.0.0.1",
        "IP Address:2001:DB8:0:0:0:0:0:1",
    )
    assert alice.extensions[extensions.ALTERNATIVE_NAME].values == (
        "email:alice@example.com",
        "URI:spiffe://example.com/alice",
    )
    assert root.extensions[extensions.BASIC_CONSTRAINTS].values == ("CA:TRUE", "pathlen:1")
    assert issuing.extensions[extensions.BASIC_CONSTRAINTS].values == ("CA:TRUE", "pathlen:0")


def test_the_root_limits_the_names_below_it_and_leaves_say_where_to_ask(whole: Set) -> None:
    root, alice = whole.certificate("ca"), whole.certificate("alice")

    limits = root.extensions[extensions.NAME_CONSTRAINTS]
    assert (limits.critical, limits.values) == (
        True,
        (
            "Permitted:",
            "DNS:example.com",
            "IP:127.0.0.0/255.0.0.0",
            "IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0",
            "Excluded:",
            "DNS:bad.example.com",
        ),
    )
    said = [value for one in alice.extensions.values() for value in one.values]
    assert "URI:http://pki.example.com/crl.der" in said
    assert "OCSP - URI:http://ocsp.example.com/" in said


def test_what_an_address_in_certificates_means_on_windows_is_said(whole: Set) -> None:
    ran = whole.must("renew", "alice")
    assert "IIS refuses every client (403.13)" in ran.stdout
    assert "http://pki.example.com/crl.der leads" in ran.stdout


def test_the_chain_is_leaf_intermediate_root_and_strict_validators_take_it(whole: Set) -> None:
    folder = whole.folder

    def text(name: str) -> str:
        return (folder / name).read_text("ascii")

    assert text("chain.crt") == text("intermediate.crt") + text("ca.crt")
    assert text("alice.chain.crt") == text("alice.crt") + text("intermediate.crt")
    strict = ("verify", "-x509_strict", "-CAfile", "ca.crt", "-untrusted", "intermediate.crt")
    assert whole.openssl(*strict, "-purpose", "sslclient", "alice.crt") == "alice.crt: OK\n"
    assert (
        whole.openssl(*strict, "-verify_ip", "2001:db8::1", "www.example.com.crt")
        == "www.example.com.crt: OK\n"
    )


def test_the_cas_key_is_encrypted_and_a_pass_phrase_is_asked_for_by_name(whole: Set) -> None:
    assert "ENCRYPTED" in (whole.folder / "ca.key").read_text("ascii")
    assert "ENCRYPTED" not in (whole.folder / "intermediate.key").read_text("ascii")
    log = (whole.folder / "mtls-audit.jsonl").read_text("utf-8")
    assert PASSPHRASE not in log
    assert '"-passin","env:MTLS_CA_PASSPHRASE"' in log

    before = whole.files()
    ran = whole.run("apply", "--replace", "ca", MTLS_CA_PASSPHRASE=None)
    assert (ran.code, "the variable MTLS_CA_PASSPHRASE" in ran.stderr) == (6, True)
    assert whole.files() == before


def test_a_pkcs12_file_is_packed_for_each_reader_with_the_whole_chain_of_a_client(
    whole: Set,
) -> None:
    passwords = {
        name: (whole.folder / f"{name}.password").read_text("ascii").strip()
        for name in ("alice.p12", "www.example.com.p12", "www.example.com.windows2016.p12")
    }
    assert len(set(passwords.values())) == 3

    def held(name: str) -> int:
        password = f"pass:{passwords[name]}"
        text = whole.openssl("pkcs12", "-in", name, "-nokeys", "-passin", password)
        return text.count("BEGIN CERTIFICATE")

    assert [held(name) for name in passwords] == [3, 2, 2]


def test_a_second_run_does_nothing_and_needs_no_pass_phrase(whole: Set) -> None:
    before = whole.files()

    ran = whole.must("apply", MTLS_CA_PASSPHRASE=None)

    assert "Nothing to do" in ran.stdout
    assert whole.files() == before


def test_what_is_added_is_made_and_all_else_stays_to_the_byte(small: Set) -> None:
    before = small.files()
    small.describe(SMALL + '\n[[client]]\nname = "carol"\n')

    assert small.actions("apply") == {"carol": "make"}
    small.must("apply")

    changed = small.changed_since(before)
    assert changed == {"mtls.toml", "carol.key", "carol.crt", "carol.p12", "carol.p12.password"}
    assert small.actions("apply") == {}


def test_what_is_described_otherwise_is_issued_again_with_its_key_and_the_old_is_kept(
    small: Set,
) -> None:
    before = small.files()
    small.describe(SMALL.replace('"www.example.com"]', '"www.example.com", "api.example.com"]'))

    ran = small.must("apply", "--dry-run")
    assert re.search(r"www is issued again, with the same key: .*api\.example\.com", ran.stdout)
    assert small.changed_since(before) == {"mtls.toml"}
    small.must("apply")

    assert small.changed_since(before) == {"mtls.toml", "www.crt"}
    assert "DNS:api.example.com" in (
        small.certificate("www").extensions[extensions.ALTERNATIVE_NAME].values
    )
    (backup,) = (small.folder / "backup").iterdir()
    assert (backup / "www.crt").read_bytes() == before["www.crt"]


@alike
def test_another_kind_of_key_is_a_new_key(small: Set) -> None:
    before = small.files()
    small.describe(SMALL.replace('name = "alice"', 'name = "alice"\nkey = "P-384"'))

    small.must("apply")

    assert {"alice.key", "alice.crt", "alice.p12"} < small.changed_since(before)
    key = small.certificate("alice").key
    assert key
    assert key.curve == "secp384r1"


@alike
def test_a_key_of_another_certificate_is_found_and_both_are_made_again(small: Set) -> None:
    (small.folder / "bob.key").write_bytes((small.folder / "alice.key").read_bytes())

    assert small.actions("apply") == {"bob": "reissue"}
    small.must("apply")

    assert small.actions("apply") == {}
    assert small.files()["bob.key"] != small.files()["alice.key"]


def test_a_pkcs12_file_that_is_gone_is_packed_again_and_the_certificate_stays(small: Set) -> None:
    before = small.files()
    (small.folder / "alice.p12").unlink()

    assert small.actions("apply") == {"alice": "pack"}
    small.must("apply")

    assert small.changed_since(before) <= {"alice.p12"}
    assert (small.folder / "alice.p12").is_file()


def test_a_password_of_ones_own_is_for_all_pkcs12_files_and_kept_nowhere(made: Set) -> None:
    made.describe(SMALL)
    made.must("apply", MTLS_P12_PASSWORD=PASSWORD)

    assert not [name for name in made.files() if name.endswith(".password")]
    for name in ("alice.p12", "bob.p12"):
        made.openssl("pkcs12", "-in", name, "-nokeys", "-passin", f"pass:{PASSWORD}")
    ran = made.must("apply")
    assert "alice.p12 was not looked into" in ran.stdout


def test_a_ca_that_is_described_otherwise_stays_and_is_replaced_by_name_only(small: Set) -> None:
    before = small.files()
    small.describe(SMALL.replace("domain", 'ca_cn = "Another"\ndomain'))

    ran = small.must("apply")
    anew = ("apply", "--replace", "ca", "--out", str(small.folder))
    assert prompt.line("python", "-m", "mtls_openssl", *anew) in ran.stdout
    assert small.changed_since(before) == {"mtls.toml"}
    small.must("apply", "--replace", "CA")

    assert small.certificate("ca").subject[-1] == ("CN", "Another")
    assert small.certificate("bob").issuer[-1] == ("CN", "Another")
    assert before["ca.key"] in [path.read_bytes() for path in small.folder.rglob("ca.key")]


def test_a_set_without_its_ca_is_refused_and_not_given_another(small: Set) -> None:
    (small.folder / "ca.crt").unlink()
    (small.folder / "ca.key").unlink()
    before = small.files()

    ran = small.run("apply")

    assert (ran.code, "--replace ca" in ran.stderr) == (7, True)
    assert small.files() == before


@alike
def test_the_cas_key_may_be_elsewhere_as_long_as_nothing_is_issued(small: Set) -> None:
    key = (small.folder / "ca.key").read_bytes()
    (small.folder / "ca.key").unlink()
    assert small.actions("apply") == {}
    small.describe(SMALL + '\n[[client]]\nname = "carol"\n')

    ran = small.run("apply")

    assert (ran.code, "put ca.key beside ca.crt" in ran.stderr) == (7, True)
    (small.folder / "ca.key").write_bytes(key)
    small.must("apply")


@alike
def test_an_intermediate_authority_that_is_added_issues_all_anew(small: Set) -> None:
    small.describe(SMALL + "\n[intermediate]\n")

    small.must("apply")

    assert small.certificate("alice").issuer[-1] == ("CN", "MyIssuingCA")
    assert small.actions("apply") == {}


def test_the_batch_files_set_is_what_a_file_without_tables_describes(made: Set) -> None:
    made.must("all", "--profile", "modern", MTLS_P12_PASSWORD=PASSWORD)
    before = made.files()
    made.describe('profile = "modern"\n')

    assert made.actions("apply") == {}
    assert made.changed_since(before) == {"mtls.toml"}


def test_without_a_description_there_is_nothing_to_apply(made: Set) -> None:
    ran = made.run("apply")
    init = prompt.line("python", "-m", "mtls_openssl", "init", "--out", str(made.folder))
    assert (ran.code, init in ran.stderr) == (7, True)


def test_the_batch_files_commands_leave_a_described_set_alone(small: Set) -> None:
    before = small.files()
    apply = prompt.line("python", "-m", "mtls_openssl", "apply", "--out", str(small.folder))
    for command in ("all", "ca", "server", "client"):
        ran = small.run(command)
        assert (ran.code, apply in ran.stderr) == (2, True)
    assert small.files() == before


def test_a_dry_run_in_a_folder_that_is_not_there_makes_none(made: Set, tmp_path: Path) -> None:
    config = tmp_path / "mtls.toml"
    config.write_text(SMALL, "utf-8")
    made.folder.rmdir()

    assert set(made.actions("apply", "--config", str(config))) == {"ca", "www", "alice", "bob"}
    assert not made.folder.exists()


@alike
def test_what_nears_its_end_is_renewed(small: Set) -> None:
    before = small.files()

    assert small.actions("apply", "--within", "90d") == {"bob": "renew"}
    small.must("apply", "--within", "90d")

    assert small.changed_since(before) <= {"bob.crt", "bob.p12"}
    assert days_left(small.certificate("bob")) in {89, 90}


def test_a_name_that_is_spelt_otherwise_takes_nobodys_place(small: Set) -> None:
    before = small.files()
    small.describe(SMALL.replace('name = "alice"', 'name = "Alice"'))

    for form in ((), ("--dry-run",)):
        ran = small.run("apply", *form)
        assert (ran.code, "alice.crt is here, and mtls.toml spells it Alice.crt" in ran.stderr) == (
            7,
            True,
        )
    assert small.changed_since(before) == {"mtls.toml"}


def test_a_name_of_the_fleet_is_not_made_in_the_set_too(small: Set) -> None:
    before = small.files()
    small.must("issue", "-n", "1", "--cn", "device-{}", "--key", "P-256")
    small.describe(SMALL + '[[client]]\nname = "Device-1"\n')

    ran = small.run("apply")

    assert (ran.code, "A client of the fleet is called device-1." in ran.stderr) == (7, True)
    assert "Device-1.crt" not in small.changed_since(before)


def test_another_subject_is_told_as_a_person_writes_it(small: Set) -> None:
    small.describe(SMALL.replace("domain", 'ca_cn = "Another"\ndomain'))

    assert "CN=Another' was asked for" in small.must("apply", "--dry-run").stdout


@alike
def test_what_is_revoked_is_not_renewed_though_it_is_described(small: Set) -> None:
    small.must("revoke", "bob")

    assert small.actions("apply", "--within", "90d") == {}
    told = small.must("apply", "--within", "90d").stdout
    assert "bob.crt is revoked, and left as it is" in told


def test_verify_checks_every_certificate_for_its_own_purpose(whole: Set) -> None:
    ran = whole.must("verify", "--json")
    checks: list[dict[str, str]] = ran.data["checks"]  # type: ignore[assignment]
    assert {check["file"] for check in checks} == {
        "ca.crt", "intermediate.crt", "alice.crt", "www.example.com.crt",
    }  # fmt: skip

    (whole.folder / "alice.key").write_bytes((whole.folder / "www.example.com.key").read_bytes())
    ran = whole.run("verify")
    assert (ran.code, "its public key is not that of alice.key" in ran.stderr) == (5, True)
