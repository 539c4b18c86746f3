"""Our frozen data classes are those of the standard library in all that we use of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from mtls_openssl.frozen import dataclass


@dataclass(frozen=True)
class Ours:
    """Ours."""

    name: str
    secret: str = dataclasses.field(repr=False)
    size: int = 1
    more: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def twice(self) -> int:
        return 2 * self.size


@dataclasses.dataclass(frozen=True)
class Theirs:
    """The standard library's."""

    name: str
    secret: str = dataclasses.field(repr=False)
    size: int = 1
    more: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Below(Ours):
    """One that has a field of ours again, and one more."""

    size: int = 3
    last: str = "z"


def state(value: Any) -> tuple[Any, ...]:
    return dataclasses.astuple(value), dataclasses.asdict(value), repr(value).partition("(")[2]


@pytest.mark.parametrize(
    "made",
    [
        lambda kind: kind("a", "b"),
        lambda kind: kind("a", secret="b", size=5),
        lambda kind: kind(more={"x": 1}, secret="b", name="a"),
        lambda kind: dataclasses.replace(kind("a", "b"), name="c", more={"y": 2}),
    ],
)
def test_it_holds_and_shows_the_same(made: Callable[[Any], Any]) -> None:
    assert state(made(Ours)) == state(made(Theirs))


@pytest.mark.parametrize(
    ("values", "named"),
    [(("a",), {}), (("a", "b", 1, {}, 2), {}), (("a", "b"), {"name": "c"}), (("a", "b"), {"x": 1})],
    ids=["one is missing", "one too many", "one twice", "an unknown one"],
)
def test_wrong_arguments_are_refused(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (Ours, Theirs):
        with pytest.raises(TypeError):
            kind(*values, **named)


def test_what_is_not_to_be_shown_is_not_shown() -> None:
    assert repr(Ours("a", "hidden")) == "Ours(name='a', size=1, more={})"


def test_equal_is_what_is_of_one_class_and_holds_the_same() -> None:
    assert Ours("a", "b") == Ours("a", "b", 1)
    assert Ours("a", "b") != Ours("a", "c")
    assert Ours("a", "b", 3) != Below("a", "b", 3)
    assert hash(Below("a", "b", more=())) == hash(Below("a", "b", more=()))  # type: ignore[arg-type]


def test_nothing_can_be_changed_in_it() -> None:
    one = Ours("a", "b")

    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "c"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.name
    assert (one.name, one.twice) == ("a", 2)


def test_two_of_them_share_no_default() -> None:
    assert Ours("a", "b").more is not Ours("a", "b").more


def test_one_may_stand_below_another() -> None:
    assert state(Below("a", "b"))[0] == ("a", "b", 3, {}, "z")
