"""What a script is made of: files to write and commands to run, in order."""

from __future__ import annotations

from mtls_openssl.frozen import dataclass
from mtls_openssl.steps import Command, Join


@dataclass(frozen=True)
class Written:
    r"""A text file that a script writes.

    Args:
        name: its bare name.
        content: what it holds, with `\n` at the end of each line.
    """

    name: str
    content: str


Line = Command | Written | Join
"""One thing that a script does."""


def words(command: Command) -> list[str]:
    """A command as it is typed, its program found on the PATH."""
    return [command.program.stem if command.program else "openssl", *command.argv]


@dataclass(frozen=True)
class Recipe:
    """All that a script does.

    Args:
        lines: what it writes and runs, in order.
        temporary: names of the files it removes when all is done.
        title: what it makes, in a few words.
    """

    lines: tuple[Line, ...]
    temporary: tuple[str, ...]
    title: str

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files it makes, each once: none may be there when it starts.

        A file that is removed at the end is one of them, whoever made it.
        """
        names: list[str] = []
        for line in self.lines:
            if isinstance(line, Command):
                # A register that is brought is carried on.
                names += [*line.writes, *(name for name in line.updates if name not in self.needs)]
            else:
                names.append(line.name)
        return tuple(dict.fromkeys([*names, *self.temporary]))

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the files it reads and does not make, each once: all must be there."""
        made, wanted = set[str](), list[str]()
        for line in self.lines:
            if isinstance(line, Written):
                made.add(line.name)
                continue
            wanted += [
                name
                for name in (line.reads if isinstance(line, Command) else line.parts)
                if name not in made
            ]
            made.update(
                (*line.writes, *line.updates) if isinstance(line, Command) else (line.name,)
            )
        return tuple(dict.fromkeys(wanted))

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of the programs it runs, each once."""
        commands = [line for line in self.lines if isinstance(line, Command)]
        return tuple(dict.fromkeys(words(command)[0] for command in commands))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the environment variables its commands read a password from, each once."""
        commands = [line for line in self.lines if isinstance(line, Command)]
        return tuple(dict.fromkeys(name for command in commands for name in command.secrets))
