"""Asks another host, and understands what went wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from mtls_openssl.errors import (
    CommandFailedError,
    FolderUnavailableError,
    MtlsError,
    NotProvenError,
    OpensslNotFoundError,
    SettingRefusedError,
    UnreachableError,
)
from mtls_openssl.language import Text, _
from mtls_openssl.process import Door
from mtls_openssl.remote import door as doors
from mtls_openssl.remote import lines
from mtls_openssl.remote.address import Address
from mtls_openssl.scripting import prompt
from mtls_openssl.steps import Command, Ending, Kind, Outcome

Teller = Callable[[Command, Door], Outcome]
"""Runs a command through a door, and writes its line."""

_LOST = 255
"""What ssh ends with when it has failed itself (ssh(1), exit status)."""
_LIMIT = 60.0


class Host:
    """Another host.

    Args:
        ssh: the program.
        address: whom it is to reach.
        config: ssh's file of configuration; None for the user's own.

    Attributes:
        tell: runs a command and writes its line; to be set before anything is asked.
    """

    def __init__(self, ssh: Path, address: Address, config: Path | None) -> None:
        self.address = address
        self.tell: Teller
        self._ssh = ssh
        self._config = config

    def ask(self, line: str, purpose: str, *, limit: float = _LIMIT) -> Outcome:
        """Run one line there, to its end.

        Args:
            line: as `lines` makes it.
            purpose: what it is for.
            limit: the time it may take, in seconds.
        """
        argv = (*doors.options(self.address, self._config), str(self.address), line)
        command = Command(
            argv, purpose, Kind.TOOL, program=self._ssh, limit=limit, verdict=True
        )  # fmt: skip
        return self.tell(command, doors.door(self._ssh, self.address, self._config))

    def typed(self, *words: str, program: str = "ssh") -> str:
        """How a person reaches it from here, by the same port and configuration.

        Args:
            words: what is run there; nothing to log in.
            program: `ssh`, or one that takes the same options.
        """
        file = ("-F", os.fspath(self._config)) if self._config else ()
        port = ("-p", str(self.address.port)) if self.address.port else ()
        try:
            return prompt.line(program, *file, *port, str(self.address), *words)
        except SettingRefusedError:  # a file that no command line has room for
            return prompt.line(program, "-F", "FILE", *port, str(self.address), *words)

    def must(self, line: str, purpose: str, *, limit: float = _LIMIT) -> str:
        """Run one line there that has to end well.

        Returns:
            What it printed.

        Raises:
            MtlsError: it did not; which one says why.
        """
        outcome = self.ask(line, purpose, limit=limit)
        if outcome.problem:
            raise self.error(outcome)
        return outcome.finished.stdout

    def error(self, outcome: Outcome) -> MtlsError:
        """What went wrong, for a person."""
        finished, host = outcome.finished, str(self.address)
        said = " | ".join(
            line for line in finished.stderr.strip().splitlines() if not line.startswith("@")
        )[:600]
        if is_lost(outcome):
            return self._unreachable(outcome, said)
        if finished.ending is not Ending.EXITED:
            return CommandFailedError(
                _("ssh ({purpose}) {problem}.", purpose=outcome.command.purpose,
                  problem=outcome.problem)
            )  # fmt: skip
        quoted = _("{host} said: {words}", host=host, words=said or "-")
        match finished.exit:
            case lines.NO_OPENSSL:
                return OpensslNotFoundError(
                    _("There is no openssl on {host}.", host=host),
                    cause=_("the key is made there, by the host's own openssl"),
                    fix=_("install it there, such as: {command}",
                          command=self.typed("sudo", "apt-get", "install", "openssl")),
                )  # fmt: skip
            case lines.IS_THERE:
                file = said.split(" | ")[-1]
                return FolderUnavailableError(
                    _("{file} is on {host} already.", file=file, host=host),
                    cause=_("nothing that is there is replaced"),
                    fix=_("give another name, another --remote-dir, or move it away there"),
                )
            case lines.UNPAIRED:
                return NotProvenError(
                    _("The certificate does not fit the key on {host}.", host=host),
                    cause=quoted,
                    fix=_("run the same command again"),
                )
            case lines.NO_FOLDER | lines.NOT_WRITTEN | lines.NOT_MOVED if not is_full(said):
                return FolderUnavailableError(
                    _("The folder on {host} can't be written.", host=host),
                    cause=quoted,
                    fix=_("name another one with --remote-dir, or another user"),
                )
        if is_full(said):
            return FolderUnavailableError(
                _("The disk of {host} is full.", host=host),
                cause=quoted,
                fix=_("free some space there, or name a folder elsewhere with --remote-dir"),
            )
        return CommandFailedError(
            _("A command on {host} ({purpose}) {problem}.", host=host,
              purpose=outcome.command.purpose, problem=outcome.problem),
            cause=quoted,
            fix=_("its line in the log has all that it said"),
        )  # fmt: skip

    def without_shell(self, outcome: Outcome) -> UnreachableError:
        """That there is no POSIX shell, which is what Windows has none of."""
        said = f"{outcome.finished.stdout} {outcome.finished.stderr}".strip()
        host = str(self.address)
        return UnreachableError(
            _("{host} has no POSIX shell, as on Windows; that is not supported.", host=host),
            cause=_("{host} said: {words}", host=host, words=said or "-"),
            fix=_("there: python -m mtls_openssl csr NAME; then sign what it makes here"),
        )

    def _unreachable(self, outcome: Outcome, said: str) -> UnreachableError:
        host = str(self.address)
        quoted = _("ssh said: {words}", words=said or "-")
        for pattern, cause, fix in _causes(self.typed(), self.typed(program="ssh-copy-id")):
            if re.search(pattern, outcome.finished.stderr):
                return UnreachableError(
                    _("{host} can't be reached: {cause}.", host=host, cause=cause),
                    cause=quoted,
                    fix=fix,
                )
        return UnreachableError(
            _(
                "The connection to {host} was lost ({purpose}).",
                host=host,
                purpose=outcome.command.purpose,
            ),
            cause=quoted,
            fix=_("run the same command again; what was begun there is not used"),
        )


def is_lost(outcome: Outcome) -> bool:
    """Whether the host was not reached, or did not answer to the end."""
    finished = outcome.finished
    return finished.exit == _LOST or finished.ending is Ending.TIMED_OUT


def was_reached(outcome: Outcome) -> bool:
    """Whether the host may have done something, though it may not have answered."""
    said = outcome.finished.stderr
    refused = any(re.search(pattern, said) for pattern, _cause, _fix in _causes())
    return outcome.finished.ending is not Ending.NOT_STARTED and not (is_lost(outcome) and refused)


def is_full(said: str) -> bool:
    """Whether what a host said tells of a disk without room."""
    # df -Pk: the blocks, those that are used, those that are available, and how full it is.
    free = re.search(r"\s\d+\s+\d+\s+(\d+)\s+\d+%", said)
    return "No space left" in said or "quota exceeded" in said or bool(free and int(free[1]) < 64)  # noqa: PLR2004


def _causes(login: str = "", copying: str = "") -> tuple[tuple[str, Text, Text], ...]:
    """What ssh says when it does not come to a host: a pattern, the cause, and the cure.

    Args:
        login: the command that logs in there.
        copying: the command that has it know a key.
    """
    return (
        (
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
            _("the host has another key than the one that is known of it"),
            _("find out why; if it is right, take the old one out: ssh-keygen -R HOST"),
        ),
        (
            "Host key verification failed|No .*host key is known",
            _("its host key is not known here"),
            _(
                "connect once by hand, compare the fingerprint, and accept it: {command}",
                command=login,
            ),
        ),
        (
            "Permission denied",
            _("it does not let this user in without a password, which nobody is asked for here"),
            _("let ssh in with a key: {command}, or an agent", command=copying),
        ),
        (
            "Could not resolve hostname",
            _("there is no host of that name"),
            _("look at the name"),
        ),
        (
            "Connection refused",
            _("nothing listens at that port"),
            _("see that sshd runs there, and at which port: USER@HOST:PORT"),
        ),
        (
            "timed out|No route to host|Network is unreachable",
            _("it does not answer"),
            _("see that it is switched on, and that no firewall is in between"),
        ),
        (
            "Bad configuration option|Can't open user config file",
            _("ssh can't read its configuration"),
            _("mend it, or name another file with --ssh-config"),
        ),
    )
