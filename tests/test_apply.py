"""`apply` makes the folder what mtls.toml says, and nothing more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mtls_openssl.openssl import extensions
from mtls_openssl.scripting import prompt
from tests.sets import PASSWORD, Set, days_left, made_fixture

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


@pytest.fixture(name="applied", scope="module")
def applied_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    applied = Set(tmp_path_factory.mktemp("applied") / "set")
    applied.describe(SMALL)
    applied.must("apply")
    return applied


@pytest.fixture(name="small")
def small_fixture(applied: Set, made: Set) -> Set:
    return made.copy_of(applied)


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
