"""The doctor on sets of any names, below an intermediate authority."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtls_openssl import doctor
from mtls_openssl.doctor import Severity
from mtls_openssl.openssl.extensions import ALTERNATIVE_NAME
from tests import ailments
from tests.ailments import HARMLESS, codes, findings, gone, moved, of_the_set, take
from tests.machine import PASSWORD, mtls
from tests.sets import PASSPHRASE, Set

pytestmark = pytest.mark.end_to_end

QUOTE = '"' if sys.platform == "win32" else "'"

DESCRIBED = """\
profile = "modern"
domain = "example.com"

[ca]
passphrase = "env:MTLS_CA_PASSPHRASE"

[intermediate]
cn = "Issuing"
days = 1000

[[server]]
name = "www"
dns = ["www.example.com"]

[[server]]
name = "api"

[[client]]
name = "alice"

[[client]]
name = "bob"
p12 = ["default", "windows2016"]
"""


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTLS_CA_PASSPHRASE", PASSPHRASE)


def make(folder: Path) -> Path:
    folder.mkdir()
    (folder / "mtls.toml").write_text(DESCRIBED, "utf-8")
    mtls("apply", "-q", cwd=folder, env={"MTLS_CA_PASSPHRASE": PASSPHRASE})
    return folder


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    for name in ("ours", "theirs"):
        make(folder / name)
    return folder


@pytest.fixture
def folder(sets: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(sets / "ours", tmp_path / "一 套"))
    ailments.unlogged(copy)
    return copy


def test_a_healthy_set_is_told_so_and_its_encrypted_ca_key_is_no_fault(folder: Path) -> None:
    examined = ailments.patient(folder)
    assert codes(doctor.examine(examined)) == []
    assert doctor.not_opened(examined) == ("ca.key was not opened: its password was not given.",)


def test_without_mtls_toml_the_same_set_is_as_healthy(folder: Path) -> None:
    (folder / "mtls.toml").unlink()
    assert codes(findings(folder)) == []


def of_another(name: str) -> Callable[[Path, Path], None]:
    def plant(folder: Path, theirs: Path) -> None:
        shutil.copy(theirs / name, folder / name)

    return plant


def here(plant: Callable[[Path], None]) -> Callable[[Path, Path], None]:
    return lambda folder, _theirs: plant(folder)


CURED: dict[str, tuple[Callable[[Path, Path], None], str, str]] = {
    "www.key is alice's": (here(moved("alice.key", "www.key")), "key-mismatch", "www.key"),
    "alice.crt is gone": (here(gone("alice.crt")), "missing", "alice.crt"),
    "api.crt is a client's": (here(moved("alice.crt", "api.crt")), "purpose", "api.crt"),
    "www.crt is of another CA": (of_another("www.crt"), "chain", "www.crt"),
    "bob's other p12 is alice's": (
        here(moved("alice.p12", "bob.windows2016.p12")), "p12-stale", "bob.windows2016.p12"),
    "bob.p12 is alice's": (here(moved("alice.p12", "bob.p12")), "p12-stale", "bob.p12"),
    "www.chain.crt is api's": (
        here(moved("api.chain.crt", "www.chain.crt")), "chain-file", "www.chain.crt"),
    "chain.crt is gone": (here(gone("chain.crt")), "chain-file", "chain.crt"),
    "the intermediate is of another root": (
        of_another("intermediate.crt"), "key-mismatch", "intermediate.key"),
    "intermediate.crt is gone": (here(gone("intermediate.crt")), "missing", "intermediate.crt"),
}  # fmt: skip


ALIKE = {"alice.crt is gone", "api.crt is a client's", "bob.p12 is alice's", "chain.crt is gone",
         "www.crt is of another CA", "intermediate.crt is gone"}  # fmt: skip
"""What is the same on Windows, where a process takes its time."""


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, marks=[pytest.mark.posix] if one in ALIKE else []) for one in CURED],
)
def test_a_planted_fault_is_named_first_and_cured_by_what_is_prescribed(
    fault: str, folder: Path, sets: Path
) -> None:
    plant, code, subject = CURED[fault]
    plant(folder, sets / "theirs")
    first = of_the_set(findings(folder))[0]
    assert (first.code, first.subject) == (code, subject)
    take(first.mend, folder)
    assert codes(findings(folder)) == []


@pytest.mark.parametrize("name", ["www", "alice"])
def test_without_mtls_toml_a_key_that_does_not_fit_is_cured_as_well(
    name: str, folder: Path
) -> None:
    (folder / "mtls.toml").unlink()
    shutil.copy(folder / "bob.key", folder / f"{name}.key")
    first = of_the_set(findings(folder))[0]
    assert first.code == "key-mismatch"
    assert first.mend.startswith(f"python -m mtls_openssl renew {name} ")
    take(first.mend, folder)
    assert codes(findings(folder)) == []


def test_certificates_that_others_have_issued_are_none_of_the_sets(
    folder: Path, sets: Path
) -> None:
    shutil.copy(sets / "theirs" / "www.crt", folder / "partner.crt")
    shutil.copy(sets / "theirs" / "ca.crt", folder / "partner-ca.crt")
    assert [one.subject for one in of_the_set(findings(folder)) if "partner" in one.subject] == []


def test_a_certificate_whose_key_is_with_others_is_as_it_should_be(folder: Path) -> None:
    theirs = folder.parent / "theirs"
    theirs.mkdir()
    mtls("csr", "dave", "--cn", "dave", "--client", cwd=theirs)
    shutil.copy(theirs / "dave.csr", folder)
    mtls("sign", "dave.csr", "--client", "--yes", cwd=folder)
    assert not (folder / "dave.key").exists()
    assert codes(findings(folder)) == ["undescribed"]


@pytest.mark.posix
@pytest.mark.parametrize("name", ["alice.key", "bob.windows2016.p12", "intermediate.key"])
def test_a_secret_of_anybody_that_others_may_read_is_named(name: str, folder: Path) -> None:
    (folder / name).chmod(0o644)
    first = of_the_set(findings(folder))[0]
    assert (first.code, first.subject, first.safe) == ("key-open", name, True)


def test_what_mtls_toml_says_otherwise_is_told_with_the_way_to_look_at_it(folder: Path) -> None:
    config = folder / "mtls.toml"
    config.write_text(
        DESCRIBED.replace('["www.example.com"]', '["shop.example.com"]')
        + '[[client]]\nname = "carol"\n'
    )
    if sys.platform != "win32":
        (folder / "www.key").chmod(0o644)  # another matter, which hides nothing
    (one,) = [one for one in of_the_set(findings(folder)) if one.code != "key-open"]
    assert (one.code, one.severity) == ("not-as-described", Severity.WARNING)
    assert "www is issued again; carol is made" in one.what
    assert "python -m mtls_openssl apply --dry-run" in one.mend

    config.write_text(DESCRIBED.replace('cn = "Issuing"', 'cn = "Another"'))
    (one,) = [one for one in of_the_set(findings(folder)) if one.code != "key-open"]
    assert "intermediate.crt: " in one.what

    config.write_text(DESCRIBED.replace("days = 1000", "dayz = 1000"))
    assert of_the_set(findings(folder))[0].code == "settings"


def test_a_certificate_that_mtls_toml_does_not_know_is_worth_a_note(folder: Path) -> None:
    mtls("client", "add", "-q", "dave", cwd=folder)
    (one,) = of_the_set(findings(folder))
    assert (one.code, one.severity, "dave" in one.what) == ("undescribed", Severity.NOTE, True)


def test_whoever_nears_the_end_is_named_with_what_renews_it(folder: Path) -> None:
    def soon(name: str) -> dict[str, str]:
        made = Set.__new__(Set)
        made.folder = folder
        now = made.certificate(name).not_after - dt.timedelta(days=9)
        return {
            one.subject: one.mend for one in findings(folder, now=now) if one.code == "expires-soon"
        }

    assert soon("bob")["bob.crt"].startswith("python -m mtls_openssl renew bob ")
    assert "renew intermediate" in soon("intermediate")["intermediate.crt"]
    assert "repair-ca --ca-days 3650" in soon("ca")["ca.crt"]


ED25519 = DESCRIBED.replace('name = "alice"', 'name = "alice"\nkey = "Ed25519"')


def with_ed25519(folder: Path) -> str:
    """What mends that alice has a key that browsers refuse, as mtls.toml asks for."""
    (folder / "mtls.toml").write_text(ED25519, "utf-8")
    mtls("apply", "-q", cwd=folder)
    (one,) = of_the_set(findings(folder))
    assert (one.code, one.subject) == ("key-kind", "alice.crt")
    return one.mend


def test_a_kind_of_key_that_mtls_toml_asks_for_is_changed_there(folder: Path) -> None:
    mend = with_ed25519(folder)
    assert mend.startswith('set key = "P-256" for alice in mtls.toml; then: ')

    (folder / "mtls.toml").write_text(ED25519.replace("Ed25519", "P-256"), "utf-8")
    take(mend.partition("then: ")[2], folder)

    assert codes(findings(folder)) == []


def test_a_life_that_mtls_toml_asks_for_is_shortened_there(folder: Path) -> None:
    long = DESCRIBED.replace('name = "api"', 'name = "api"\ndays = 900')
    (folder / "mtls.toml").write_text(long, "utf-8")
    mtls("apply", "-q", cwd=folder)
    (one,) = of_the_set(findings(folder))
    assert (one.code, one.subject) == ("apple-days", "api.crt")
    assert one.mend.startswith("set days = 825 for api in mtls.toml; then: ")

    (folder / "mtls.toml").write_text(long.replace("900", "825"), "utf-8")
    take(one.mend.partition("then: ")[2], folder)

    assert codes(findings(folder)) == []


def test_without_mtls_toml_one_with_another_kind_of_key_is_added_in_its_place(
    folder: Path,
) -> None:
    with_ed25519(folder)
    (folder / "mtls.toml").unlink()
    before = ailments.patient(folder).certificates["alice"]
    (one,) = of_the_set(findings(folder))
    assert one.mend.startswith("move alice.key, alice.crt away; then: ")

    gone("alice.key", "alice.crt")(folder)
    take(one.mend.partition("then: ")[2], folder)

    now = ailments.patient(folder).certificates["alice"]
    assert codes(findings(folder)) == []
    assert (now.subject, now.extensions[ALTERNATIVE_NAME]) == (
        before.subject,
        before.extensions[ALTERNATIVE_NAME],
    )


def test_a_name_that_no_server_has_is_added_in_mtls_toml(folder: Path) -> None:
    assert codes(findings(folder, domain="www.example.com")) == []
    assert codes(findings(folder, domain="api.example.com")) == []
    (one,) = of_the_set(findings(folder, domain="shop.example"))
    assert (one.code, "mtls.toml" in one.mend) == ("names", True)


def test_a_revoked_server_is_an_error_and_one_client_of_many_is_worth_a_note(
    folder: Path,
) -> None:
    for name in ("www", "alice"):
        mtls("revoke", name, cwd=folder)
    found = {one.subject: one for one in findings(folder) if one.code == "revoked"}
    assert (found["www.crt"].severity, found["alice.crt"].severity) == (
        Severity.ERROR,
        Severity.NOTE,
    )
    assert found["www.crt"].mend.startswith("python -m mtls_openssl renew www --rekey ")


def test_nobody_has_to_renew_what_is_revoked(folder: Path) -> None:
    made = Set.__new__(Set)
    made.folder = folder
    later = made.certificate("bob").not_after - dt.timedelta(days=9)
    mtls("revoke", "bob", cwd=folder)
    soon = {one.subject for one in findings(folder, now=later) if one.code == "expires-soon"}
    assert ("bob.crt" in soon, "alice.crt" in soon) == (False, True)


def test_whoever_is_revoked_is_named_once_though_the_chain_file_holds_it_too(
    folder: Path,
) -> None:
    mtls("revoke", "alice", cwd=folder)
    assert (folder / "alice.chain.crt").is_file()

    revoked = [one.subject for one in findings(folder) if one.code == "revoked"]

    assert revoked == ["alice.crt"]


def test_the_passwords_that_were_made_up_open_every_bundle(tmp_path: Path) -> None:
    (tmp_path / "mtls.toml").write_text(DESCRIBED, "utf-8")
    none = {"MTLS_P12_PASSWORD": None}
    mtls("apply", "-q", cwd=tmp_path, env=none)
    told = json.loads(mtls("doctor", "--json", cwd=tmp_path, env=none, exit_code=None).stdout)
    assert [one for one in told["findings"] if one["code"] not in HARMLESS] == []
    assert told["not_examined"] == ["ca.key was not opened: its password was not given."]
    assert PASSWORD not in json.dumps(told)
