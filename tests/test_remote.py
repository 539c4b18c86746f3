"""`client add --ssh`: the key is made on the host that uses it, and is never on this side."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mtls_openssl.errors import UsageError
from mtls_openssl.remote import address
from mtls_openssl.remote.address import Address
from tests.sets import Set
from tests.sshd import TOOLS, Host, host_fixture

__all__ = ["host_fixture"]
pytestmark = [pytest.mark.posix, pytest.mark.tool("sshd")]
SET = """\
profile = "modern"
org = "示例公司"
domain = "example.com"

[[client]]
name = "alice"
p12 = []
"""


@pytest.fixture(name="whole", scope="module")
def whole_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set, made once for all tests."""
    made = Set(tmp_path_factory.mktemp("whole") / "ca")
    made.describe(SET)
    made.must("apply")
    made.must("crl")
    return made.folder


@pytest.fixture(name="ca")
def ca_fixture(tmp_path: Path, whole: Path) -> Set:
    """A copy of it."""
    made = Set(tmp_path / "ca")
    shutil.copytree(whole, made.folder, dirs_exist_ok=True)
    return made


def add(ca: Set, host: Host, *more: str) -> tuple[str, ...]:
    return ("client", "add", "box", *host.words, *more)


def reached(host: Host) -> str:
    """The words after `ssh` by which a person comes to it."""
    _ssh, address, _config, file = host.words
    target, _colon, port = address.rpartition(":")
    return f"-F {file} -p {port} {target}"


def log_of(ca: Set) -> list[dict[str, object]]:
    return [json.loads(line) for line in (ca.folder / "mtls-audit.jsonl").read_text().splitlines()]


@dataclasses.dataclass(frozen=True)
class Added:
    """One that was added, and looked at by several tests.

    Args:
        ca: the set.
        host: the host that it is on.
        there: the folder there.
        before: the files of the set before that.
    """

    ca: Set
    host: Host
    there: Path
    before: Mapping[str, bytes]


@pytest.fixture(name="added", scope="module")
def added_fixture(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Added]:
    folder = tmp_path_factory.mktemp("added")
    ca, host = Set(folder / "ca"), Host(folder / "host")
    shutil.copytree(whole, ca.folder, dirs_exist_ok=True)
    before = ca.files()
    try:
        ca.must(*add(ca, host, "--remote-dir", "钥匙 of 'mine'"))
        yield Added(ca, host, host.home / "钥匙 of 'mine'", before)
    finally:
        host.stop()


def test_the_key_is_made_there_and_the_certificate_is_put_beside_it(added: Added) -> None:
    ca, there = added.ca, added.there

    assert {path.name for path in there.iterdir()} == {"box.key", "box.crt", "box.ca.crt"}
    assert (there / "box.crt").read_bytes() == (ca.folder / "box.crt").read_bytes()
    assert (there / "box.ca.crt").read_bytes() == (ca.folder / "ca.crt").read_bytes()
    assert stat.S_IMODE((there / "box.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(there.stat().st_mode) == 0o700
    public = ca.openssl("pkey", "-in", str(there / "box.key"), "-pubout").strip()
    assert ca.certificate("box").public_key == public
    assert dict(ca.certificate("box").subject)["O"] == "示例公司"
    assert ca.certificate("box").serial in (ca.folder / "index.txt").read_text()


def test_the_key_is_never_on_this_side(added: Added) -> None:
    ca, host = added.ca, added.host
    key = (added.there / "box.key").read_text()
    secret = key.splitlines()[1]
    theirs, all_ = host.home.parent, ca.folder.parent
    ours = [path for path in all_.rglob("*") if path.is_file() and theirs not in path.parents]
    assert ca.changed_since(added.before) == {"box.crt", "index.txt"}
    assert [path for path in ours if secret.encode() in path.read_bytes()] == []
    assert "BEGIN CERTIFICATE REQUEST" in host.sent
    assert secret not in host.sent
    assert "PRIVATE KEY" not in host.sent


def test_every_command_there_has_its_line_with_the_host_in_it(added: Added) -> None:
    ca, host = added.ca, added.host
    lines = [line for line in log_of(ca) if "ssh" in str(line["argv"])[:8]]
    asked = host.asked.read_text().count("sh -c ")
    assert len(lines) == asked == 6
    for line in lines:
        argv = line["argv"]
        assert isinstance(argv, list)
        assert "@127.0.0.1" in argv[-2]
        assert {"BatchMode=yes", "StrictHostKeyChecking=yes"} <= set(argv)
    assert ca.must("audit", "verify").code == 0


def test_a_server_has_its_names_and_its_chain_there(tmp_path: Path, host: Host) -> None:
    ca = Set(tmp_path / "layered")
    ca.describe(
        'profile = "modern"\n[intermediate]\nkey = "P-256"\n[[client]]\nname = "a"\np12 = []'
    )
    ca.must("apply")

    ca.must("server", "add", "web", *host.words, "--dns", "web.example.com", "--key", "P-384")

    there = host.home / "mtls"
    assert (there / "web.chain.crt").read_bytes() == (ca.folder / "web.chain.crt").read_bytes()
    assert ca.openssl(
        "verify", "-CAfile", str(there / "web.ca.crt"), "-untrusted", str(there / "web.chain.crt"),
        "-purpose", "sslserver", "-verify_hostname", "web.example.com", str(there / "web.crt"),
    ).endswith("OK\n")  # fmt: skip


def refused(ca: Set, host: Host, code: int, *said: str, more: tuple[str, ...] = ()) -> None:
    """Adding it fails so, and leaves nothing here or there."""
    here, there = ca.files(), host.files()

    ran = ca.run(*add(ca, host, *more))

    assert ran.code == code, ran.stderr
    for words in said:
        assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "is left on" not in ran.stderr
    assert ca.files() == here
    assert host.files() == there


def test_a_host_without_openssl_is_told_so(ca: Set, host: Host) -> None:
    host.has_only(*TOOLS)

    refused(ca, host, 3, "There is no openssl on", f"ssh {reached(host)} sudo apt-get install")


def test_what_is_there_already_stays(ca: Set, host: Host) -> None:
    (host.home / "mtls").mkdir()
    (host.home / "mtls" / "box.key").write_text("precious")

    refused(ca, host, 7, "box.key is on")


def test_a_folder_that_can_t_be_made_is_told(ca: Set, host: Host) -> None:
    (host.home / "file").write_text("")

    refused(ca, host, 7, "can't be written", more=("--remote-dir", "file/below"))


FULL = "#!/bin/sh\necho 'mkdir: disk: No space left on device' >&2; exit 1\n"


@pytest.fixture(name="disk")
def disk_fixture(host: Host) -> Iterator[Path]:
    """A disk of 64 KB; where none can be mounted, a host that says it is full."""
    disk = host.home / "disk"
    disk.mkdir()
    if os.geteuid() == 0:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", disk], check=True
        )
        yield disk
        subprocess.run(["umount", disk], check=True)
        return
    tools = host.home.parent / "tools"
    tools.mkdir()
    (tools / "mkdir").write_text(FULL)
    (tools / "mkdir").chmod(0o755)
    host.behaves(f"PATH='{tools}':$PATH; export PATH")
    yield disk


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_a_disk_that_is_full_is_told_wherever_that_shows(
    ca: Set, host: Host, disk: Path, pages: int
) -> None:
    (disk / "ballast").write_bytes(bytes((15 - pages) * 4096))

    refused(ca, host, 7, "The disk of", more=("--remote-dir", "disk"))


@pytest.mark.parametrize("word", ["uname", "genpkey", "cat -- box.csr", "box.ca.crt && [", "trap"])
def test_a_connection_that_is_cut_leaves_nothing_here_or_there(
    ca: Set, host: Host, word: str
) -> None:
    host.cuts(word)

    refused(ca, host, 7, "The connection to")


def test_a_connection_that_is_cut_when_all_is_in_place_does_no_harm(ca: Set, host: Host) -> None:
    host.cuts("trap", after=True)

    ca.must(*add(ca, host))

    assert (host.home / "mtls" / "box.crt").read_bytes() == (ca.folder / "box.crt").read_bytes()


def test_what_may_be_in_place_there_is_on_record_here(ca: Set, host: Host) -> None:
    host.cuts("trap", after=True, for_good=True)

    ran = ca.run(*add(ca, host))

    assert (ran.code, "whether they are is not known" in ran.stderr) == (7, True)
    assert f"look: ssh {reached(host)} 'ls -la mtls'" in ran.stderr
    assert ca.certificate("box").serial in (ca.folder / "index.txt").read_text()


def test_what_can_t_be_removed_there_is_told(ca: Set, host: Host) -> None:
    host.cuts("genpkey", for_good=True)

    ran = ca.run(*add(ca, host))

    assert (ran.code, (ca.folder / "box.crt").exists()) == (7, False)
    assert "a private folder is left on" in ran.stderr
    assert [name for name in host.files() if name.endswith((".key", ".crt"))] == []


def test_a_host_that_is_not_known_is_not_trusted(ca: Set, host: Host, tmp_path: Path) -> None:
    host.knows(tmp_path / "nothing")

    refused(ca, host, 7, "its host key is not known here", f"accept it: ssh {reached(host)}")


def test_a_host_with_another_key_is_not_trusted(ca: Set, host: Host) -> None:
    host.knows(host.home.parent / "stranger.pub")

    refused(ca, host, 7, "the host has another key")


def test_a_host_that_does_not_let_us_in_is_not_asked_for_a_password(ca: Set, host: Host) -> None:
    host.uses("stranger")

    refused(ca, host, 7, "does not let this user in", f"ssh-copy-id {reached(host)}")


def test_a_host_that_is_not_there_is_told(ca: Set, host: Host) -> None:
    host.stop()

    refused(ca, host, 7, "nothing listens at that port")


def test_a_host_without_a_posix_shell_is_told_plainly(ca: Set, host: Host) -> None:
    host.behaves("echo \"'sh' is not recognized as an internal or external command\" >&2; exit 1")

    refused(ca, host, 7, "no POSIX shell, as on Windows; that is not supported")


def test_an_authority_that_can_t_sign_leaves_nothing_there(ca: Set, host: Host) -> None:
    (ca.folder / "ca.key").write_text("damaged")

    refused(ca, host, 4)


def test_a_key_on_another_host_can_t_be_packed(ca: Set, host: Host) -> None:
    refused(ca, host, 2, "do not go together", more=("--p12", "modern"))


@pytest.mark.parametrize(
    "text", ["-oProxyCommand=x", "a@-x", "user@", "a b", "a@b;c", "host:0", "host:99999", "[::1"]
)
def test_what_is_no_host_never_comes_to_ssh(text: str) -> None:
    with pytest.raises(UsageError):
        address.parse(text)


def test_a_host_may_have_a_user_and_a_port() -> None:
    assert address.parse("me@host.example:2222") == Address("host.example", "me", 2222)
    assert address.parse("[2001:db8::1]:22") == Address("2001:db8::1", "", 22)
    assert address.parse("alias") == Address("alias")
