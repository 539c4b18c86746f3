"""Follows a batch file from its first line to its last, as cmd would in an empty folder.

Nothing is run: what is left in the end are the commands that call openssl, with every variable
filled in, and the files that `echo` writes for them.
"""

from __future__ import annotations

import dataclasses
import functools
import ntpath
import re
from collections.abc import Mapping, Sequence

from mtls_openssl.batfile import syntax
from mtls_openssl.batfile.expansion import Variables
from mtls_openssl.batfile.left import Left, shown
from mtls_openssl.batfile.syntax import Line
from mtls_openssl.language import Text, _

_MOST_STEPS = 10_000
_DEEPEST = 20
# They talk, wait, tidy up, or say where they are: a set is none the worse without them.
_NEEDLESS = {
    *("setlocal", "endlocal", "pause", "cls", "title", "color", "chcp", "exit", "cd", "chdir"),
    *("pushd", "popd", "del", "erase", "timeout", "choice", "echo", "ver", "prompt", "shift"),
    *("where", "mode"),
}
_SET = re.compile(r"set\s+(/[ap]\s+)?(.*)", re.IGNORECASE | re.DOTALL)
_FOR = re.compile(r"for\s+%%(\w)\s+in\s*\(([^)]*)\)\s*do\s*(.*)", re.IGNORECASE | re.DOTALL)
_IF = re.compile(r"if\s+(/i\s+)?(not\s+)?(.*)", re.IGNORECASE | re.DOTALL)
_EXIST = re.compile(r"exist\s+(\"[^\"]*\"|\S+)\s*(.*)", re.IGNORECASE | re.DOTALL)
_ERROR_LEVEL = re.compile(r"%?!?errorlevel", re.IGNORECASE)
_CALL = re.compile(r"call\s+:([\w-]+)\s*(.*)", re.IGNORECASE)
_GOTO = re.compile(r"goto\s*:?\s*(\w+)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Command:
    """A command that calls openssl.

    Args:
        line: the number of its line in the file.
        words: openssl's arguments, every variable filled in.
        text: the command as it was then.
        files: the lines of each file that `echo` had written by then, by name.
    """

    line: int
    words: tuple[str, ...]
    text: str
    files: Mapping[str, tuple[Line, ...]]


@dataclasses.dataclass(frozen=True)
class Ran:
    """What is left of a batch file.

    Args:
        commands: those that call openssl, in order.
        variables: the variables at the end.
        left: what can't be carried over.
    """

    commands: tuple[Command, ...]
    variables: Variables
    left: tuple[Left, ...]


def run(text: str) -> Ran:
    """Follow a batch file.

    Args:
        text: its content.
    """
    machine = _Machine(tuple(syntax.lines(text)))
    machine.all_()
    return Ran(
        tuple(machine.commands),
        machine.variables,
        tuple(machine.left),
    )


def bare(path: str) -> str:
    """The name of a file without its folder: all files of a set lie in one."""
    return ntpath.basename(path.strip().strip('"'))


class _Machine:
    def __init__(self, lines: tuple[Line, ...]) -> None:
        self.commands: list[Command] = []
        self.files: dict[str, list[Line]] = {}
        self.variables = Variables()
        self.left: list[Left] = []
        self._lines = lines
        self._steps = 0

    def all_(self) -> None:
        self._block(self._lines, (), 0)

    def _block(self, lines: Sequence[Line], arguments: Sequence[str], depth: int) -> bool:
        """Follow some lines; whether it goes on after them."""
        place = 0
        while place < len(lines):
            line = lines[place]
            self._steps += 1
            if self._steps > _MOST_STEPS:
                return False
            if line.text.startswith(":"):
                place += 1
                continue
            last = place
            bare_text = line.text.lstrip("@ \t")
            if bare_text.startswith("(") or bare_text.endswith("("):
                last = syntax.block(lines, place)
            if not self._step(lines[place : last + 1], bare_text, arguments, depth):
                return False
            place = last + 1
        return True

    def _step(self, lines: Sequence[Line], text: str, arguments: Sequence[str], depth: int) -> bool:
        number = lines[0].number
        self.variables.unknown.clear()
        if loop := _FOR.match(text):
            return self._loop(lines, loop, arguments, depth)
        if text.lower().startswith("for"):
            self._leave(number, text, _("a loop over something that is known only when it runs"))
            return True
        if len(lines) > 1 and not text.lower().startswith("if"):
            return self._group(lines, arguments, depth)
        if condition := _IF.match(text):
            return self._condition(lines, condition, arguments, depth)
        expanded = self.variables.expanded(text, arguments)
        if expanded.startswith("(") and ")" in expanded:
            return self._short_group(number, expanded, arguments, depth)
        for statement in syntax.statements(expanded):
            if statement.after == "||":
                continue  # what is done when something fails
            if statement.after == "|":
                self._leave(number, text, _("it is fed by another command"))
                continue
            if not self._command(number, statement.text, depth):
                return False
        return True

    def _group(self, lines: Sequence[Line], arguments: Sequence[str], depth: int) -> bool:
        """A block in brackets, all of whose output may go to one file."""
        within, behind = syntax.inside(lines)
        _rest, target, adds = syntax.redirected(self.variables.expanded(behind, arguments))
        if not target:
            return self._block(within, arguments, depth)
        written = self._file(target, adds=adds)
        for line in within:
            for statement in syntax.statements(self.variables.expanded(line.text, arguments)):
                self._echo(line.number, statement.text, written)
        return True

    def _short_group(self, number: int, text: str, arguments: Sequence[str], depth: int) -> bool:
        """A block in brackets on a single line."""
        inside, _bracket, behind = text[1:].rpartition(")")
        _rest, target, adds = syntax.redirected(behind)
        if not target:
            return self._block([Line(number, inside.strip())], arguments, depth)
        written = self._file(target, adds=adds)
        for statement in syntax.statements(inside):
            self._echo(number, statement.text, written)
        return True

    def _loop(
        self, lines: Sequence[Line], loop: re.Match[str], arguments: Sequence[str], depth: int
    ) -> bool:
        body = [Line(lines[0].number, loop[3].strip("() "))]
        if len(lines) > 1:
            body, _behind = syntax.inside(lines)
        for word in re.split(r"[\s,;]+", self.variables.expanded(loop[2], arguments).strip()):
            variable, value = f"%%~?{loop[1]}", functools.partial(_constant, word.strip('"'))
            each = [Line(line.number, re.sub(variable, value, line.text)) for line in body]
            if not self._block(each, arguments, depth):
                return False
        return True

    def _condition(
        self, lines: Sequence[Line], found: re.Match[str], arguments: Sequence[str], depth: int
    ) -> bool:
        number, text = lines[0].number, lines[0].text
        exists = _EXIST.match(found[3])
        if exists:
            # In an empty folder, nothing exists.
            if not found[2]:
                return True
            if len(lines) == 1:
                return self._block([Line(number, exists[2].strip("() "))], arguments, depth)
            # What stands under `else` is not for an empty folder.
            ends = [place for place, line in enumerate(lines) if line.text.startswith(")")]
            body, _behind = syntax.inside(lines[: ends[0] + 1] if ends else lines)
            return self._block(body, arguments, depth)
        whole = " ".join(line.text for line in lines)
        if not _ERROR_LEVEL.search(found[3]) or "openssl" in whole.lower():
            self._leave(number, text, _("a condition that is known only when it runs"))
        return True

    def _command(self, number: int, text: str, depth: int) -> bool:
        text = text.lstrip("@ \t")
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1].strip()
        later = self.variables.later(text)
        bare_text, target, adds = syntax.redirected(later)
        name = bare_text.partition(" ")[0].lower()
        if not name or name in {")", "rem"}:
            return True
        if target and re.match(r"echo\b", bare_text, re.IGNORECASE):
            self._echo(number, bare_text, self._file(target, adds=adds))
            return True
        if call := _CALL.match(bare_text):
            return self._call(number, call, depth)
        if goto := _GOTO.match(bare_text):
            if goto[1].lower() != "eof":
                self._leave(number, text, _("a jump, which is not followed"))
            return goto[1].lower() != "eof"
        if name == "exit":
            return False
        if name == "set" or name.startswith("set/"):
            self._set(number, bare_text)
            return True
        if name == "setlocal":
            self.variables.delayed |= "enabledelayedexpansion" in bare_text.lower()
        self._program(number, bare_text, name)
        return True

    def _program(self, number: int, text: str, name: str) -> None:
        words = syntax.words(text)
        if words[:1] == ("call",):
            words = words[1:]
        if not words:
            return
        program = ntpath.splitext(bare(words[0]))[0].lower()
        if program == "openssl":
            self._tell_unknown(number, text)
            files = {name: tuple(lines) for name, lines in self.files.items()}
            self.commands.append(Command(number, words[1:], text, files))
        elif not re.match(r"echo\b", name) and program not in _NEEDLESS:
            self._leave(number, text, _("it is no command of openssl"))

    def _call(self, number: int, call: re.Match[str], depth: int) -> bool:
        starts = [
            place
            for place, line in enumerate(self._lines)
            if line.text.lower().startswith(f":{call[1].lower()}")
            and line.text[1:].split()[:1] == [line.text[1 : 1 + len(call[1])]]
        ]
        if not starts or depth >= _DEEPEST:
            self._leave(number, call[0], _("a call that can't be followed"))
            return True
        self._block(self._lines[starts[0] + 1 :], syntax.words(call[2]), depth + 1)
        return True

    def _set(self, number: int, text: str) -> None:
        found = _SET.match(text)
        if not found:
            return
        kind, assignment = (found[1] or "").strip().lower(), found[2].strip()
        if assignment.startswith('"') and '"' in assignment[1:]:
            assignment = assignment[1 : assignment.rindex('"')]
        name, equals, value = syntax.unescaped(assignment).partition("=")
        if kind == "/p":
            self._leave(number, text, _("it asks for {name} when it runs", name=name.strip()))
            return
        if kind == "/a":
            result = self.variables.summed(value)
            if result is None:
                self._leave(number, text, _("a sum that is too much here"))
                return
            value = result
        if equals:
            self._tell_unknown(number, text)
            # The blanks at its end would be part of the value, which nobody wants.
            self.variables.set(name, value.rstrip())

    def _echo(self, number: int, text: str, written: list[Line]) -> None:
        said = re.match(r"@?\s*echo(?:[.,:;/\\(=+\[\]]|\s|$)(.*)", text, re.IGNORECASE | re.DOTALL)
        if said is None:
            self._leave(number, text, _("it writes to a file in a way that is not known here"))
            return
        self._tell_unknown(number, text)
        words = syntax.unescaped(self.variables.later(said[1])).strip()
        written.append(Line(number, words))

    def _file(self, target: str, *, adds: bool) -> list[Line]:
        name = bare(target).lower()
        if not adds or name not in self.files:
            self.files[name] = []
        return self.files[name]

    def _tell_unknown(self, number: int, text: str) -> None:
        for name in sorted(self.variables.unknown):
            self._leave(
                number, text, _("what {name} stands for is known only when it runs", name=name)
            )
        self.variables.unknown.clear()

    def _leave(self, number: int, text: str, why: Text) -> None:
        self.left.append(Left(number, shown(text), why))


def _constant(text: str, _found: re.Match[str]) -> str:
    return text
