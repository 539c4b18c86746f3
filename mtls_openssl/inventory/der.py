"""DER taken apart, as far as certificates need it (X.690). Pure.

Nothing here looks deeper than it is asked to, so that no nesting of a hostile file costs more than
its bytes.
"""

from __future__ import annotations

from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x06, 0x0A
SEQUENCE, SET = 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18

_MANY = 0x1F
_LONG = 0x80
_LONGEST = 4


class NotDerError(ValueError):
    """It is cut off, damaged, or of another structure."""


class Element(NamedTuple):
    """One element.

    Args:
        data: all bytes of what it is a part of.
        tag: its tag, with class and form.
        start: where it begins.
        begin: where its content begins.
        end: where it ends.
    """

    data: bytes
    tag: int
    start: int
    begin: int
    end: int

    @property
    def content(self) -> bytes:
        """What is in it."""
        return self.data[self.begin : self.end]

    @property
    def whole(self) -> bytes:
        """All of it, its tag and length as well."""
        return self.data[self.start : self.end]


def element(data: bytes, at: int = 0, end: int | None = None) -> Element:
    """The element that begins at `at`.

    Args:
        data: the bytes.
        at: where it begins.
        end: where what it is in ends; the end of the bytes if it is not given.

    Raises:
        NotDerError: there is none.
    """
    last = len(data) if end is None else end
    if at + 2 > last:
        raise NotDerError
    tag, length, begin = data[at], data[at + 1], at + 2
    if length & _LONG:
        size = length & ~_LONG
        if not 0 < size <= _LONGEST or begin + size > last:
            raise NotDerError
        length = int.from_bytes(data[begin : begin + size])
        begin += size
    if tag & _MANY == _MANY or begin + length > last:
        raise NotDerError
    return Element(data, tag, at, begin, begin + length)


def parts(whole: Element, tag: int | None = None) -> list[Element]:
    """The elements in another one.

    Args:
        whole: that one.
        tag: the tag that it must have.

    Raises:
        NotDerError: it has another tag, or what is in it is no row of elements.
    """
    if tag is not None and whole.tag != tag:
        raise NotDerError
    found, at = [], whole.begin
    while at < whole.end:
        one = element(whole.data, at, whole.end)
        found.append(one)
        at = one.end
    return found


def sequence(data: bytes) -> list[Element]:
    """The elements of the SEQUENCE that begins the bytes; what follows it is not looked at.

    Raises:
        NotDerError: it is none.
    """
    return parts(element(data), SEQUENCE)


def integer(one: Element) -> int:
    """A number.

    Raises:
        NotDerError: it is none.
    """
    if one.tag not in {INTEGER, ENUMERATED} or one.begin == one.end:
        raise NotDerError
    return int.from_bytes(one.content, signed=True)


def oid(one: Element) -> str:
    """An object identifier, dotted.

    Raises:
        NotDerError: it is none.
    """
    content = one.content
    if one.tag != OID or not content or content[-1] & _LONG:
        raise NotDerError
    return _dotted(content)


def bits(one: Element) -> bytes:
    """The bytes of a BIT STRING.

    Raises:
        NotDerError: it is none.
    """
    if one.tag != BIT_STRING or one.begin == one.end:
        raise NotDerError
    return one.content[1:]


_KNOWN: dict[bytes, str] = {}
_MOST_KNOWN = 1000


def _dotted(content: bytes) -> str:
    if (known := _KNOWN.get(content)) is not None:
        return known
    numbers, number = list[int](), 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & _LONG:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    dotted = ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
    if len(_KNOWN) < _MOST_KNOWN:
        _KNOWN[content] = dotted
    return dotted
