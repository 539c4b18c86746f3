"""The commands of trust stores, as somebody uses them: `trust install|remove|status|export`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess
from typer.testing import CliRunner, Result

from mtls_openssl.cli import app
from mtls_openssl.elevation import Host
from tests.machine import mtls, openssl, ran, snapshot
from tests.trusting import desk_with, host, program


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(modern, tmp_path_factory.mktemp("trust") / "a set 证书"))


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set whose certificates are issued by an intermediate authority."""
    folder = tmp_path_factory.mktemp("layered")
    (folder / "mtls.toml").write_text('profile = "modern"\n[intermediate]\n')
    mtls("apply", cwd=folder)
    return folder


@pytest.fixture
def computer(tmp_path: Path, fp: FakeProcess, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a Windows computer that this process is on; only openssl is real."""
    fp.allow_unregistered(True)
    monkeypatch.setattr(Host, "here", lambda: host(tmp_path, "win32"))
    return tmp_path


def run(*argv: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in argv])


def thumbprint(certificate: Path, digest: str = "sha1") -> str:
    said = ran(
        *(openssl(), "x509", "-in", certificate.name, "-noout", "-fingerprint", f"-{digest}"),
        cwd=certificate.parent,
    ).stdout
    return said.strip().partition("=")[2]


def certutil(computer: Path) -> str:
    return str(computer / "Windows" / "System32" / "certutil.exe")


def test_install_tells_that_it_is_trusted_now(made: Path, computer: Path, fp: FakeProcess) -> None:
    sha1 = thumbprint(made / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=1)
    fp.register([certutil(computer), "-f", "-addstore", "Root", "ca.crt"])
    fp.register([certutil(computer), "-store", "Root", sha1])
    done = run("trust", "install", "--out", made)
    assert done.exit_code == 0, done.output
    assert "LocalMachine\\Root): trusted now, and read back" in done.stdout


def test_the_root_of_a_set_is_trusted_and_its_intermediate_authority_is_not(
    layered: Path, computer: Path, fp: FakeProcess
) -> None:
    sha1 = thumbprint(layered / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=1)
    fp.register([certutil(computer), "-f", "-addstore", "Root", "ca.crt"])
    fp.register([certutil(computer), "-store", "Root", sha1])
    done = run("trust", "install", "--out", layered)
    assert done.exit_code == 0, done.output
    assert "intermediate.crt is the certificate of the authority between" in done.stdout
    assert "certutil -f -addstore CA intermediate.crt" in done.stdout


def test_install_for_a_user_says_what_services_will_not_see(
    made: Path, computer: Path, fp: FakeProcess
) -> None:
    sha1 = thumbprint(made / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-user", "-store", "Root", sha1], returncode=1)
    fp.register([certutil(computer), "-user", "-addstore", "Root", "ca.crt"])
    fp.register([certutil(computer), "-user", "-store", "Root", sha1])
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=1)
    done = run("trust", "install", "--user", "--out", made)
    assert done.exit_code == 0, done.output
    assert f"compare the thumbprint there: {sha1}" in done.stderr
    assert "Services such as IIS do not see the roots of a user" in done.stdout


def test_who_is_no_administrator_is_told_the_command_before_anything_is_tried(
    made: Path, computer: Path, fp: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "here", lambda: host(computer, "win32", elevated=False))
    sha1 = thumbprint(made / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=1)
    done = run("trust", "install", "--out", made)
    assert done.exit_code == 7
    assert "Run as administrator" in done.stderr
    command = done.stderr.strip().splitlines()[-1].partition("run there: ")[2]
    assert command.endswith(f'-m mtls_openssl trust install "{made / "ca.crt"}" --store system')
    assert fp.call_count([certutil(computer), "-f", "-addstore", "Root", "ca.crt"]) == 0


@pytest.mark.posix
def test_on_linux_the_command_begins_with_sudo(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "here", lambda: host(tmp_path, elevated=False))
    (tmp_path / "usr/local/share/ca-certificates").mkdir(parents=True)
    program(tmp_path / "usr/sbin/update-ca-certificates", "exit 1")
    done = run("trust", "install", "--out", made)
    assert done.exit_code == 7
    assert done.stderr.splitlines()[-1] == (
        f"To mend it: sudo {sys.executable} -m mtls_openssl trust install '{made}/ca.crt'"
        " --store system"
    )


def test_a_dry_run_prints_what_would_be_run_and_runs_none_of_it(
    made: Path, computer: Path, fp: FakeProcess
) -> None:
    sha1 = thumbprint(made / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=1)
    done = run("trust", "install", "--dry-run", "--out", made)
    assert done.exit_code == 0, done.output
    quoted = f'"{certutil(computer)}"' if sys.platform == "win32" else certutil(computer)
    assert done.stdout.splitlines() == [
        "# Windows, the roots of this computer (LocalMachine\\Root)",
        f'{quoted} -f -addstore Root "{made / "ca.crt"}"',
    ]


def test_remove_takes_out_what_is_there_and_says_so(
    made: Path, computer: Path, fp: FakeProcess
) -> None:
    sha1 = thumbprint(made / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-store", "Root", sha1])
    fp.register([certutil(computer), "-delstore", "Root", sha1])
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=1)
    done = run("trust", "remove", "--json", "--out", made)
    assert done.exit_code == 0, done.output
    (store,) = json.loads(done.stdout)["stores"]
    assert (store["before"], store["after"]) == ("trusted", "not in it")


def test_remove_of_what_is_not_there_is_done_already(
    made: Path, computer: Path, fp: FakeProcess
) -> None:
    sha1 = thumbprint(made / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=1)
    done = run("trust", "remove", "--out", made)
    assert done.exit_code == 0
    assert "it was not in it" in done.stdout


@pytest.mark.parametrize(("code", "exit_code"), [(0, 0), (1, 5)], ids=["trusted", "not"])
def test_status_answers_by_its_exit_code_and_tells_where_to_look(
    code: int, exit_code: int, made: Path, computer: Path, fp: FakeProcess
) -> None:
    sha1 = thumbprint(made / "ca.crt").replace(":", "")
    fp.register([certutil(computer), "-store", "Root", sha1], returncode=code)
    fp.register([certutil(computer), "-user", "-store", "Root", sha1], returncode=1)
    fp.register([certutil(computer), "-verify", "ca.crt"], returncode=code)
    powershell = computer / "Windows/System32/WindowsPowerShell/v1.0/powershell.exe"
    stranger = f"{'CD' * 20} CN=An intermediate"
    fp.register([str(powershell), fp.any()], stdout=stranger)
    done = run("trust", "status", "--out", made)
    assert done.exit_code == exit_code, done.output
    assert thumbprint(made / "ca.crt", "sha256") in done.stdout
    assert f"certutil -store Root {sha1}" in done.stdout
    assert f'certutil -verify "{made / "ca.crt"}"\n' in done.stdout
    assert "certlm.msc" in done.stdout
    assert "(403.16): CN=An intermediate" in done.stderr
    assert ("To have it trusted: python -m mtls_openssl trust install" in done.stderr) == bool(code)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("server.crt", "it says nowhere that it is a CA's"),
        ("client.crt", "it says nowhere that it is a CA's"),
        ("ca.key", "is not a certificate"),
        ("mtls-audit.jsonl", "is not a certificate"),
    ],
)
def test_only_a_certificate_of_a_ca_is_trusted(
    file: str, why: str, made: Path, computer: Path
) -> None:
    done = run("trust", "install", made / file)
    assert done.exit_code == 6
    assert why in done.stderr


def issued(folder: Path, *arguments: str, config: str) -> Path:
    """A self-signed certificate made as told, in the file own.crt."""
    folder.joinpath("own.cnf").write_text(
        "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=ext\n[dn]\nCN=Own\n[ext]\n"
        + config
    )
    ran(
        *(openssl(), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key"),
        *("-out", "own.crt", "-config", "own.cnf", *arguments),
        cwd=folder,
    )
    return folder / "own.crt"


@pytest.mark.end_to_end
def test_a_key_that_may_not_sign_certificates_is_no_cas(computer: Path) -> None:
    own = issued(computer, config="basicConstraints=CA:TRUE\nkeyUsage=digitalSignature\n")
    done = run("trust", "install", own)
    assert done.exit_code == 6
    assert "keyUsage lacks keyCertSign" in done.stderr


@pytest.mark.end_to_end
def test_an_intermediate_is_refused_for_the_trap_that_it_is(computer: Path, made: Path) -> None:
    issued(computer, config="basicConstraints=CA:TRUE\n")
    computer.joinpath("sub.ext").write_text("basicConstraints=CA:TRUE\n")
    for name in ("ca.crt", "ca.key"):
        shutil.copy(made / name, computer)
    ran(
        *(openssl(), "x509", "-in", "own.crt", "-CA", "ca.crt", "-CAkey", "ca.key"),
        *("-set_serial", "7", "-days", "9", "-extfile", "sub.ext", "-out", "sub.crt"),
        cwd=computer,
    )
    done = run("trust", "install", computer / "sub.crt")
    assert done.exit_code == 6
    assert "403.16" in done.stderr


@pytest.mark.end_to_end
def test_a_root_of_long_life_and_without_key_usage_is_noted(
    computer: Path, fp: FakeProcess
) -> None:
    own = issued(computer, "-days", "9999", config="basicConstraints=CA:TRUE\n")
    fp.register([certutil(computer), fp.any()], returncode=1)
    done = run("trust", "install", own, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "it lasts 27 years" in done.stderr
    assert "repair-ca" in done.stderr


@pytest.mark.end_to_end
def test_der_and_a_file_with_a_key_are_read_and_the_certificate_alone_is_handed_on(
    made: Path, tmp_path: Path
) -> None:
    both, der = tmp_path / "两个.pem", tmp_path / "ca.der"
    both.write_bytes((made / "ca.key").read_bytes() + (made / "ca.crt").read_bytes())
    ran(openssl(), "x509", "-in", "ca.crt", "-outform", "DER", "-out", der, cwd=made)
    for file in (both, der):
        with desk_with(file) as (_desk, ca):
            handed_on = (ca.folder / ca.name).read_text()
            assert ca.name == "ca.crt"
            assert handed_on.split() == (made / "ca.crt").read_text().split()


def test_a_file_of_several_certificates_is_refused(made: Path, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes((made / "server.crt").read_bytes() + (made / "ca.crt").read_bytes())
    done = run("trust", "status", chain)
    assert done.exit_code == 6
    assert "holds 2 certificates" in done.stderr


def test_there_is_no_such_file_and_what_to_do(tmp_path: Path, computer: Path) -> None:
    done = run("trust", "status", "--out", tmp_path / "nothing here")
    assert done.exit_code == 7
    assert "or the folder of its set with --out" in done.stderr


def test_a_store_of_another_name_is_refused_with_the_names_there_are(
    made: Path, computer: Path
) -> None:
    done = run("trust", "install", "--store", "root", "--out", made)
    assert done.exit_code == 2
    assert "system, nss, java" in done.stderr


def test_export_hands_out_the_certificate_twice_and_no_key(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "to hand out"
    done = run("trust", "export", folder, "--out", made)
    assert done.exit_code == 0, done.output
    files = snapshot(folder)
    assert set(files) == {"ca.crt", "ca.cer", "README.txt"}
    assert thumbprint(folder / "ca.crt") == thumbprint(made / "ca.crt")
    ran(openssl(), "x509", "-inform", "DER", "-in", "ca.cer", "-outform", "PEM", "-out", "x.crt",
        cwd=folder)  # fmt: skip
    assert thumbprint(folder / "x.crt") == thumbprint(made / "ca.crt")
    assert not any(b"PRIVATE KEY" in content for content in files.values())
    words = files["README.txt"].decode("utf-8-sig")
    assert thumbprint(made / "ca.crt").replace(":", "") in words
    assert thumbprint(made / "ca.crt", "sha256") in words


def test_export_of_a_set_with_an_intermediate_authority_says_what_to_do_with_it(
    layered: Path, tmp_path: Path
) -> None:
    done = run("trust", "export", tmp_path, "--out", layered)
    assert done.exit_code == 0, done.output
    files = snapshot(tmp_path)
    assert set(files) == {"ca.crt", "ca.cer", "intermediate.crt", "README.txt"}
    assert thumbprint(tmp_path / "intermediate.crt") == thumbprint(layered / "intermediate.crt")
    assert "never among the roots" in files["README.txt"].decode("utf-8-sig")


def test_export_again_changes_nothing_and_never_another_file(made: Path, tmp_path: Path) -> None:
    run("trust", "export", tmp_path, "--out", made)
    before = snapshot(tmp_path)
    assert run("trust", "export", tmp_path, "--out", made).exit_code == 0
    (tmp_path / "ca.cer").write_bytes(b"somebody else's")
    (tmp_path / "ca.crt").unlink()
    refused = run("trust", "export", tmp_path, "--out", made)
    assert refused.exit_code == 7
    assert "is there already, and is another file" in refused.stderr
    assert snapshot(tmp_path) == {
        "README.txt": before["README.txt"],
        "ca.cer": b"somebody else's",
    }


def test_export_of_the_set_itself_leaves_its_certificate_as_it_is(
    made: Path, tmp_path: Path
) -> None:
    shutil.copy(made / "ca.crt", tmp_path)
    assert run("trust", "export", tmp_path, "--out", tmp_path).exit_code == 0
    assert (tmp_path / "ca.crt").read_bytes() == (made / "ca.crt").read_bytes()


def test_every_command_that_ran_is_in_the_log_of_the_set(
    made: Path, computer: Path, fp: FakeProcess
) -> None:
    fp.register([certutil(computer), fp.any()], returncode=0)
    run("trust", "install", "--out", made)
    shown = run("audit", "show", "--json", "--out", made)
    line = [line for line in json.loads(shown.stdout) if line["event"] == "command"][-1]
    assert line["openssl"] == certutil(computer)
    assert line["kind"] == "tool"
