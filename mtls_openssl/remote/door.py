"""The door to another host: plumbum's SshMachine, which is imported here for it alone.

It is behind `process.Door`, so that time limits, the end of all that was started, and the audit
line are those of every other command.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plumbum

from mtls_openssl.process import Door
from mtls_openssl.remote.address import Address

SAFE = (
    "-T", "-x", "-a", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
    "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
    "-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no",
)  # fmt: skip
"""What ssh is always told (ssh_config(5)): to ask nobody, to go to no host that it does not know,
to lend it neither agent nor display, and to notice when it is gone."""

_WANTED = (
    "HOME", "USER", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "KRB5CCNAME", "TMPDIR",
    "SystemRoot", "SystemDrive", "USERPROFILE", "USERNAME", "HOMEDRIVE", "HOMEPATH",
    "LOCALAPPDATA", "APPDATA", "ProgramData", "TEMP", "TMP",
)  # fmt: skip


class _Machine(plumbum.SshMachine):
    """An SshMachine without the shell that the original opens at once, to ask what has no line."""

    def __init__(self, ssh: Path, options: Sequence[str], target: str) -> None:
        # A bound command shows its environment in its repr: nothing secret is among these.
        environment = {name: os.environ[name] for name in _WANTED if name in os.environ}
        program = plumbum.local[os.fspath(ssh)].with_env(**environment, LC_ALL="C")
        self.host = target
        self._fqhost = target
        self._ssh_command = program[tuple(options)]


def options(address: Address, config: Path | None) -> tuple[str, ...]:
    """The arguments of ssh before the host.

    Args:
        address: whom it is to reach.
        config: the file of configuration that it reads instead of the user's; None for that.
    """
    file = ("-F", os.fspath(config.absolute())) if config else ()
    port = ("-p", str(address.port)) if address.port else ()
    return (*file, *SAFE, *port)


def door(ssh: Path, address: Address, config: Path | None) -> Door:
    """A door whose commands run on another host.

    Args:
        ssh: the program.
        address: whom it is to reach.
        config: as for `options`.

    Returns:
        The door; of what its `run` is given, the last argument is the line for the host's shell.
    """
    machine = _Machine(ssh, options(address, config), str(address))

    def starting(
        _executable: Path, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], **more: Any
    ) -> Any:
        del cwd, env  # those of this side
        line = argv[-1] if os.name == "nt" else os.fsdecode(argv[-1].encode())
        return machine.popen(line, cwd="", **more)

    return Door(starting)
