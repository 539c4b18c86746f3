"""truststore.p12: the CA as one that Java really lists as trusted."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtls_openssl import keytool, locate
from mtls_openssl.cli import app
from mtls_openssl.locate import Machine, find, find_keytool
from mtls_openssl.process import Door
from tests import original
from tests.der import protection
from tests.machine import PASSWORD, QUICK_JAVA, mtls, openssl, ran, tool

JAVA = pytest.mark.tool("keytool")
PBES2 = ["PBES2", "PBKDF2", "HMAC-SHA256", "AES-256-CBC"]


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(*next(iter(QUICK_JAVA.items())))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    mtls("ca", "--profile", "modern", cwd=folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A CA of this test's own, in a folder with a name that not every program likes."""
    return Path(shutil.copytree(made, tmp_path / "信任 库 #1"))


@dataclasses.dataclass(frozen=True)
class Packed:
    """A truststore, and what was told of it."""

    folder: Path
    told: str


def packed(made: Path, folder: Path, reader: str) -> Packed:
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return Packed(folder, mtls("p12", "truststore", "--for", reader, "--json", cwd=folder).stdout)


@pytest.fixture(scope="module")
def modern_one(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """A truststore for Java as it is today, made by keytool once for all tests."""
    return packed(made, tmp_path_factory.mktemp("modern_one"), "modern")


@pytest.fixture(scope="module")
def old_one(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """A truststore for Java 8, made by keytool once for all tests."""
    return packed(made, tmp_path_factory.mktemp("old_one"), "java8")


def listed(folder: Path) -> str:
    """What Java sees."""
    return ran(
        *(tool("keytool"), "-J-Duser.language=en", "-list", "-keystore", "truststore.p12"),
        *("-storepass:env", "P"),
        cwd=folder,
        env={"P": PASSWORD},
    ).stdout


@pytest.mark.end_to_end
@JAVA
def test_java_lists_the_ca_as_a_certificate_that_it_trusts(modern_one: Packed) -> None:
    seen = listed(modern_one.folder)
    assert "Your keystore contains 1 entry" in seen
    assert "\nmyrootca, " in seen
    assert keytool.entries(seen) == ("trustedCertEntry",)


@pytest.mark.end_to_end
@JAVA
def test_the_ca_of_the_original_batch_file_can_be_trusted(tmp_path: Path) -> None:
    original.make(tmp_path)
    mtls("p12", "truststore", "--name", "The CA", cwd=tmp_path)
    assert "\nthe ca, " in listed(tmp_path)


@pytest.mark.end_to_end
@JAVA
def test_java_makes_it_with_the_algorithms_asked_for(modern_one: Packed, old_one: Packed) -> None:
    modern, old = (one.folder / "truststore.p12" for one in (modern_one, old_one))
    assert protection(old) == ["encrypted data", "3DES", "SHA-1"]
    assert protection(modern) == ["encrypted data", *PBES2, "SHA-256"]


@pytest.mark.end_to_end
@JAVA
def test_only_java_is_named_among_its_readers(modern_one: Packed) -> None:
    (one,) = json.loads(modern_one.told)["p12"]
    assert one["read_by"] == ["Java from 8u301, 11.0.12 and 16 on"]
    assert one["not_read_by"] == [
        {"reader": "older Java, and some builds of Java 8", "for": "java8"}
    ]


@JAVA
@pytest.mark.posix
def test_the_password_is_in_no_command_line_and_in_no_variable_but_its_own(
    folder: Path, tmp_path: Path
) -> None:
    home, seen = tmp_path / "jdk", tmp_path / "seen"
    seen.mkdir()
    _program(
        home / "bin" / "keytool",
        f'printf "%s\\n" "$*" > {seen}/$$.argv; env > {seen}/$$.env\nexec {tool("keytool")} "$@"',
    )
    mtls("p12", "truststore", "-v", cwd=folder, env={"JAVA_HOME": str(home)})
    assert len(list(seen.glob("*.argv"))) == 2
    for argv in seen.glob("*.argv"):
        assert PASSWORD not in argv.read_text()
    for environment in seen.glob("*.env"):
        lines = [line for line in environment.read_text().splitlines() if PASSWORD in line]
        assert lines == [f"MTLS_P12_PASSWORD={PASSWORD}"]
    assert PASSWORD not in (folder / "mtls-audit.jsonl").read_text("utf-8")


@JAVA
@pytest.mark.posix
def test_it_is_private_as_every_pkcs12_file(modern_one: Packed) -> None:
    assert stat.S_IMODE((modern_one.folder / "truststore.p12").stat().st_mode) == 0o600


@pytest.mark.posix
@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (
            "echo 'keytool error: java.lang.Exception: Input not an X.509 certificate'; exit 1",
            4,
            "keytool said: keytool error: java.lang.Exception: Input not an X.509 certificate",
        ),
        ("exit 0", 4, "keytool (step 2: pack the CA's certificate as one that Java trusts) said"),
    ],
    ids=["fails", "does nothing"],
)
def test_a_keytool_that_goes_wrong_is_told_by_its_name(
    script: str, code: int, said: str, folder: Path, tmp_path: Path
) -> None:
    _program(tmp_path / "jdk" / "bin" / "keytool", script)
    env = {"JAVA_HOME": str(tmp_path / "jdk")}
    refused = mtls("p12", "truststore", cwd=folder, env=env, exit_code=code)
    assert said in refused.stderr
    assert not (folder / "truststore.p12").exists()


@pytest.mark.posix
@pytest.mark.end_to_end
def test_a_file_in_which_java_sees_nobody_is_no_truststore(folder: Path, tmp_path: Path) -> None:
    packs = (
        f"{openssl()} pkcs12 -export -nokeys -in ca.crt -caname x -out truststore.p12"
        " -passout env:MTLS_P12_PASSWORD"
    )
    empty = "echo 'Your keystore contains 0 entries'"
    _program(
        tmp_path / "jdk" / "bin" / "keytool",
        f'case "$*" in *-importcert*) {packs};; *) {empty};; esac',
    )
    env = {"JAVA_HOME": str(tmp_path / "jdk")}
    refused = mtls("p12", "truststore", cwd=folder, env=env, exit_code=5)
    assert "truststore.p12: it lacks the mark by which Java trusts a certificate" in refused.stderr
    assert "keytool said: Your keystore contains 0 entries" in refused.stderr
    assert not (folder / "truststore.p12").exists()


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


@JAVA
@pytest.mark.parametrize(("password", "code"), [("12345", 6), ("123456", 0)])
def test_a_password_is_as_long_as_java_wants_it(password: str, code: int, folder: Path) -> None:
    env = {"MTLS_P12_PASSWORD": password}
    said = mtls("p12", "truststore", cwd=folder, env=env, exit_code=code).stderr
    assert ("truststore.p12 from variable MTLS_P12_PASSWORD has less than 6" in said) == bool(code)


@pytest.mark.parametrize("name", ["根证书", "Zoë"])
def test_a_name_that_java_might_read_otherwise_is_refused(name: str, folder: Path) -> None:
    refused = mtls("p12", "truststore", "--name", name, cwd=folder, exit_code=6)
    assert f"The name {name} in a truststore is not ASCII." in refused.stderr


@JAVA
def test_without_a_ca_it_says_which_command_makes_one(tmp_path: Path) -> None:
    refused = mtls("p12", "truststore", cwd=tmp_path, exit_code=7)
    assert "python -m mtls_openssl ca" in refused.stderr


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Java."""
    monkeypatch.setattr(locate, "find_keytool", lambda: None)


def in_process(*argv: str) -> tuple[int, str]:
    """Exit code and output of the program, run in this process."""
    numbers = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")]
    handlers = {number: signal.getsignal(number) for number in numbers if number is not None}
    try:
        done = CliRunner().invoke(app, list(argv), env={"MTLS_P12_PASSWORD": PASSWORD})
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return done.exit_code, done.output


def can_trust() -> bool:
    version = find(None, Door()).chosen.version
    return version is not None and (version.major, version.minor) >= (3, 2)


@pytest.mark.end_to_end
@pytest.mark.usefixtures("no_java")
def test_without_java_an_openssl_that_can_makes_it_and_any_other_says_what_to_do(
    folder: Path,
) -> None:
    code, said = in_process("p12", "truststore", "--out", str(folder))
    assert code == (0 if can_trust() else 3), said
    assert ("install a JDK, or name a newer openssl" in said) == (code == 3)
    assert (folder / "truststore.p12").exists() == (code == 0)


@pytest.mark.end_to_end
@pytest.mark.usefixtures("no_java")
@JAVA
def test_java_sees_what_openssl_made_as_what_java_makes(folder: Path, old_one: Packed) -> None:
    if can_trust():
        in_process("p12", "truststore", "--out", str(folder), "--for", "java8")
    else:
        folder = old_one.folder
    seen = listed(folder)
    assert "\nmyrootca, " in seen
    assert keytool.entries(seen) == ("trustedCertEntry",)
    assert protection(folder / "truststore.p12") == ["encrypted data", "3DES", "SHA-1"]


@pytest.mark.end_to_end
@JAVA
def test_the_log_and_a_dry_run_make_it_again_with_the_password_asked_for_by_name(
    folder: Path,
) -> None:
    mtls("p12", "truststore", "--name", "It's $HOME", cwd=folder)
    form = ("--format", "bat" if os.name == "nt" else "sh")
    logged = mtls("audit", "export", *form, cwd=folder).stdout
    planned = mtls("p12", "truststore", "--name", "It's $HOME", "--dry-run", *form, cwd=folder)
    again = folder.parent / "again"
    again.mkdir()
    shutil.copy(folder / "ca.crt", again)
    file = again / ("make.bat" if os.name == "nt" else "make.sh")
    file.write_bytes(logged.encode())
    path = os.pathsep.join((str(Path(openssl()).parent), os.environ["PATH"]))
    shell = ("cmd", "/c", file.name) if os.name == "nt" else ("sh", file.name)
    ran(*shell, cwd=again, env={"PATH": path, "MTLS_P12_PASSWORD": PASSWORD})
    assert "\nit's $home, " in listed(again)
    titles = set(logged.splitlines()) ^ set(planned.stdout.splitlines())
    assert sorted("run" in title for title in titles) == [False, True], titles


@JAVA
@pytest.mark.parametrize("form", ["bat", "sh", "ps1", "json", "text"])
def test_every_form_names_keytool_and_the_variable_of_the_password(form: str, folder: Path) -> None:
    dry = mtls("p12", "truststore", "--dry-run", "--format", form, cwd=folder).stdout
    assert "keytool" in dry
    assert "MTLS_P12_PASSWORD" in dry
    assert "/bin/keytool" not in dry
    assert PASSWORD not in dry


class NoRegistry:
    """A Windows registry with nothing in it."""

    def paths(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def installed(self) -> Iterator[dict[str, str]]:
        return iter(())


def machine(root: Path, *, platform: str = sys.platform, **environ: str) -> Machine:
    return Machine(platform, environ, NoRegistry(), root, root / "current")


def _jdk(folder: Path, *, windows: bool = sys.platform == "win32") -> Path:
    program = folder / "bin" / ("keytool.exe" if windows else "keytool")
    program.parent.mkdir(parents=True)
    program.write_bytes(b"keytool")
    return program


def test_java_home_counts_before_the_path(tmp_path: Path) -> None:
    home, other = _jdk(tmp_path / "home"), _jdk(tmp_path / "other")
    here = machine(tmp_path, JAVA_HOME=str(home.parents[1]), PATH=str(other.parent))
    assert find_keytool(here) == home


def test_the_path_counts_before_the_usual_places(tmp_path: Path) -> None:
    usual = _jdk(tmp_path / "usr/lib/jvm/java-17", windows=False)
    assert find_keytool(machine(tmp_path, platform="linux")) == usual
    on_path = _jdk(tmp_path / "other", windows=False)
    here = machine(tmp_path, platform="linux", PATH=f"relative:{on_path.parent}")
    assert find_keytool(here) == (on_path if os.name == "posix" else usual)


def test_the_newest_of_several_is_taken(tmp_path: Path) -> None:
    programs = tmp_path / "Program Files"
    for version in ("jdk1.8.0_202", "jdk-9", "jdk-17.0.2"):
        _jdk(programs / "Java" / version, windows=True)
    here = machine(tmp_path, platform="win32", ProgramFiles=str(programs))
    assert find_keytool(here) == programs / "Java" / "jdk-17.0.2" / "bin" / "keytool.exe"


def test_the_one_that_macos_has_without_java_is_not_taken(tmp_path: Path) -> None:
    stub = tmp_path / "usr" / "bin"
    stub.mkdir(parents=True)
    (stub / "keytool").write_bytes(b"stub")
    assert find_keytool(machine(tmp_path, platform="darwin", PATH=str(stub))) is None


def test_the_one_in_the_current_folder_is_not_taken(tmp_path: Path) -> None:
    planted = _jdk(tmp_path / "home")
    here = Machine(
        sys.platform, {"PATH": str(planted.parent)}, NoRegistry(), tmp_path, planted.parent
    )
    assert find_keytool(here) is None


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert find_keytool(machine(tmp_path)) is None
