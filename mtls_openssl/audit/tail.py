"""The end of a log as an earlier run left it, read without reading the whole log."""

from __future__ import annotations

import os
import re
from typing import Any

from mtls_openssl.audit.line import NotALineError, record_of
from mtls_openssl.frozen import dataclass

_BLOCK = 64 * 1024
_FARTHEST = 4 * 1024 * 1024
_BEGINNING = b'{"seq":'


class ForeignFileError(ValueError):
    """The file is not a log of ours, or its end is damaged beyond what a power loss does."""


@dataclass(frozen=True)
class Tail:
    """The end of a log.

    Args:
        last: the keys and values of its last whole line; None where there is none.
        kept: how many bytes of the file are whole lines.
        torn: the bytes after them.
        unended: whether the last whole line lacks only its newline.
    """

    last: dict[str, Any] | None
    kept: int
    torn: bytes
    unended: bool

    def run_of_torn(self) -> str | None:
        """The id of the run that wrote the torn bytes, if it can still be read in them."""
        found = re.search(rb'"run":"([^"\\]{1,64})"', self.torn)
        return found[1].decode("utf-8", "replace") if found else None


def tail_of(descriptor: int) -> Tail:
    """The end of an open log.

    Args:
        descriptor: the file, open for reading in binary.

    Raises:
        ForeignFileError: no line of a log is found there.
    """
    size = os.fstat(descriptor).st_size
    length = min(size, _BLOCK)
    while True:
        data = _read(descriptor, size - length, length)
        # Unless the block is the whole file it begins within a line, which is left out.
        first = 0 if length == size else data.find(b"\n") + 1 or length
        found = _last_line(data, first, size - length)
        if found:
            return found
        if length == size:
            break
        if length >= _FARTHEST:
            raise ForeignFileError
        length = min(size, 2 * length)
    if data.strip(b"\0") and not _BEGINNING.startswith(data[: len(_BEGINNING)]):
        raise ForeignFileError
    return Tail(None, 0, data, unended=False)


def _last_line(data: bytes, first: int, offset: int) -> Tail | None:
    end = len(data)
    while end > first:
        begin = data.rfind(b"\n", first, end - 1) + 1 or first
        try:
            record = record_of(data[begin:end].removeprefix(b"\xef\xbb\xbf"))
        except NotALineError:
            end = begin
        else:
            unended = not data.endswith(b"\n", begin, end)
            return Tail(record, offset + end, data[end:], unended)
    return None


def _read(descriptor: int, offset: int, length: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    data = b""
    while len(data) < length:
        more = os.read(descriptor, length - len(data))
        if not more:
            break
        data += more
    return data
