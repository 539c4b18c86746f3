"""A PKCS#12 file for each reader: what it is really made with, and who is said to read it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mtls_openssl.openssl import pkcs12, readers
from mtls_openssl.openssl.pkcs12 import Contents
from mtls_openssl.profiles import P12_FOR
from tests import original
from tests.der import protection
from tests.machine import PASSWORD, mtls, openssl, ran, tool

PBES2 = ["PBES2", "PBKDF2", "HMAC-SHA256", "AES-256-CBC"]
MADE_WITH = {
    "modern": ["encrypted data", *PBES2, "shrouded key", *PBES2, "SHA-256"],
    **{
        name: ["encrypted data", "3DES", "shrouded key", "3DES", "SHA-1"]
        for name in ("windows2016", "java8", "macos", "android")
    },
}
EVERYBODY = [reader.name for reader in readers.READERS]
MODERN_READERS = [
    "Windows 11, Windows 10 from 1709 on, Windows Server 2019 and later",
    "Java from 8u301, 11.0.12 and 16 on",
    "Android from 14 on",
    "OpenSSL 1.1.1",
    "OpenSSL 3.0 to 3.3",
    "OpenSSL from 3.4 on",
]


@pytest.fixture
def folder(modern: Path, tmp_path: Path) -> Path:
    """A set of this test's own, in a folder with a name that not every program likes."""
    return Path(shutil.copytree(modern, tmp_path / "一套 证书 #1"))


def packed(folder: Path, *options: str) -> dict[str, object]:
    """What `p12 --json` says of the file."""
    (told,) = json.loads(mtls("p12", *options, "--json", cwd=folder).stdout)["p12"]
    return dict(told)


@pytest.mark.end_to_end
@pytest.mark.parametrize("reader", P12_FOR)
def test_a_file_for_a_reader_has_the_algorithms_that_the_reader_knows(
    reader: str, folder: Path
) -> None:
    mtls("p12", "--for", reader, cwd=folder)
    assert protection(folder / "client.p12") == MADE_WITH[reader]


@pytest.mark.end_to_end
def test_what_a_file_is_made_for_is_seen_in_its_bytes(folder: Path) -> None:
    file, seen = folder / "client.p12", {}
    for reader in ("modern", "macos"):
        mtls("p12", "--for", reader, cwd=folder)
        seen[reader] = readers.profile_like(file.read_bytes())
    assert seen == {"modern": "modern", "macos": "windows2016"}
    assert readers.profile_like(b"") is None


@pytest.mark.end_to_end
@pytest.mark.parametrize("reader", ["modern", "windows2016"])
def test_what_is_said_of_a_file_is_what_its_bytes_say(reader: str, folder: Path) -> None:
    told = packed(folder, "--for", reader)
    cipher, mac = {
        "modern": (
            "PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256",
            "sha256, Iteration 2048",
        ),
        "windows2016": (
            "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048",
            "sha1, Iteration 2048",
        ),
    }[reader]
    assert told["algorithms"] == {
        "MAC": mac,
        "PKCS7 Encrypted data": cipher,
        "Shrouded Keybag": cipher,
    }


@pytest.mark.end_to_end
def test_a_modern_file_is_not_said_to_be_read_by_old_systems(folder: Path) -> None:
    told = packed(folder, "--for", "modern")
    assert told["read_by"] == MODERN_READERS
    assert told["not_read_by"] == [
        {"reader": reader.name, "for": reader.profile}
        for reader in readers.READERS
        if reader.name not in MODERN_READERS
    ]


@pytest.mark.end_to_end
@pytest.mark.parametrize("reader", ["windows2016", "java8", "macos", "android"])
def test_a_file_for_an_old_system_is_read_by_everybody(reader: str, folder: Path) -> None:
    told = packed(folder, "--for", reader)
    assert (told["read_by"], told["not_read_by"]) == (EVERYBODY, [])


@pytest.mark.end_to_end
def test_without_a_reader_the_command_is_the_guides_and_the_report_says_what_came_of_it(
    folder: Path,
) -> None:
    report = mtls("p12", "--verbose", cwd=folder).stdout
    guides = " ".join(("openssl", *original.COMMANDS[-1], "-passout", "env:MTLS_P12_PASSWORD"))
    assert f"  {guides}  (" in report
    mac, left_out = {
        "SHA-1": (
            "sha1",
            "OpenSSL from 3.4 on (make one: python -m mtls_openssl p12 client --for modern)",
        ),
        "SHA-256": (
            "sha256",
            "macOS Keychain, iOS (make one: python -m mtls_openssl p12 client --for macos)",
        ),
    }[protection(folder / "client.p12")[-1]]
    assert f"client.p12 is made with:\n  MAC: {mac}, Iteration 2048\n" in report
    assert f"\n    {left_out}\n" in report


@pytest.mark.end_to_end
def test_no_algorithm_needs_the_legacy_provider(folder: Path) -> None:
    mtls("p12", "--for", "android", cwd=folder)
    read = ("pkcs12", "-in", "client.p12", "-nokeys", "-passin", "env:P")
    nowhere = {"P": PASSWORD, "OPENSSL_MODULES": str(folder / "none")}
    assert "BEGIN CERTIFICATE" in ran(openssl(), *read, cwd=folder, env=nowhere).stdout


@pytest.mark.end_to_end
@pytest.mark.parametrize("way", ["option", "variable", "file"])
def test_a_whole_set_can_be_made_for_a_reader(way: str, tmp_path: Path) -> None:
    option = ("--p12-for", "macos") if way == "option" else ()
    env = {"MTLS_P12_FOR": "macos"} if way == "variable" else {}
    if way == "file":
        (tmp_path / "mtls.toml").write_text('p12_for = "macos"\n')
    mtls("all", "--profile", "modern", *option, cwd=tmp_path, env=env)
    assert protection(tmp_path / "client.p12") == MADE_WITH["macos"]


@pytest.mark.end_to_end
def test_a_set_of_the_original_batch_file_gets_a_file_for_any_reader(tmp_path: Path) -> None:
    original.make(tmp_path)
    before = (tmp_path / "client.p12").read_bytes()
    mtls("p12", "--for", "java8", cwd=tmp_path)
    assert protection(tmp_path / "client.p12") == MADE_WITH["java8"]
    (backup,) = (tmp_path / "backup").iterdir()
    assert (backup / "client.p12").read_bytes() == before


@pytest.mark.end_to_end
@pytest.mark.tool("keytool")
@pytest.mark.parametrize("reader", ["modern", "java8"])
def test_java_opens_a_file_for_any_reader(reader: str, folder: Path) -> None:
    mtls("p12", "--for", reader, "--name", "For Java", cwd=folder)
    listed = ran(
        *(tool("keytool"), "-J-Duser.language=en", "-list", "-keystore", "client.p12"),
        *("-storepass:env", "P"),
        cwd=folder,
        env={"P": PASSWORD},
    ).stdout
    assert "for java, " in listed
    assert "PrivateKeyEntry" in listed


@pytest.mark.end_to_end
@pytest.mark.posix
def test_an_openssl_that_chooses_for_itself_is_found_out(folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "openssl"
    program.write_text(
        "#!/bin/sh\n"
        'for word; do shift; [ "$word" = sha1 ] && word=sha256; set -- "$@" "$word"; done\n'
        f'exec "{openssl()}" "$@"\n'
    )
    program.chmod(0o700)
    before = (folder / "client.p12").read_bytes()
    refused = mtls("p12", "--for", "macos", "--openssl", program, cwd=folder, exit_code=5)
    assert (
        "client.p12: MAC is sha256, Iteration 2048, where PBE-SHA1-3DES and sha1 were asked for"
        " (wanted: it has the algorithms that macos reads)" in refused.stderr
    )
    assert (folder / "client.p12").read_bytes() == before


def test_an_unknown_reader_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    refused = mtls("p12", "--for", "windows2012", cwd=tmp_path, exit_code=6)
    assert "p12_for 'windows2012' (option --p12-for) is nobody that" in refused.stderr
    assert "allowed: modern, windows2016, java8, macos, android" in refused.stderr


def test_an_empty_variable_asks_for_nobody(folder: Path) -> None:
    dry = mtls("p12", "--dry-run", cwd=folder, env={"MTLS_P12_FOR": ""}).stdout
    assert "-macalg" not in dry


def test_a_dry_run_shows_each_algorithm(tmp_path: Path) -> None:
    dry = mtls("all", "--p12-for", "windows2016", "--dry-run", "--format", "sh", cwd=tmp_path)
    assert (
        "-name MyClientCert -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"
        " -passout env:MTLS_P12_PASSWORD" in dry.stdout
    )


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["张三", "一 Ω é", "\u010a\u4e00"])
def test_a_name_outside_ascii_is_in_the_file_as_it_was_given(name: str, folder: Path) -> None:
    mtls("p12", "--name", name, cwd=folder)
    # Without encryption, so that the name can be seen.
    plain = ("pkcs12", "-in", "client.p12", "-out", "plain.pem", "-nodes", "-passin", "env:P")
    ran(openssl(), *plain, cwd=folder, env={"P": PASSWORD})
    again = ("pkcs12", "-export", "-in", "plain.pem", "-out", "seen.p12", "-passout", "env:P")
    ran(openssl(), *again, "-keypbe", "NONE", "-certpbe", "NONE", "-name", name, cwd=folder,
        env={"P": PASSWORD, "OPENSSL_WIN32_UTF8": "1"})  # fmt: skip
    assert name.encode("utf-16-be") in (folder / "seen.p12").read_bytes()


@pytest.mark.end_to_end
@pytest.mark.tool("keytool")
def test_java_reads_a_name_outside_ascii(folder: Path) -> None:
    mtls("p12", "--name", "张三", cwd=folder)
    listed = ran(
        *(tool("keytool"), "-J-Dstdout.encoding=UTF-8", "-list", "-keystore", "client.p12"),
        *("-storepass:env", "P"),
        cwd=folder,
        env={"P": PASSWORD, "LC_ALL": "C.UTF-8"},
    ).stdout
    assert "\n张三, " in listed


def test_a_name_that_was_spoilt_on_its_way_is_printed_otherwise() -> None:
    spoilt = "张三".encode().decode("latin-1")
    assert pkcs12.as_printed(spoilt) != pkcs12.as_printed("张三")


def contents(*algorithms: str) -> Contents:
    return Contents((), 1, algorithms)


def names(found: tuple[readers.Reader, ...]) -> list[str]:
    return [str(reader.name) for reader in found]


def test_openssl_3_does_not_read_what_openssl_1_1_1_makes_by_itself() -> None:
    can, can_not = readers.who(
        contents(
            "MAC: sha1, Iteration 2048",
            "PKCS7 Encrypted data: pbeWithSHA1And40BitRC2-CBC, Iteration 2048",
            "Shrouded Keybag: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048",
        )
    )
    assert names(can_not) == ["OpenSSL 3.0 to 3.3", "OpenSSL from 3.4 on"]
    assert len(can) + len(can_not) == len(readers.READERS)


@pytest.mark.parametrize("mac", ["PBMAC1 using PBKDF2, Iteration 2048", "PBMAC1, Iteration 2048"])
def test_next_to_nobody_reads_pbmac1(mac: str) -> None:
    cipher = "PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256"
    can, _ = readers.who(contents(f"MAC: {mac}", f"PKCS7 Encrypted data: {cipher}"))
    assert names(can) == ["OpenSSL from 3.4 on"]


def test_the_weakest_part_does_not_make_a_file_readable() -> None:
    can, _ = readers.who(
        contents(
            "MAC: sha256, Iteration 2048",
            "PKCS7 Encrypted data: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048",
        )
    )
    assert names(can) == MODERN_READERS


def test_nobody_is_said_to_read_what_is_not_known() -> None:
    can, _ = readers.who(contents("MAC: newhash, Iteration 1"))
    assert names(can) == []


def test_every_reader_can_be_served_and_says_where_that_is_from() -> None:
    for reader in readers.READERS:
        wanted = readers.PROTECTIONS[reader.profile]
        file = contents(f"MAC: {wanted.digest}, ", f"PKCS7 Encrypted data: {_printed(wanted)}")
        assert reader in readers.who(file)[0]
        assert reader.source


def _printed(wanted: readers.Protection) -> str:
    return f"PBES2, PBKDF2, {wanted.printed}" if wanted is readers.MODERN else wanted.printed
