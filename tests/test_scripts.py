"""A checkout and a Python are enough: the scripts do the rest."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import types
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.machine import CHECKOUT, PASSWORD, openssl, ran

WINDOWS = sys.platform == "win32"
NOT_COPIED = shutil.ignore_patterns(".*", "test_*", "backup", "dist", "build")
"""What a checkout can do without. Not what Python has compiled, which takes it a second."""
BASE_PYTHON = Path(sys.base_prefix, "python.exe") if WINDOWS else Path(sys.executable).resolve()
"""The Python that the one of these tests was made from."""
BLOCK = {
    "COUNTRY": "CN",
    "STATE": "Beijing",
    "CITY": "Beijing",
    "ORG": "MyOrganization",
    "DOMAIN": "your_domain.com",
    "CERT_DAYS": "365",
    "KEY_SIZE": "2048",
}
"""The configuration block of the guide's own batch file."""
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
"""What keeps pip from any index."""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A fresh checkout, in a folder with a space in its name."""
    copy = tmp_path / "a checkout"
    shutil.copytree(CHECKOUT, copy, ignore=NOT_COPIED)
    return copy


@pytest.fixture
def checkout(bare: Path) -> Path:
    """A checkout whose `.venv` is ready, with the packages that these tests run with."""
    prepare = _prepare(bare)
    prepare.PYTHON.parent.mkdir(parents=True)
    if WINDOWS:
        for file in (BASE_PYTHON, *BASE_PYTHON.parent.glob("*.dll")):
            shutil.copy(file, prepare.PYTHON.parent)
    else:
        prepare.PYTHON.symlink_to(BASE_PYTHON)
    # Without the second line the packages of the Python underneath are seen too.
    (bare / ".venv" / "pyvenv.cfg").write_text(
        f"home = {BASE_PYTHON.parent}\ninclude-system-site-packages = false\n", encoding="utf-8"
    )
    base = {"base": str(bare / ".venv"), "platbase": str(bare / ".venv")}
    packages = Path(sysconfig.get_path("purelib", "venv", base))
    packages.mkdir(parents=True)
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    prepare._lead_to_checkout()
    for extra in ("", "test"):
        prepare._marker(extra).write_bytes(prepare._state())
    return bare


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my certificates"
    made.mkdir()
    return made


def _prepare(checkout: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("prepare", checkout / "scripts" / "prepare.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(
    script: Path, *words: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `script` of the checkout, without its suffix, as its user does on this platform."""
    line: str | list[str] = ["/bin/sh", f"{script}.sh", *words]
    if WINDOWS:
        # /s: cmd takes off the outer quotes, and nothing else.
        quoted = " ".join(f'"{word}"' for word in words)
        line = f'cmd /d /s /c ""{script}.bat" {quoted}"'
    return subprocess.run(
        line,
        cwd=cwd,
        env={
            # The tests that a script starts are not ours: neither our options nor our workers.
            **{k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
            "MTLS_OPENSSL": openssl(),
            "MTLS_P12_PASSWORD": PASSWORD,
            "PYTHONIOENCODING": "utf-8",
            **(env or {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=120,
    )


def _generate(
    checkout: Path, folder: Path, *options: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return _run(checkout / "scripts" / "generate_certs", *options, cwd=folder, env=env)


def _edit(checkout: Path, name: str, value: str) -> None:
    """Give a variable of the block another value, in the way its script quotes it."""
    for suffix, old, new in (
        ("sh", f"{name}='{BLOCK[name]}'", f"{name}='{value}'"),
        ("bat", f'set "{name}={BLOCK[name]}"', f'set "{name}={value.replace("%", "%%")}"'),
    ):
        script = checkout / "scripts" / f"generate_certs.{suffix}"
        text = script.read_bytes().decode()
        assert old in text
        script.write_bytes(text.replace(old, new).encode())


def _subject(certificate: Path) -> dict[str, str]:
    text = ran(
        *(openssl(), "x509", "-in", certificate.name, "-noout", "-subject"),
        *("-nameopt", "multiline,utf8,-esc_msb"),
        cwd=certificate.parent,
    ).stdout
    pairs = (line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    return {name.strip(): value for name, value in pairs}


@pytest.mark.parametrize(("suffix", "form"), [("sh", "{}='{}'"), ("bat", 'set "{}={}"')])
def test_the_block_on_top_is_that_of_the_guide(suffix: str, form: str) -> None:
    script = CHECKOUT / "scripts" / f"generate_certs.{suffix}"
    lines = script.read_text(encoding="utf-8").splitlines()
    first = lines.index(form.format("COUNTRY", "CN"))
    block = [form.format(name, value) for name, value in BLOCK.items()]
    assert lines[first : first + len(block)] == block


def test_the_set_is_made_in_the_current_folder_with_the_values_of_the_block_as_typed(
    checkout: Path, folder: Path
) -> None:
    # Not every cmd.exe reads a file as UTF-8, or takes a lone percent sign from a variable.
    organization = 'A&B "x" (y) !z! ^' if WINDOWS else 'A&B "x" 100% $y `z` 北京'
    _edit(checkout, "ORG", organization)
    _edit(checkout, "DOMAIN", "example.org")
    _edit(checkout, "STATE", "")
    quick = ("--ca-key-size", "2048")
    done = _generate(checkout, folder, "--city", "Tian & Jin!", *quick)
    assert done.returncode == 0, done.stderr
    assert _subject(folder / "server.crt") == {
        "countryName": "CN",
        "localityName": "Tian & Jin!",
        "organizationName": organization,
        "commonName": "server.example.org",
    }


def test_an_option_wins_over_the_block(checkout: Path, folder: Path) -> None:
    done = _generate(checkout, folder, "--dry-run", "--key-size", "3072", "--domain", "example.org")
    assert "genrsa -out server.key 3072" in done.stdout
    assert "CN=server.example.org" in done.stdout


def test_the_exit_code_of_the_program_is_the_scripts(checkout: Path, folder: Path) -> None:
    done = _generate(checkout, folder, "--country", "XYZ")
    assert done.returncode == 6
    assert "'XYZ' (option --country)" in done.stderr
    assert [*folder.iterdir()] == []


def test_an_emptied_value_of_the_block_is_not_replaced_by_a_default(
    checkout: Path, folder: Path
) -> None:
    for name in ("COUNTRY", "ORG", "DOMAIN", "CERT_DAYS"):
        _edit(checkout, name, "")
    done = _generate(checkout, folder)
    assert done.returncode == 6
    for option in ("--country", "--org", "--domain", "--cert-days"):
        assert f"'' (option {option})" in done.stderr


def test_a_file_of_the_current_folder_is_not_taken_for_a_module(
    checkout: Path, folder: Path
) -> None:
    (folder / "typer.py").write_text("raise SystemExit(99)\n", encoding="ascii")
    assert _generate(checkout, folder, "--dry-run").returncode == 0


def test_where_there_is_no_python_the_script_says_how_to_get_one(
    bare: Path, folder: Path, tmp_path: Path
) -> None:
    done = _generate(bare, folder, env={"PATH": _path_with_an_old_python(tmp_path)})
    assert done.returncode == 1
    assert "no Python 3.11 or newer on the PATH" in done.stderr
    assert "https://www.python.org/downloads/" in done.stderr
    # A console of Windows has its own code page, which the file itself does not know.
    assert WINDOWS or "解决办法" in done.stderr
    assert not (bare / ".venv").exists()


def _path_with_an_old_python(tmp_path: Path) -> str:
    old = tmp_path / "old"
    old.mkdir()
    if WINDOWS:
        (old / "python.bat").write_bytes(b"@exit /b 1\r\n")
        return f"{old};{os.environ['SYSTEMROOT']}\\system32"
    _stand_in(old, "python3", "exit 1")
    _only(old, "cat", "dirname")
    return str(old)


@pytest.mark.windows
@pytest.mark.parametrize(
    ("started", "pauses"),
    [('cmd.exe /c ""{}" "', True), ('cmd.exe /c ""{}""', False), ('"cmd.exe" ', False)],
    ids=["by Explorer", "by PowerShell", "by hand"],
)
def test_it_waits_for_a_key_only_when_it_was_double_clicked(
    bare: Path, folder: Path, tmp_path: Path, started: str, pauses: bool
) -> None:
    # A variable of that name is taken for the command line that cmd.exe was started with.
    line = started.format(bare / "scripts" / "generate_certs.bat")
    path = _path_with_an_old_python(tmp_path)
    done = _generate(bare, folder, env={"PATH": path, "CMDCMDLINE": line})
    assert done.returncode == 1
    assert bool(done.stdout.strip()) == pauses


@pytest.fixture
def requirement(bare: Path, tmp_path: Path) -> Mapping[str, str]:
    """Let a checkout need one package, which pip finds in a folder; what tells pip so."""
    (bare / "pyproject.toml").write_text(
        '[project]\ndependencies = ["stand-in"]\n', encoding="ascii"
    )
    about = "stand_in-1.dist-info"
    with zipfile.ZipFile(tmp_path / "stand_in-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("stand_in.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: stand-in\nVersion: 1\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return {**OFFLINE, "PIP_FIND_LINKS": tmp_path.as_uri()}


def _set_up(
    checkout: Path, env: Mapping[str, str], *, exit_code: int = 0
) -> subprocess.CompletedProcess[str]:
    script = checkout / "scripts" / "prepare.py"
    return ran(BASE_PYTHON, "-I", script, cwd=checkout.parent, env=env, exit_code=exit_code)


@pytest.mark.posix
def test_an_environment_that_was_cut_off_half_made_is_made_anew(
    bare: Path, requirement: Mapping[str, str]
) -> None:
    prepare = _prepare(bare)
    prepare.ENVIRONMENT.mkdir()
    prepare.UNFINISHED.touch()
    (prepare.ENVIRONMENT / "half").touch()
    for extra in ("", "test"):
        prepare._marker(extra).write_bytes(prepare._state())
    assert not prepare._is_ready("")

    _set_up(bare, requirement)
    assert prepare._is_ready("")
    assert not prepare._is_ready("test")
    assert not (prepare.ENVIRONMENT / "half").exists()
    ran(prepare.PYTHON, "-c", "import stand_in, mtls_openssl", cwd=bare.parent)


@pytest.mark.posix
def test_a_new_requirement_is_added_to_the_environment_that_there_is(
    checkout: Path, requirement: Mapping[str, str]
) -> None:
    prepare = _prepare(checkout)
    assert not prepare._is_ready("")

    _set_up(checkout, requirement)
    assert prepare._is_ready("")
    ran(prepare.PYTHON, "-c", "import stand_in, typer", cwd=checkout.parent)


@pytest.mark.posix
def test_without_a_network_the_set_up_says_so_and_nothing_counts_as_ready(
    checkout: Path, requirement: Mapping[str, str]
) -> None:
    done = _set_up(checkout, {**requirement, "PIP_FIND_LINKS": ""}, exit_code=1)
    assert "pip could not install the packages that are needed: stand-in" in done.stderr
    assert "connect to the Internet" in done.stderr
    assert "连接到互联网" in done.stderr
    assert not _prepare(checkout)._is_ready("")


def test_a_python_without_ensurepip_is_told_where_debian_keeps_it(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match=r"apt-get install python3\.\d+-venv"):
        _prepare(bare).main([])


def test_the_tests_exit_code_is_the_scripts(checkout: Path, tmp_path: Path) -> None:
    path = os.environ["PATH"] if WINDOWS else _path_of_a_machine(tmp_path, lacking="")
    done = _run(checkout / "scripts" / "test", "no_such_test.py", cwd=tmp_path, env={"PATH": path})
    assert done.returncode == 4, done.stderr
    assert "no_such_test.py" in done.stderr


@pytest.mark.posix
def test_debians_root_gets_the_programs_that_the_tests_need_installed(
    checkout: Path, tmp_path: Path
) -> None:
    path = _path_of_a_machine(tmp_path, lacking="certtool", user=0)
    done = _run(checkout / "scripts" / "test", "--version", cwd=tmp_path, env={"PATH": path})
    assert done.returncode == 0, done.stderr
    assert "apt-get update\napt-get install -y gnutls-bin\n" in done.stdout


@pytest.mark.posix
def test_anybody_else_is_told_the_command_that_installs_them(
    checkout: Path, tmp_path: Path
) -> None:
    path = _path_of_a_machine(tmp_path, lacking="keytool", user=1000)
    done = _run(checkout / "scripts" / "test", "--version", cwd=tmp_path, env={"PATH": path})
    assert "sudo apt-get install -y default-jre-headless\n" in done.stderr
    assert "apt-get" not in done.stdout


TOOLS = {
    "openssl", "certtool", "keytool", "nginx", "curl", "certutil", "update-ca-certificates",
    "chromium", "ssh", "sshd",
}  # fmt: skip
"""What `test.sh` looks for."""


def _path_of_a_machine(tmp_path: Path, *, lacking: str, user: int = 0) -> str:
    """A PATH with what `test.sh` looks for, but for the program `lacking`."""
    programs = tmp_path / "programs"
    programs.mkdir()
    _only(programs, "cat", "dirname")
    for name in {*TOOLS, "python3"} - {lacking}:
        _stand_in(programs, name, "exit 0")
    _stand_in(programs, "id", f"echo {user}")
    _stand_in(programs, "apt-get", 'echo "apt-get $*"')
    return str(programs)


def _only(folder: Path, *names: str) -> None:
    for name in names:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)


def _stand_in(folder: Path, name: str, line: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="ascii")
    (folder / name).chmod(0o755)
