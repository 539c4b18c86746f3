"""`renew`, `server add`, `client add`, `p12 NAME`: one certificate at a time."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from mtls_openssl.inventory import survey
from mtls_openssl.inventory.held import Terms
from mtls_openssl.inventory.things import State
from mtls_openssl.life.deciding import when_it_ends
from mtls_openssl.life.decision import Wish
from mtls_openssl.openssl import extensions
from mtls_openssl.scripting import prompt
from tests import ailments
from tests.der import protection
from tests.machine import lock
from tests.sets import PASSPHRASE, PASSWORD, Set, days_left, made_fixture

__all__ = ["made_fixture"]
pytestmark = pytest.mark.end_to_end

NOTHING_TO_DO = 10
EC = '[ca]\nkey = "P-256"\n'


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("original") / "set")
    original.must("all", "--profile", "modern", MTLS_P12_PASSWORD=PASSWORD)
    original.must("client", "add", "alice", "--key", "P-256", "--days", "20", "--dns", "a.example")
    return original


@pytest.fixture(name="old")
def old_fixture(original: Set, made: Set) -> Set:
    """A set of the batch file's commands, with EC keys, and one more client."""
    return made.copy_of(original)


def test_what_ends_soon_is_renewed_for_as_long_as_it_lasted_with_its_key(old: Set) -> None:
    before, was = old.files(), old.certificate("alice")

    old.must("renew", "--within", "30d")

    assert old.changed_since(before) == {"alice.crt", "alice.p12"}
    now = old.certificate("alice")
    assert (now.subject, now.public_key, now.serial != was.serial) == (
        was.subject,
        was.public_key,
        True,
    )
    assert now.extensions[extensions.ALTERNATIVE_NAME].values == ("DNS:a.example",)
    assert days_left(now) in {19, 20}


def test_a_short_life_is_not_renewed_in_its_first_days(old: Set) -> None:
    assert old.run("renew").code == NOTHING_TO_DO


def test_nobody_warns_of_an_end_that_renew_waits_for(old: Set) -> None:
    told = old.must("status", "--nagios").stdout
    assert ("alice" in told, " soon=0;" in told) == (True, True)
    assert "'alice.crt'=19;6:;0:" in told
    doctor = json.loads(old.run("doctor", "--json").stdout)
    assert "expires-soon" not in {one["code"] for one in doctor["findings"]}


def test_status_warns_of_an_end_that_renew_does_not_wait_for(old: Set) -> None:
    later = old.certificate("alice").not_after - timedelta(days=6)

    assert when_it_ends(old.certificate("alice"), Wish(later))
    (root,) = survey.of_set(old.folder, Terms(later)).nodes
    states = {node.file: node.verdict.state for node in root.children}
    assert (states["alice.crt"], states["server.crt"]) == (State.SOON, State.FINE)


def test_nothing_to_do_is_an_exit_code_of_its_own_and_changes_no_byte(old: Set) -> None:
    before = old.files()
    ran = old.run("renew", "--within", "2w")
    assert (ran.code, ran.stderr) == (NOTHING_TO_DO, "")
    assert old.files() == before


def test_a_name_is_renewed_whatever_its_end(old: Set) -> None:
    before = old.files()
    old.must("renew", "server")
    assert old.changed_since(before) == {"server.crt"}


def test_a_new_key_is_made_where_it_is_asked_for_and_the_old_one_is_kept(old: Set) -> None:
    before = old.files()

    old.must("renew", "alice", "--rekey")

    assert old.changed_since(before) == {"alice.crt", "alice.key", "alice.p12"}
    kept = [path.read_bytes() for path in (old.folder / "backup").rglob("alice.key")]
    assert kept == [before["alice.key"]]


def test_a_pkcs12_file_keeps_the_password_that_was_made_for_it(old: Set) -> None:
    password = (old.folder / "alice.p12.password").read_text("ascii").strip()
    old.must("renew", "alice")
    old.openssl("pkcs12", "-in", "alice.p12", "-nokeys", "-passin", f"pass:{password}")


@pytest.mark.parametrize("reader", ["macos", "modern"])
def test_a_pkcs12_file_is_packed_for_whoever_reads_the_old_one(old: Set, reader: str) -> None:
    old.must("p12", "alice", "--for", reader)
    before = protection(old.folder / "alice.p12")

    old.must("renew", "alice")

    assert protection(old.folder / "alice.p12") == before


def test_nothing_is_said_of_a_ca_of_which_nothing_is_wanted(old: Set) -> None:
    assert "ca.crt stays" not in old.run("renew").stdout


def test_a_set_without_its_ca_is_told_of_nothing_that_renew_can_not_do(old: Set) -> None:
    (old.folder / "ca.crt").unlink()
    (old.folder / "ca.key").unlink()
    ran = old.run("renew", "alice")
    assert (ran.code, "backup/" in ran.stderr, "--replace" in ran.stderr) == (7, True, False)


def test_where_there_is_no_set_nothing_is_made(made: Set) -> None:
    ran = made.run("renew")

    assert (ran.code, "ca.crt is not here, so there is nothing to renew" in ran.stderr) == (7, True)
    assert made.files() == {}


def test_an_unknown_name_is_told_with_those_that_there_are(old: Set) -> None:
    ran = old.run("renew", "zoe")
    assert (ran.code, "alice, client, server" in ran.stderr) == (7, True)


@pytest.mark.parametrize("time", ["soon", "-3", "1y", ""])
def test_a_time_that_is_none_is_refused(old: Set, time: str) -> None:
    assert old.run("renew", "--within", time).code == 2


def test_one_more_server_gets_names_of_its_own(old: Set) -> None:
    before = old.files()
    old.must(
        "server", "add", "api", "--dns", "api.example.com", "--ip", "192.0.2.1", "--p12", "java8"
    )

    added = {"api.key", "api.crt", "api.p12", "api.p12.password"}
    assert old.changed_since(before) == added
    api = old.certificate("api")
    assert api.extensions[extensions.EXTENDED_KEY_USAGE].values == (
        "TLS Web Server Authentication",
    )
    assert api.extensions[extensions.ALTERNATIVE_NAME].values == (
        "DNS:api.example.com",
        "IP Address:192.0.2.1",
    )


def test_a_name_that_is_taken_is_refused_with_what_to_do(old: Set) -> None:
    before = old.files()
    ran = old.run("client", "add", "alice")
    again = ("python", "-m", "mtls_openssl", "renew", "alice", "--out", str(old.folder))
    assert (ran.code, prompt.line(*again) in ran.stderr) == (7, True)
    assert old.files() == before


@pytest.mark.parametrize("role", ["client", "server"])
def test_a_name_that_is_taken_in_another_case_is_refused_as_it_is_spelt(
    old: Set, role: str
) -> None:
    before = old.files()
    ran = old.run(role, "add", "Alice")
    assert (ran.code, "alice.crt" in ran.stderr, "renew alice" in ran.stderr) == (7, True, True)
    assert old.files() == before


def test_a_name_in_another_case_is_renewed_as_it_is_spelt(old: Set) -> None:
    before = old.certificate("alice").serial
    old.must("renew", "ALICE")
    assert old.certificate("alice").serial != before


def test_a_key_without_a_certificate_is_not_said_to_be_renewed(old: Set) -> None:
    old.must("csr", "web", "--key", "P-256")

    ran = old.run("client", "add", "web")

    assert (ran.code, "renew" in ran.stderr) == (7, False)
    assert "give another name" in ran.stderr


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_host_that_was_left_empty_makes_no_key_here(old: Set, role: str) -> None:
    before = old.files()

    ran = old.run(role, "add", "web", "--ssh", "")

    assert (ran.code, "USER@HOST" in ran.stderr) == (2, True)
    assert old.files() == before


@pytest.mark.parametrize("name", ["ca", "../x", "a b", "con", "x.chain", ".x", "张三"])
def test_a_name_that_can_not_be_that_of_files_is_refused(old: Set, name: str) -> None:
    before = old.files()
    assert old.run("client", "add", name).code == 6
    assert old.files() == before


def test_a_certificate_without_a_ca_is_refused_with_the_command_that_makes_one(made: Set) -> None:
    ran = made.run("client", "add", "alice")
    assert (ran.code, "mtls_openssl ca" in ran.stderr) == (7, True)
    assert made.files() == {}


def test_any_certificate_is_packed_for_a_reader(old: Set) -> None:
    old.must("p12", "alice", "--for", "windows2016", "--name", "Alice", MTLS_P12_PASSWORD=PASSWORD)
    text = old.openssl(
        "pkcs12", "-info", "-in", "alice.p12", "-nokeys", "-passin", f"pass:{PASSWORD}"
    )
    assert (text.count("BEGIN CERTIFICATE"), "friendlyName: Alice" in text) == (2, True)


def test_a_ca_whose_key_is_encrypted_later_asks_for_its_pass_phrase(old: Set) -> None:
    lock(old.folder / "ca.key", PASSPHRASE)
    before = old.files()

    refused = old.run("renew", "alice")
    assert (refused.code, "MTLS_CA_PASSPHRASE" in refused.stderr) == (6, True)
    assert old.files() == before
    wrong = old.run("renew", "alice", MTLS_CA_PASSPHRASE="another one")
    assert wrong.code == 4
    assert old.files() == before
    old.must("renew", "alice", MTLS_CA_PASSPHRASE=PASSPHRASE)


def test_a_register_is_kept_up_by_all_that_issue(old: Set) -> None:
    old.must("crl")
    old.must("renew", "alice")
    old.must("client", "add", "bob", "--key", "P-256")
    old.must("client", "--profile", "modern")

    lines = (old.folder / "index.txt").read_text("ascii").splitlines()
    serials = {line.split("\t")[3] for line in lines if "\t" in line}
    current = {old.certificate(name).serial for name in ("server", "client", "alice", "bob")}
    assert current < serials
    assert len(serials) == 6


def test_a_leaver_is_out_with_all_certificates_that_were_ever_issued_to_him(old: Set) -> None:
    first = old.certificate("alice").serial
    old.must("renew", "alice", "--rekey")
    second = old.certificate("alice").serial

    old.must("revoke", "alice", "--reason", "superseded")

    text = old.openssl("crl", "-in", "crl.pem", "-noout", "-text")
    assert all(serial in text for serial in (first, second))


def test_a_renewed_p12_is_called_as_it_was(old: Set) -> None:
    old.must("renew", "client", MTLS_P12_PASSWORD=PASSWORD)
    opened = old.openssl("pkcs12", "-in", "client.p12", "-nokeys", "-passin", f"pass:{PASSWORD}")
    assert "friendlyName: MyClientCert" in opened


def test_whoever_is_revoked_is_not_renewed_at_the_end_of_the_certificate(old: Set) -> None:
    old.must("revoke", "alice", "--reason", "keyCompromise")
    before = old.files()

    ran = old.run("renew", "--within", "30d")

    assert ran.code == NOTHING_TO_DO
    assert "alice.crt is revoked, and left as it is; another one, with a new key: " in ran.stdout
    assert old.files() == before


def test_whoever_is_revoked_is_not_renewed_by_name_with_the_same_key(old: Set) -> None:
    old.must("revoke", "alice")
    before = old.files()

    ran = old.run("renew", "alice")

    assert (ran.code, "renew alice --rekey" in ran.stderr) == (7, True)
    assert old.files() == before


def test_whoever_is_revoked_gets_a_new_key_where_that_is_asked_for(old: Set) -> None:
    old.must("revoke", "alice")
    was = old.certificate("alice")

    old.must("renew", "alice", "--rekey")

    assert old.certificate("alice").public_key != was.public_key
    assert "alice.crt: OK" in old.openssl("verify", "-CAfile", "ca.crt", "-crl_check",
                                          "-CRLfile", "crl.pem", "alice.crt")  # fmt: skip


def test_a_new_ca_that_would_orphan_others_is_refused(old: Set) -> None:
    old.must("crl")
    before = old.files()
    ran = old.run("all", "--profile", "modern")
    assert (ran.code, "alice" in ran.stderr) == (2, True)
    assert old.files() == before


@pytest.fixture(name="expired", scope="module")
def expired_fixture(original: Set, tmp_path_factory: pytest.TempPathFactory) -> Set:
    expired = Set(tmp_path_factory.mktemp("expired") / "set").copy_of(original)
    ailments.issue(
        expired.folder, "ca", extensions=ailments.CA, begin=timedelta(-9), end=timedelta(-1),
        self_signed=True,
    )  # fmt: skip
    return expired


@pytest.mark.parametrize(
    "arguments",
    [("client", "add", "bob"), ("renew", "alice"), ("issue", "-n", "1", "--cn", "device-{}")],
    ids=["added", "renewed", "fleet"],
)
def test_nothing_is_issued_once_the_ca_has_expired_and_what_mends_it_is_said(
    expired: Set, made: Set, arguments: tuple[str, ...]
) -> None:
    old = made.copy_of(expired)
    day = f"{old.certificate('ca').not_after:%Y-%m-%d}"
    before = old.files()

    ran = old.run(*arguments)

    assert ran.code == 5
    assert f"Error: ca.crt has expired on {day}." in ran.stderr
    assert "To mend it: python -m mtls_openssl repair-ca --ca-days 3650" in ran.stderr
    assert old.changed_since(before) == set()


@pytest.fixture(name="below", scope="module")
def below_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    below = Set(tmp_path_factory.mktemp("below") / "set")
    below.describe(
        f'{EC}[intermediate]\nkey = "P-256"\n[[client]]\nname = "alice"\nkey = "P-256"\np12 = []\n'
    )
    below.must("apply")
    ailments.issue(
        below.folder, "intermediate", extensions=ailments.CA, begin=timedelta(-9),
        end=timedelta(-1),
    )  # fmt: skip
    return below


@pytest.mark.parametrize(
    "arguments",
    [("client", "add", "bob"), ("issue", "-n", "1", "--cn", "device-{}")],
    ids=["set", "fleet"],
)
def test_nothing_is_issued_once_the_intermediate_authority_has_expired(
    below: Set, made: Set, arguments: tuple[str, ...]
) -> None:
    ran = made.copy_of(below).run(*arguments)

    assert (ran.code, "Error: intermediate.crt has expired on " in ran.stderr) == (5, True)
    assert "To mend it: python -m mtls_openssl renew intermediate" in ran.stderr


def test_who_lasts_longer_than_the_ca_is_told_from_when_that_counts_for_nothing(made: Set) -> None:
    made.describe(
        f'cert_days = 20\n{EC}days = 30\n[[client]]\nname = "alice"\nkey = "P-256"\np12 = []\n'
    )
    made.must("apply")
    made.describe("")
    day = f"{made.certificate('ca').not_after:%Y-%m-%d}"
    note = f"certificates are refused from the day that their CA ends: {day}"
    long = ("--key", "P-256", "--days", "60")

    added = made.must("client", "add", "bob", *long).stdout
    renewed = made.must("renew", "bob", "--json").data
    issued = made.must("issue", "-n", "2", "--cn", "device-{}", *long).stdout
    again = made.must("renew", "device-1").stdout
    short = made.must("client", "add", "eve", "--key", "P-256", "--days", "9").stdout

    assert [said.count(note) for said in (added, issued, again, short)] == [1, 1, 1, 0]
    assert renewed["notes"][-1:] == [note]  # type: ignore[index]
