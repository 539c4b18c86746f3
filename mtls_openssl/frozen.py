"""Frozen data classes that a start does not wait for.

The standard library's writes and compiles six methods for each class, which takes 0.4 ms, and a
run has sixty classes before its first key. Here they share six that are written already. What a
class is, and what `dataclasses.replace`, `fields` and `asdict` do with it, is the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass"]

C = TypeVar("C")

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool) -> Callable[[type[C]], type[C]]:
        """As `dataclasses.dataclass`, for classes that are frozen; without `__post_init__`."""
        if not frozen:
            raise TypeError("for frozen classes only")
        return _frozen


def _frozen(cls: type[C]) -> type[C]:
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    for method in (_init, _repr, _eq, _hash, _setattr, _delattr):
        name = f"_{method.__name__}__"
        if name not in cls.__dict__:
            setattr(cls, name, method)
    return cls


def _init(self: Any, *values: Any, **named: Any) -> None:
    names, state = self.__match_args__, self.__dict__
    state.update(zip(names, values, strict=False))
    if len(values) > len(names) or state.keys() & named.keys() or named.keys() - set(names):
        raise TypeError(f"{type(self).__qualname__}() has other arguments than {names}")
    state.update(named)
    if len(state) < len(names):
        for field in dataclasses.fields(self):
            if field.name not in state:
                state[field.name] = _default(field, self)


def _default(field: dataclasses.Field[Any], self: Any) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    if field.default is dataclasses.MISSING:
        raise TypeError(f"{type(self).__qualname__}() lacks the argument {field.name!r}")
    return field.default


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in self.__match_args__)


def _repr(self: Any) -> str:
    shown = (field.name for field in dataclasses.fields(self) if field.repr)
    words = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({words})"


def _eq(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _setattr(self: Any, name: str, value: object) -> None:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
