"""One line of the log: its keys, its canonical bytes, its hash, and how it is read back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from mtls_openssl.errors import FolderUnavailableError, NotProvenError, system_said
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _, joined
from mtls_openssl.scripting.prompt import ours

FIRST_PREV = "0" * 64
"""What the first line has in place of the hash of a line before it."""


@dataclass(frozen=True)
class Line:
    """One line, its fields in the order of its keys.

    Args:
        seq: its number, from 1 and without gaps over all runs.
        time: UTC, to the millisecond, with a Z: when the command was started, or the line written.
        run: the id of the run that it belongs to.
        event: "command", "render" (a text file was rendered), "join" (one was put together of
            others), "publish" (a part of what a run makes is in place) or "end" (of the run).
        step: the number of the step in the plan, from 1; 0 outside the plan.
        kind: the value of the command's `steps.Kind`; empty for other events.
        purpose: what the step was for, or how the run ended.
        openssl: the path of the program; of one on another host HOST:PATH.
        openssl_version: what the program says it is.
        argv: the command with `openssl` in front; empty for other events.
        cwd: the folder it ran in; likewise.
        env: the names of its environment variables, never a value.
        exit: its exit code, or at the end ours; None if there is none.
        ending: the value of the process's `steps.Ending`; empty for other events.
        problem: why it does not count as done; empty if it does.
        seconds: how long it took.
        stdout: what it printed, or the text that was written.
        stderr: what it printed on standard error.
        reads: SHA-256 of each file that it read, by name.
        writes: SHA-256 of each file that it wrote, or that was published, by name.
        prev: the hash of the line before.
        hash: SHA-256 of the line's canonical JSON without this key.
    """

    seq: int
    time: str
    run: str
    event: str
    step: int = 0
    kind: str = ""
    purpose: str = ""
    openssl: str = ""
    openssl_version: str = ""
    argv: Sequence[str] = ()
    cwd: str = ""
    env: Sequence[str] = ()
    exit: int | None = None
    ending: str = ""
    problem: str = ""
    seconds: float = 0.0
    stdout: str = ""
    stderr: str = ""
    reads: Mapping[str, str] = dataclasses.field(default_factory=dict)
    writes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    prev: str = FIRST_PREV
    hash: str = ""


KEYS = tuple(field.name for field in dataclasses.fields(Line))
_TYPES: tuple[Any, ...] = (
    *(int, str, str, str, int, str, str, str, str, list, str, list, (int, type(None)), str, str),
    *((int, float), str, str, dict, dict, str, str),
)
_HIGHEST = 2**53 - 1
_MUCH = 65536
_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_HASH_KEY = b',"hash":"'
_SEAL = len(_HASH_KEY) + 64 + len(b'"}')


class NotALineError(ValueError):
    """These bytes are no line of the log.

    Args:
        why: why not, in words that go after "line 5: ".
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def sealed(line: Line) -> tuple[bytes, str]:
    """The bytes of a line, newline included, and its hash.

    Args:
        line: the line; its own `hash` is not looked at.
    """
    record = {key: getattr(line, key) for key in KEYS[:-1]}
    # A path may hold bytes that are no UTF-8: as a lone surrogate they become a JSON escape.
    canonical = _CANONICAL.encode(record).encode("utf-8", "backslashreplace")
    digest = hashlib.sha256(canonical).hexdigest()
    return b'%b%b%b"}\n' % (canonical[:-1], _HASH_KEY, digest.encode()), digest


def is_sealed(raw: bytes) -> bool:
    """Whether the content of a line has the hash that the line ends with.

    The canonical form has `hash` as its last key, so that the bytes before it are what was hashed.

    Args:
        raw: the line without its newline.
    """
    digest = hashlib.sha256(raw[:-_SEAL] + b"}").hexdigest()
    return raw[-_SEAL:] == b'%b%b"}' % (_HASH_KEY, digest.encode())


def record_of(raw: bytes) -> dict[str, Any]:
    """The keys and values of a line, each of its right type.

    Args:
        raw: the line, with or without its newline.

    Raises:
        NotALineError: it is not UTF-8, not JSON, or has other keys or types than a line of the log.
    """
    try:
        record = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise NotALineError(_("it is not UTF-8 text")) from None
    except (ValueError, RecursionError):
        raise NotALineError(_("it is not JSON")) from None
    if not isinstance(record, dict):
        raise NotALineError(_("it is not a JSON object"))
    if tuple(record) != KEYS:
        raise NotALineError(_keys_fault(record))
    if not all(map(isinstance, record.values(), _TYPES)):
        wrong = [
            key
            for (key, value), kind in zip(record.items(), _TYPES, strict=True)
            if not isinstance(value, kind)
        ]
        raise NotALineError(
            _("the value of {keys} is of the wrong type", keys=joined(_(", "), wrong))
        )
    if not 1 <= record["seq"] <= _HIGHEST:
        raise NotALineError(_("its number is out of range"))
    reads, writes = record["reads"], record["writes"]
    texts = [*record["argv"], *record["env"], *reads.values(), *writes.values()]
    if not set(map(type, texts)) <= {str}:
        raise NotALineError(_("argv, env, reads or writes hold something that is not text"))
    return record


def _keys_fault(record: Mapping[str, Any]) -> str:
    missing = [key for key in KEYS if key not in record]
    unknown = [key for key in record if key not in KEYS]
    if missing:
        return _("it lacks {keys}", keys=joined(_(", "), missing))
    if unknown:
        return _("it has the unknown key {key!r}", key=unknown[0])
    return _("its keys are out of order")


def read(path: Path) -> Iterator[Line]:
    """The lines of a log, in order.

    Bytes after the last newline, left by a power loss, are left out; `verify` tells of them.

    Args:
        path: the log.

    Raises:
        FolderUnavailableError: there is no log, or it can't be read.
        NotProvenError: a line is no line of the log.
    """
    with opened(path) as log:
        for number, raw in enumerate(log, 1):
            if not raw.endswith(b"\n"):
                return
            try:
                record = record_of(raw)
            except NotALineError as error:
                raise NotProvenError(
                    _(
                        "line {number} of {path} can't be read: {why}",
                        number=number,
                        path=path,
                        why=error.why,
                    ),
                    cause=_("the log was changed after it was written"),
                    fix=_(
                        "{command} names every line that was changed",
                        command=ours(path.parent, "audit", "verify"),
                    ),
                ) from None
            yield Line(**record)


def opened(path: Path) -> IO[bytes]:
    """A log, open for reading in binary.

    Args:
        path: the log.

    Raises:
        FolderUnavailableError: there is no log, or it can't be read.
    """
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise FolderUnavailableError(
            _("there is no log {path}", path=path),
            cause=_("no set was made in this folder, or its log was removed"),
            fix=_("name the folder of the set with --out"),
        ) from None
    except OSError as error:
        raise FolderUnavailableError(
            _("the log {path} can't be read: {error}", path=path, error=system_said(error)),
            fix=_("run the command as the user who owns the log"),
        ) from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex.

    Args:
        path: the file.

    Raises:
        OSError: it can't be read.
    """
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while some := file.read(_MUCH):
            digest.update(some)
    return digest.hexdigest()
