"""How cmd takes a line apart: continuation, quotes, carets, `&`, redirection. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

_COMMENT = re.compile(r"\s*@?\s*(::|rem(\s|$))", re.IGNORECASE)
_REDIRECTION = re.compile(r"([0-9]?)(>>?|<)\s*(\"[^\"]*\"|[^\s\"&|<>()]+|&\d)")
_STRUCTURE = re.compile(r"\)?\s*(if|for|else)\b", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Line:
    """A line, with all that continues it.

    Args:
        number: the number of its first line in the file, from 1.
        text: its text, without the carets that continue it.
    """

    number: int
    text: str


@dataclasses.dataclass(frozen=True)
class Statement:
    """One command of a line.

    Args:
        text: the command, with its quotes and carets.
        after: what stands between it and the one before: `&`, `&&`, `||`, `|`, or nothing.
    """

    text: str
    after: str = ""


def lines(text: str) -> Iterator[Line]:
    """The lines of a batch file without its comments, those that a caret continues as one."""
    number, held = 0, ""
    for place, line in enumerate(re.split("\r\n|\n|\r", text), start=1):
        if not held and _COMMENT.match(line):
            continue
        number = number if held else place
        carets = len(line) - len(line.rstrip("^"))
        if carets % 2:
            held += line[:-1] or " "
            continue
        whole, held = held + line, ""
        if whole.strip():
            yield Line(number, whole.strip())
    if held.strip():
        yield Line(number, held.strip())


def statements(text: str) -> Iterator[Statement]:
    """The commands of a line, taken apart at `&`, `&&`, `||` and `|` outside quotes."""
    start, after = 0, ""
    marks = list(_special(text, "&|"))
    place = 0
    while place < len(marks):
        at = marks[place]
        double = place + 1 < len(marks) and marks[place + 1] == at + 1
        end = at + (2 if double else 1)
        # 2>&1 is a redirection.
        if text[at] == "&" and text[:at].endswith((">", "<")):
            place += 1
            continue
        yield Statement(text[start:at].strip(), after)
        start, after = end, text[at:end]
        place += 2 if double else 1
    yield Statement(text[start:].strip(), after)


def redirected(text: str) -> tuple[str, str, bool]:
    """A command without its redirections; the file that it writes to; whether it adds to that."""
    target, adds, cut = "", False, list[tuple[int, int]]()
    for at in _special(text, "<>"):
        if cut and at < cut[-1][1]:
            continue
        start = (
            at - 1 if at and text[at - 1].isdigit() and text[at - 2 : at - 1] in {"", " "} else at
        )
        found = _REDIRECTION.match(text, start)
        if not found:
            continue
        cut.append(found.span())
        name = found[3].strip('"')
        if found[2] != "<" and found[1] in {"", "1"} and name.lower() != "nul":
            target, adds = name, found[2] == ">>"
    for first, last in reversed(cut):
        text = text[:first] + text[last:]
    return text.rstrip(), target, adds


def unescaped(text: str) -> str:
    """A text without the carets that stand outside quotes."""
    found: list[str] = []
    quoted, escaped = False, False
    for letter in text:
        if not escaped and letter == "^" and not quoted:
            escaped = True
            continue
        if letter == '"' and not escaped:
            quoted = not quoted
        escaped = False
        found.append(letter)
    return "".join(found)


def words(text: str) -> tuple[str, ...]:
    """The words of a command, as a program gets them (Microsoft C++, "Parsing C arguments")."""
    found: list[str] = []
    word, quoted, begun = "", False, False
    letters = unescaped(text)
    place = 0
    while place < len(letters):
        letter = letters[place]
        if letters.startswith('\\"', place):
            word, begun, place = word + '"', True, place + 1
        elif letter == '"':
            quoted, begun = not quoted, True
        elif letter in " \t" and not quoted:
            if begun:
                found.append(word)
            word, begun = "", False
        else:
            word, begun = word + letter, True
        place += 1
    return (*found, word) if begun else tuple(found)


def block(found: Sequence[Line], start: int) -> int:
    """Where the block ends that the line `start` opens: the line with its closing bracket."""
    depth = 0
    for place in range(start, len(found)):
        text = found[place].text.lstrip("@ \t")
        depth -= sum(1 for _at in _special(text, ")"))
        if _STRUCTURE.match(text):
            depth += sum(1 for _at in _special(text, "("))
        elif text.startswith("(") or text.endswith("("):
            depth += 1
        if depth <= 0:
            return place
    return len(found) - 1


def inside(block: Sequence[Line]) -> tuple[list[Line], str]:
    """The lines in a block, and what stands behind its closing bracket.

    Args:
        block: from the line that opens it to the one that closes it; what stands before the opening
            bracket is left out.
    """
    first, *others = block
    if not others:
        return [], ""
    *others, last = others
    opened = next(iter(reversed(list(_special(first.text, "(")))), 0)
    closed = next(_special(last.text, ")"), len(last.text))
    within = [
        Line(first.number, first.text[opened + 1 :].strip()),
        *others,
        Line(last.number, last.text[:closed].strip()),
    ]
    return [line for line in within if line.text], last.text[closed + 1 :].strip()


def _special(text: str, marks: str) -> Iterator[int]:
    quoted, escaped = False, False
    for place, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == '"':
            quoted = not quoted
        elif letter == "^" and not quoted:
            escaped = True
        elif letter in marks and not quoted:
            yield place
