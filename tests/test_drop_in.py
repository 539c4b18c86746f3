"""`all` beside the batch file that it replaces."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import shutil
from pathlib import Path

import pytest

from tests import original
from tests.ailments import take
from tests.machine import Facts, facts, mtls, openssl, openssl_lines, ran

pytestmark = pytest.mark.end_to_end

QUICK = ("--profile", "modern")
"""Where it does not matter which kind of keys there are."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    mtls("all", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    if os.name == "nt" and (text := original.bat()):
        (folder / "original.bat").write_text(original.runnable_by_any_cmd(text), newline="")
        (folder / "stock.cnf").write_text(original._STOCK)
        path = f"{Path(openssl()).parent};{os.environ['PATH']}"
        ran("cmd", "/c", "original.bat", cwd=folder,
            env={"PATH": path, "OPENSSL_CONF": "stock.cnf"}, exit_code=None)  # fmt: skip
    else:
        original.make(folder)
    return folder


def test_the_files_are_the_batch_files_and_the_log(ours: Path) -> None:
    assert sorted(path.name for path in ours.iterdir()) == sorted(
        [*original.FILES, "mtls-audit.jsonl"]
    )


@pytest.mark.parametrize("certificate", ["ca.crt", "server.crt", "client.crt"])
def test_a_certificate_is_the_batch_files_plus_the_documented_additions(
    certificate: str, ours: Path, theirs: Path
) -> None:
    added = (
        {"X509v3 Key Usage: critical": "Certificate Sign, CRL Sign"}
        if certificate == "ca.crt"
        else {"X509v3 Subject Key Identifier:": "<key identifier>"}
    )
    expected = facts(theirs / certificate)
    expected = dataclasses.replace(expected, extensions={**expected.extensions, **added})

    assert facts(ours / certificate) == expected


def test_a_dry_run_prints_the_batch_files_own_commands(tmp_path: Path) -> None:
    printed = mtls("all", "--dry-run", "--format", "bat", cwd=tmp_path).stdout

    *others, packing = [original.commands_of(line)[0] for line in openssl_lines(printed)]
    assert [*others, packing[:-2]] == list(original.COMMANDS)
    assert packing[-2:] == ("-passout", "env:MTLS_P12_PASSWORD")
    assert list(tmp_path.iterdir()) == []


def test_what_was_run_is_what_the_batch_file_runs_in_its_order(ours: Path) -> None:
    lines = [
        json.loads(line) for line in (ours / "mtls-audit.jsonl").read_text("utf-8").splitlines()
    ]
    ran_ = sorted(
        (line for line in lines if line["kind"] == "guide"), key=lambda line: line["step"]
    )

    *others, packing = [tuple(line["argv"][1:]) for line in ran_]
    assert [*others, packing[:-2]] == list(original.COMMANDS)


def test_the_extension_files_are_the_batch_files_lines_in_its_order_and_one_more(
    tmp_path: Path,
) -> None:
    mtls("all", "--keep-csr", "--ca-key-size", "2048", cwd=tmp_path)

    for name, lines in original.EXTENSION_FILES.items():
        text = (tmp_path / name).read_text().splitlines()
        assert [line for line in text if line != "subjectKeyIdentifier = hash"] == list(lines)


def test_the_table_of_this_test_is_the_original_itself() -> None:
    text = original.bat()
    if text is not None:
        assert original.commands_of(text) == list(original.COMMANDS)
    else:
        assert len(original.COMMANDS) == 11


def test_the_guides_chapters_are_the_profile_guide(tmp_path: Path) -> None:
    mtls("all", "--profile", "guide", "--ca-key-size", "2048", cwd=tmp_path)

    server = facts(tmp_path / "server.crt")
    assert server.subject == "CN=server.your_domain.com,O=MyOrg,L=Beijing,ST=Beijing,C=CN"
    assert server.extensions["X509v3 Subject Alternative Name:"] == (
        "DNS:server.your_domain.com, DNS:api.your_domain.com, IP Address:192.168.1.100"
    )
    assert facts(tmp_path / "client.crt").subject.startswith("CN=my_client_id,")


def test_the_profile_modern_is_elliptic_and_critical_and_shorter(tmp_path: Path) -> None:
    mtls("all", "--profile", "modern", cwd=tmp_path)

    client = facts(tmp_path / "client.crt")
    assert client == Facts(
        subject="CN=client1,O=MyOrganization,L=Beijing,ST=Beijing,C=CN",
        issuer="CN=MyRootCA,O=MyOrganization CA,L=Beijing,ST=Beijing,C=CN",
        days=397,
        key="256 bit",
        signature="ecdsa-with-SHA256",
        extensions={
            "X509v3 Authority Key Identifier:": "<key identifier>",
            "X509v3 Basic Constraints:": "CA:FALSE",
            "X509v3 Key Usage: critical": "Digital Signature",
            "X509v3 Extended Key Usage:": "TLS Web Client Authentication",
            "X509v3 Subject Alternative Name:": "DNS:client1",
            "X509v3 Subject Key Identifier:": "<key identifier>",
        },
    )


def test_a_second_run_keeps_the_first_set_in_the_backup(ours: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ours, tmp_path / "set"))

    mtls("all", *QUICK, cwd=folder)

    first = {name: (ours / name).read_bytes() for name in original.FILES}
    (backup,) = (folder / "backup").iterdir()
    assert {path.name: path.read_bytes() for path in backup.iterdir()} == first
    assert (folder / "ca.key").read_bytes() != first["ca.key"]


def test_the_steps_one_by_one_make_a_set_as_all_does(tmp_path: Path) -> None:
    for step in ("ca", "server", "client"):
        mtls(step, *QUICK, cwd=tmp_path)
    for step in ("verify", "p12"):
        mtls(step, cwd=tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*original.FILES, "mtls-audit.jsonl"]
    )
    assert "unbroken" in mtls("audit", "verify", cwd=tmp_path).stdout


def test_the_commands_of_a_report_are_typed_as_they_are(tmp_path: Path) -> None:
    told = mtls("ca", "--profile", "modern", "--out", "我的 证书", cwd=tmp_path).stdout
    server, client = re.findall(r": (python -m mtls_openssl .*)", told)
    take(server, tmp_path)
    take(client, tmp_path)
    told = mtls("p12", "--out", "我的 证书", cwd=tmp_path).stdout
    take(re.findall(r"\(make one: (.*)\)", told)[-1], tmp_path)


def test_a_step_too_early_names_what_is_missing_and_what_makes_it(tmp_path: Path) -> None:
    refused = mtls("server", cwd=tmp_path, exit_code=7).stderr

    assert "ca.key" in refused
    assert "ca.crt" in refused
    assert "python -m mtls_openssl ca" in refused


@pytest.mark.parametrize("lost", ["ca.key", "ca.crt"])
def test_where_half_of_the_ca_is_lost_no_new_one_is_advised(
    ours: Path, tmp_path: Path, lost: str
) -> None:
    folder = Path(shutil.copytree(ours, tmp_path / "set"))
    (folder / lost).unlink()

    refused = mtls("client", cwd=folder, exit_code=7).stderr.splitlines()

    assert refused[-1] == (
        f"To mend it: put {lost} there for this; what may bring it back: "
        "python -m mtls_openssl doctor"
    )


def test_a_new_ca_puts_what_the_old_one_issued_into_the_backup(ours: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ours, tmp_path / "set"))

    mtls("ca", *QUICK, cwd=folder)

    assert sorted(path.name for path in folder.iterdir()) == [
        "backup", "ca.crt", "ca.key", "mtls-audit.jsonl",
    ]  # fmt: skip
    (backup,) = (folder / "backup").iterdir()
    assert sorted(path.name for path in backup.iterdir()) == sorted(original.FILES)


def test_a_group_of_rfc_7919_is_there_at_once_and_is_a_safe_prime(tmp_path: Path) -> None:
    mtls("dhparam", "--group", "ffdhe2048", cwd=tmp_path)

    parsed = ran(openssl(), "asn1parse", "-in", "dhparam.pem", cwd=tmp_path).stdout
    prime, generator = (int(number, 16) for number in re.findall(r"INTEGER +:(\w+)", parsed)[:2])
    # RFC 7919, Appendix A.1: the prime as its formula gives it, from the digits of e.
    e_1918 = sum(2**2200 // math.factorial(k) for k in range(400)) >> (2200 - 1918)
    assert prime == 2**2048 - 2**1984 + (e_1918 + 560316) * 2**64 - 1
    assert generator == 2
