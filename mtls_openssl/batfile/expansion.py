"""How cmd fills variables in: %NAME%, %NAME:~0,2%, %NAME:old=new%, !NAME!, %1. Pure."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence

_PERCENT = re.compile(r"%%|%~?[a-zA-Z]*[0-9]|%\*|%([^%:]+)(:[^%]*)?%|%")
_DELAYED = re.compile(r"!([^!:]+)(:[^!]*)?!")
_SLICE = re.compile(r":~(-?\d+)(?:,(-?\d+))?")
_HARMLESS = {"errorlevel"}
_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}
_LONGEST_SUM = 200


class Variables:
    """The variables of a batch file as it runs.

    Attributes:
        delayed: whether `!NAME!` counts (setlocal enabledelayedexpansion).
        unknown: names that were asked for and are known only when it runs.
    """

    def __init__(self) -> None:
        self.delayed = False
        self.unknown: set[str] = set()
        self._values: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """The value of a variable; names know no upper and lower case."""
        return self._values.get(name.strip().lower())

    def set(self, name: str, value: str) -> None:
        """Give a variable a value; an empty one takes it away."""
        self._values.pop(name.strip().lower(), None)
        if value:
            self._values[name.strip().lower()] = value

    def expanded(self, text: str, arguments: Sequence[str] = ()) -> str:
        """A line with everything between percent signs filled in.

        Args:
            text: the line as it stands in the file.
            arguments: what %1 to %9 stand for.
        """

        def fill(found: re.Match[str]) -> str:
            whole = found[0]
            if whole == "%%":
                return "%"
            if found[1]:
                return self._modified(found[1], found[2] or "")
            if whole[-1].isdigit() and int(whole[-1]):
                number = int(whole[-1])
                return arguments[number - 1].strip('"') if number <= len(arguments) else ""
            return ""

        return _PERCENT.sub(fill, text)

    def later(self, text: str) -> str:
        """The same for what stands between exclamation marks, where that counts."""
        if not self.delayed:
            return text
        return _DELAYED.sub(lambda found: self._modified(found[1], found[2] or ""), text)

    def summed(self, expression: str) -> str | None:
        """What `set /a` makes of an expression; None where it is beyond plain arithmetic."""
        if len(expression) > _LONGEST_SUM:
            return None
        try:
            tree = ast.parse(expression.strip().replace("/", "//"), mode="eval")
            return str(self._sum(tree.body))
        except (SyntaxError, ValueError, ZeroDivisionError, MemoryError, RecursionError):
            return None

    def _sum(self, node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.Name):
            return int(self.get(node.id) or 0)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._sum(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](self._sum(node.left), self._sum(node.right))
        raise ValueError(node)

    def _modified(self, name: str, modifier: str) -> str:
        value = self.get(name)
        if value is None:
            if name.strip().lower() not in _HARMLESS:
                self.unknown.add(name)
            return ""
        if part := _SLICE.fullmatch(modifier):
            start = int(part[1])
            rest = value[start:] if start >= 0 else value[max(len(value) + start, 0) :]
            length = int(part[2]) if part[2] else len(rest)
            return rest[:length]
        if "=" in modifier:
            old, _equals, new = modifier[1:].partition("=")
            if not old:
                return value
            return re.sub(re.escape(old), lambda _found: new, value, flags=re.IGNORECASE)
        return value
