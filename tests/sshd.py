"""A real sshd on loopback, as another host: its own keys, its own home."""

from __future__ import annotations

import functools
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

_SESSION = """\
#!/bin/sh
cd '{home}' || exit 99
echo "$SSH_ORIGINAL_COMMAND" >> '{asked}'
{before}
sh -c "$SSH_ORIGINAL_COMMAND" > '{sent}.out.'$$ 2> '{sent}.err.'$$
code=$?
cat '{sent}.out.'$$
cat '{sent}.err.'$$ >&2
exit $code
"""
TOOLS = (
    "sh", "uname", "mkdir", "cat", "find", "rm", "mv", "chmod", "wc", "df", "rmdir", "kill",
)  # fmt: skip


class Host:
    """Another host.

    Args:
        folder: for all that belongs to it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.home = folder / "home of 主机"
        self.home.mkdir(parents=True)
        self.asked = folder / "asked"
        (folder / "sent").mkdir()
        self.port = _free_port()
        for name, content in _keys().items():
            (folder / name).touch(0o600)
            (folder / name).write_bytes(content)
        (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
        self.knows(folder / "host.pub")
        self.behaves("")
        self._configure()
        if os.geteuid() == 0:  # where it locks itself in; a package's start script makes it
            Path("/run/sshd").mkdir(exist_ok=True)
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [str(shutil.which("sshd")), "-D", "-e", "-f", folder / "sshd_config"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self._wait()

    @property
    def words(self) -> tuple[str, ...]:
        """The options that name it."""
        address = f"{getpass.getuser()}@127.0.0.1:{self.port}"
        return ("--ssh", address, "--ssh-config", str(self._folder / "ssh_config"))

    def behaves(self, before: str) -> None:
        """Have its sessions do something before what they are asked."""
        session = self._folder / "session"
        new = session.with_name("session.new")
        text = _SESSION.format(
            home=self.home, asked=self.asked, sent=self._folder / "sent" / "by", before=before
        )
        new.write_text(text, "utf-8")
        new.chmod(0o755)
        new.replace(session)

    def cuts(self, word: str, *, after: bool = False, for_good: bool = False) -> None:
        """Have it cut the connection when a command has a word in it."""
        first = 'sh -c "$SSH_ORIGINAL_COMMAND" >/dev/null;' if after else ""
        down = f"touch '{self._folder}/down';" if for_good else ""
        self.behaves(
            f"[ -e '{self._folder}/down' ] && kill -9 $PPID\n"
            f'case "$SSH_ORIGINAL_COMMAND" in *"{word}"*) {first} {down} kill -9 $PPID; exit;; esac'
        )

    def has_only(self, *tools: str) -> None:
        """Have it lack every program but these."""
        folder = self._folder / "bin"
        folder.mkdir()
        for tool in tools:
            if found := shutil.which(tool):
                (folder / tool).symlink_to(found)
        self.behaves(f"PATH='{folder}'; export PATH")

    def knows(self, key: Path) -> None:
        """What is known here of its host key; nothing for a file that is not there."""
        known = self._folder / "known_hosts"
        words = key.read_text() if key.exists() else ""
        known.write_text(f"[127.0.0.1]:{self.port} {words}" if words else "")

    def uses(self, key: str) -> None:
        """Which key this side shows."""
        self._configure(key)

    @property
    def sent(self) -> str:
        """All that it has ever sent to this side."""
        return "".join(
            path.read_text("utf-8", "replace") for path in (self._folder / "sent").iterdir()
        )

    def files(self) -> set[str]:
        """Every file and folder that is there now, below its home."""
        return {str(path.relative_to(self.home)) for path in self.home.rglob("*")}

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

    def _configure(self, key: str = "user") -> None:
        folder = self._folder
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nUseDNS no\nHostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
            # A bash that sshd starts begins with ~/.bashrc of whoever runs the tests, unless it
            # believes that another shell has started it.
            f"ForceCommand {folder}/session\nSetEnv SHLVL=1\n"
        )
        (folder / "ssh_config").write_text(
            f"KexAlgorithms curve25519-sha256\nIdentityFile {folder}/{key}\n"
            "IdentitiesOnly yes\nIdentityAgent none\n"
            f"UserKnownHostsFile {folder}/known_hosts\nGlobalKnownHostsFile none\n"
        )

    def _wait(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError((self._folder / "log").read_text("utf-8", "replace"))


@functools.cache
def _keys() -> Mapping[str, bytes]:
    """The files of the keys of every host, and of who comes to it."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("host", "user", "stranger"):
            file = Path(folder) / name
            command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
            subprocess.run(command, check=True)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(name="host")
def host_fixture(tmp_path: Path) -> Iterator[Host]:
    """A host that this side knows, and that lets it in."""
    host = Host(tmp_path / "host")
    yield host
    host.stop()
