"""Windows PowerShell's script language, taken apart far enough to see what a script would run.

Only what our own scripts may hold is known: anything else is a SyntaxError.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

QUOTES = "'\u2018\u2019\u201a\u201b"
"""What opens and closes a literal; doubled, one of itself (about_Quoting_Rules)."""

KEYWORDS = {
    "param", "function", "return", "throw", "try", "catch", "finally", "if", "else", "switch",
    "default", "foreach", "in", "continue", "exit",
}  # fmt: skip
_CLOSING = {")": "(", "}": "{", "]": "["}
_PATTERNS = (
    ("comment", re.compile(r"#[^\n]*")),
    ("blank", re.compile(r"[ \t\r]+")),
    ("expandable", re.compile(r'"[^"`$\n]*"')),
    ("variable", re.compile(r"\$(?:script:)?(?:[A-Za-z_][A-Za-z0-9_]*|_)")),
    ("bracket", re.compile(r"[@$]?[({]|[)}\[\]]")),
    ("number", re.compile(r"(?:0x[0-9A-Fa-f]+|[0-9]+)\b")),
    ("dash", re.compile(r"-[A-Za-z]+")),
    ("word", re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9]+)?")),
    ("end", re.compile(r"[\n;|]")),
    ("operator", re.compile(r"::|[=+.,&!]")),
)


@dataclasses.dataclass(frozen=True)
class Token:
    """A part of a script; `text` of a literal is what it stands for."""

    kind: str
    text: str


def tokens(script: str) -> Iterator[Token]:
    """Every part of `script` but comments and blanks.

    Raises:
        SyntaxError: a string has no end, brackets do not match, or something is none of these.
    """
    opened: list[str] = []
    at = 0
    while at < len(script):
        if script[at] in QUOTES:
            token, at = _literal(script, at)
            yield token
            continue
        kind, text = _plain(script, at)
        at += len(text)
        if kind == "bracket":
            _balance(opened, text[-1])
        if kind not in {"comment", "blank"}:
            yield Token(kind, text)
    if opened:
        raise SyntaxError(f"not closed: {opened}")


def _plain(script: str, at: int) -> tuple[str, str]:
    for kind, pattern in _PATTERNS:
        if found := pattern.match(script, at):
            return kind, found[0]
    raise SyntaxError(f"what is this: {script[at : at + 40]!r}")


def _literal(script: str, start: int) -> tuple[Token, int]:
    text, at = "", start + 1
    while at < len(script):
        if script[at] not in QUOTES:
            text, at = text + script[at], at + 1
        elif script[at + 1 : at + 2] and script[at + 1] in QUOTES:
            text, at = text + script[at], at + 2
        else:
            return Token("literal", text), at + 1
    raise SyntaxError(f"not closed: {script[start : start + 40]!r}")


def _balance(opened: list[str], bracket: str) -> None:
    if bracket in "({[":
        opened.append(bracket)
    elif not opened or opened.pop() != _CLOSING[bracket]:
        raise SyntaxError(f"not opened: {bracket}")


def commands(script: str) -> set[str]:
    """Every command that `script` names, and every function it defines."""
    found = list(tokens(script))
    named, starts = set[str](), True
    for token, after in zip(found, [*found[1:], Token("end", "")], strict=True):
        is_key = after.text == "="
        if token.kind == "word" and token.text not in KEYWORDS and not is_key:
            named |= {token.text} if starts or "-" in token.text else set()
        starts = token.kind == "end" or (token.kind == "bracket" and token.text[-1] in "({")
    return named


def functions(script: str) -> set[str]:
    """Every function that `script` defines."""
    found, after = set[str](), False
    for token in tokens(script):
        if after:
            found.add(token.text)
        after = token == Token("word", "function")
    return found


def literals(script: str) -> list[str]:
    """What the literals of `script` stand for, in their order."""
    return [token.text for token in tokens(script) if token.kind == "literal"]
