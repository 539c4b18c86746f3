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
from mtls_openssl.doctor import Patient, Severity
from mtls_openssl.openssl.extensions import ALTERNATIVE_NAME
from tests import ailments
from tests.ailments import (
    HARMLESS,
    asked,
    codes,
    findings,
    gone,
    heed,
    moved,
    of_the_set,
    rewritten,
    unaided,
)
from tests.machine import PASSWORD, mtls
from tests.sets import PASSPHRASE

pytestmark = pytest.mark.end_to_end

SHORT = """\
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
"""
CLIENTS = """
[[client]]
name = "alice"

[[client]]
name = "bob"
p12 = ["default", "windows2016"]
"""
DESCRIBED = f'{SHORT}\n[[server]]\nname = "api"\n{CLIENTS}'


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTLS_CA_PASSPHRASE", PASSPHRASE)


def make(folder: Path, described: str = DESCRIBED) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "mtls.toml").write_text(described, "utf-8")
    mtls("apply", "-q", cwd=folder, env={"MTLS_CA_PASSPHRASE": PASSPHRASE})
    return folder


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set, and a short one of another CA."""
    folder = tmp_path_factory.mktemp("sets")
    make(folder / "ours")
    ailments.unlogged(folder / "ours")
    make(folder / "theirs", SHORT)
    return folder


@pytest.fixture
def folder(sets: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sets / "ours", tmp_path / "一 套"))


@pytest.fixture(scope="module")
def healthy(sets: Path) -> Patient:
    """What is seen of the set as it is."""
    return ailments.patient(Path(shutil.copytree(sets / "ours", sets / "healthy")))


def test_a_healthy_set_is_told_so_and_its_encrypted_ca_key_is_no_fault(healthy: Patient) -> None:
    assert codes(doctor.examine(healthy)) == []
    assert doctor.not_opened(healthy) == ("ca.key was not opened: its password was not given.",)


@pytest.mark.posix  # as ALIKE
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
    "bob's other p12 is alice's": (
        here(moved("alice.p12", "bob.windows2016.p12")), "p12-stale", "bob.windows2016.p12"),
    "bob.p12 is alice's": (here(moved("alice.p12", "bob.p12")), "p12-stale", "bob.p12"),
    "www.chain.crt is api's": (
        here(moved("api.chain.crt", "www.chain.crt")), "chain-file", "www.chain.crt"),
    "the intermediate is of another root": (
        of_another("intermediate.crt"), "key-mismatch", "intermediate.key"),
    "intermediate.crt is gone": (here(gone("intermediate.crt")), "missing", "intermediate.crt"),
    "intermediate.key is cut off": (
        here(rewritten("intermediate.key", lambda all_: all_[:99])), "damaged", "intermediate.key"),
}  # fmt: skip


ALIKE = {"bob.p12 is alice's", "bob's other p12 is alice's", "intermediate.crt is gone",
         "intermediate.key is cut off", "www.chain.crt is api's"}  # fmt: skip
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
    heed(first.mend, folder)
    assert codes(findings(folder)) == []


NAMED: dict[str, tuple[Callable[[Path, Path], None], str, str]] = {
    "alice.crt is gone": (here(gone("alice.crt")), "missing", "alice.crt"),
    "api.crt is a client's": (here(moved("alice.crt", "api.crt")), "purpose", "api.crt"),
    "www.crt is of another CA": (of_another("www.crt"), "chain", "www.crt"),
    "chain.crt is gone": (here(gone("chain.crt")), "chain-file", "chain.crt"),
}


@pytest.mark.posix  # as ALIKE
@pytest.mark.parametrize("fault", NAMED)
def test_a_planted_fault_is_named_first_with_what_cures_others_as_well(
    fault: str, folder: Path, sets: Path
) -> None:
    plant, code, subject = NAMED[fault]
    plant(folder, sets / "theirs")
    first = of_the_set(findings(folder))[0]
    assert (first.code, first.subject) == (code, subject)
    assert first.mend.startswith("python -m mtls_openssl apply --out ")


@pytest.mark.posix  # as ALIKE
def test_without_mtls_toml_keys_that_do_not_fit_are_cured_as_well(folder: Path) -> None:
    (folder / "mtls.toml").unlink()
    for name in ("www", "alice"):
        shutil.copy(folder / "bob.key", folder / f"{name}.key")
    found = {one.subject: one for one in of_the_set(findings(folder)) if one.code == "key-mismatch"}
    assert sorted(found) == ["alice.key", "www.key"]
    for name in ("www", "alice"):
        mend = found[f"{name}.key"].mend
        assert mend.startswith(f"python -m mtls_openssl renew {name} ")
        heed(mend, folder)
    assert codes(findings(folder)) == []


@pytest.mark.posix  # as ALIKE
def test_a_chain_in_the_place_of_the_authority_is_named_for_what_it_is(folder: Path) -> None:
    shutil.copy(folder / "chain.crt", folder / "intermediate.crt")

    first = of_the_set(findings(folder))[0]

    assert (first.code, first.subject) == ("several-certificates", "intermediate.crt")
    heed(first.mend.rpartition("in it: ")[2], folder)
    assert codes(findings(folder)) == []


@pytest.mark.posix  # as ALIKE
def test_certificates_that_others_have_issued_are_none_of_the_sets(
    folder: Path, sets: Path
) -> None:
    shutil.copy(sets / "theirs" / "www.crt", folder / "partner.crt")
    shutil.copy(sets / "theirs" / "ca.crt", folder / "partner-ca.crt")
    assert [one.subject for one in of_the_set(findings(folder)) if "partner" in one.subject] == []


@pytest.mark.posix  # as ALIKE
def test_a_certificate_that_is_not_described_is_worth_a_note_and_needs_no_key(
    folder: Path,
) -> None:
    theirs = folder.parent / "theirs"
    theirs.mkdir()
    mtls("csr", "dave", "--cn", "dave", "--client", cwd=theirs)
    shutil.copy(theirs / "dave.csr", folder)
    mtls("sign", "dave.csr", "--client", "--yes", cwd=folder)
    assert not (folder / "dave.key").exists()
    (one,) = of_the_set(findings(folder))
    assert (one.code, one.severity, "dave" in one.what) == ("undescribed", Severity.NOTE, True)


@pytest.mark.posix
@pytest.mark.parametrize("name", ["alice.key", "bob.windows2016.p12", "intermediate.key"])
def test_a_secret_of_anybody_that_others_may_read_is_named(name: str, folder: Path) -> None:
    (folder / name).chmod(0o644)
    first = unaided(folder)[0]
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
    assert unaided(folder)[0].code == "settings"


def test_whoever_nears_the_end_is_named_with_what_renews_it(healthy: Patient) -> None:
    def soon(name: str) -> dict[str, str]:
        described = healthy.certificate(name)
        assert described
        found = asked(healthy, now=described.not_after - dt.timedelta(days=9))
        return {one.subject: one.mend for one in found if one.code == "expires-soon"}

    assert soon("bob")["bob.crt"].startswith("python -m mtls_openssl renew bob ")
    assert "renew intermediate" in soon("intermediate")["intermediate.crt"]
    assert "repair-ca --ca-days 3650" in soon("ca")["ca.crt"]


ODD = DESCRIBED.replace('name = "alice"', 'name = "alice"\nkey = "Ed25519"').replace(
    'name = "api"', 'name = "api"\ndays = 900'
)
"""What browsers refuse: a kind of key, and a life."""


@pytest.fixture(scope="module")
def odd(sets: Path) -> Path:
    """The set as ODD asks for it."""
    copy = Path(shutil.copytree(sets / "ours", sets / "odd"))
    return make(copy, ODD)


@pytest.mark.posix  # as ALIKE
def test_what_mtls_toml_asks_for_is_changed_there(odd: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(odd, tmp_path / "set"))
    found = {one.code: one for one in of_the_set(findings(folder))}
    assert {code: one.subject for code, one in found.items()} == {
        "key-kind": "alice.crt",
        "apple-days": "api.crt",
    }
    kind, life = found["key-kind"].mend, found["apple-days"].mend
    assert kind.startswith('set key = "P-256" for alice in mtls.toml; then: ')
    assert life.startswith("set days = 825 for api in mtls.toml; then: ")
    assert kind.partition("then: ")[2] == life.partition("then: ")[2]

    better = ODD.replace("Ed25519", "P-256").replace("900", "825")
    (folder / "mtls.toml").write_text(better, "utf-8")
    heed(kind.partition("then: ")[2], folder)

    assert codes(findings(folder)) == []


def test_without_mtls_toml_one_with_another_kind_of_key_is_added_in_its_place(
    odd: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(odd, tmp_path / "set"))
    (folder / "mtls.toml").unlink()
    examined = ailments.patient(folder)
    before = examined.certificates["alice"]
    (one,) = [one for one in doctor.examine(examined) if one.code == "key-kind"]
    assert one.mend.startswith("move alice.key, alice.crt away; then: ")

    gone("alice.key", "alice.crt")(folder)
    heed(one.mend.partition("then: ")[2], folder)

    cured = ailments.patient(folder)
    now = cured.certificates["alice"]
    assert codes(doctor.examine(cured)) == ["apple-days"]
    assert (now.subject, now.extensions[ALTERNATIVE_NAME]) == (
        before.subject,
        before.extensions[ALTERNATIVE_NAME],
    )


def test_a_name_that_no_server_has_is_added_in_mtls_toml(healthy: Patient) -> None:
    assert codes(asked(healthy, domain="www.example.com")) == []
    assert codes(asked(healthy, domain="api.example.com")) == []
    (one,) = of_the_set(asked(healthy, domain="shop.example"))
    assert (one.code, "mtls.toml" in one.mend) == ("names", True)


@pytest.fixture(scope="module")
def revoked(sets: Path) -> Patient:
    """What is seen of the set once www and alice are revoked."""
    copy = Path(shutil.copytree(sets / "ours", sets / "revoked"))
    for name in ("www", "alice"):
        mtls("revoke", name, cwd=copy, env={"MTLS_CA_PASSPHRASE": PASSPHRASE})
    return ailments.patient(copy)


def test_a_revoked_server_is_an_error_and_one_client_of_many_is_worth_a_note(
    revoked: Patient,
) -> None:
    found = {one.subject: one for one in doctor.examine(revoked) if one.code == "revoked"}
    assert (found["www.crt"].severity, found["alice.crt"].severity) == (
        Severity.ERROR,
        Severity.NOTE,
    )
    assert found["www.crt"].mend.startswith("python -m mtls_openssl renew www --rekey ")


def test_nobody_has_to_renew_what_is_revoked(revoked: Patient) -> None:
    later = revoked.certificates["alice"].not_after - dt.timedelta(days=9)
    soon = {one.subject for one in asked(revoked, now=later) if one.code == "expires-soon"}
    assert ("alice.crt" in soon, "bob.crt" in soon) == (False, True)


def test_whoever_is_revoked_is_named_once_though_the_chain_file_holds_it_too(
    revoked: Patient,
) -> None:
    assert (revoked.folder / "alice.chain.crt").is_file()

    named = [one.subject for one in doctor.examine(revoked) if one.code == "revoked"]

    assert sorted(named) == ["alice.crt", "www.crt"]


@pytest.mark.posix  # as ALIKE
def test_the_passwords_that_were_made_up_open_every_bundle(tmp_path: Path) -> None:
    (tmp_path / "mtls.toml").write_text(SHORT.partition("[[server]]")[0] + CLIENTS, "utf-8")
    none = {"MTLS_P12_PASSWORD": None}
    mtls("apply", "-q", cwd=tmp_path, env=none)
    told = json.loads(mtls("doctor", "--json", cwd=tmp_path, env=none, exit_code=None).stdout)
    assert [one for one in told["findings"] if one["code"] not in HARMLESS] == []
    assert told["not_examined"] == ["ca.key was not opened: its password was not given."]
    assert PASSWORD not in json.dumps(told)
