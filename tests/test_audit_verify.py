"""The proof of a log: whatever is done to one line is found, and that line is named."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtls_openssl.audit import AuditLog, Flaw, Line, Verdict, read, sha256_of, verify
from mtls_openssl.audit.line import KEYS, sealed
from mtls_openssl.errors import FolderUnavailableError
from tests.test_audit import outcome, record, run_of

LINES = 9
positions = st.integers(0, LINES - 1)
often = settings(max_examples=150, deadline=None)


@functools.cache
def original() -> tuple[bytes, ...]:
    """The lines of a log of three runs, with their newlines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mtls-audit.jsonl")
        for _ in range(3):
            with AuditLog.open(path) as log:
                record(log, outcome("某公司"))
                record(log, outcome(stderr="x" * 50, problem="it failed"))
                log.end(0, "done", {"ca.crt": "d" * 64})
        return tuple(path.read_bytes().splitlines(keepends=True))


def verdict_on(lines: Sequence[bytes]) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mtls-audit.jsonl")
        path.write_bytes(b"".join(lines))
        return verify(path, folder=None)


def found(lines: Sequence[bytes]) -> list[tuple[int, Flaw]]:
    return [(fault.line, fault.flaw) for fault in verdict_on(lines).faults]


def resealed(raw: bytes, **changes: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.jsonl")
        path.write_bytes(raw)
        (line,) = read(path)
    changed: Line = dataclasses.replace(line, **changes)  # type: ignore[arg-type]
    return sealed(changed)[0]


def test_a_log_as_it_was_written_has_no_fault() -> None:
    assert verdict_on(original()) == Verdict(lines=LINES, runs=3, faults=(), notes=())


@often
@given(position=positions, data=st.data())
def test_a_byte_changed_anywhere_names_its_line_once(position: int, data: st.DataObject) -> None:
    lines = list(original())
    at = data.draw(st.integers(0, len(lines[position]) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte not in {lines[position][at], 10}))
    lines[position] = lines[position][:at] + bytes([byte]) + lines[position][at + 1 :]
    assert found(lines) == [(position + 1, Flaw.CHANGED)]


@often
@given(position=positions, data=st.data())
def test_a_line_broken_in_two_is_named(position: int, data: st.DataObject) -> None:
    lines = list(original())
    at = data.draw(st.integers(0, len(lines[position]) - 2))
    lines[position] = lines[position][:at] + b"\n" + lines[position][at + 1 :]
    assert position + 1 in [line for line, _ in found(lines)]


@pytest.mark.parametrize("position", range(LINES))
@pytest.mark.parametrize("instead", [b"", b" ", b"\r", b"x"])
def test_a_newline_that_became_something_else_names_its_line(position: int, instead: bytes) -> None:
    lines = list(original())
    lines[position] = lines[position][:-1] + instead
    assert position + 1 in [line for line, _ in found(lines)]


@pytest.mark.parametrize("position", range(LINES - 1))
def test_a_removed_line_is_named_by_its_number(position: int) -> None:
    lines = list(original())
    del lines[position]
    (fault,) = verdict_on(lines).faults
    assert (fault.line, fault.flaw) == (position + 1, Flaw.REMOVED)
    assert f"number {position + 1}," in fault.what


def test_several_removed_lines_are_named_together() -> None:
    lines = [*original()[:3], *original()[6:]]
    (fault,) = verdict_on(lines).faults
    assert "numbers 4 to 6" in fault.what


def test_a_last_line_removed_leaves_a_run_without_its_end() -> None:
    assert found(original()[:-1]) == [(LINES - 1, Flaw.UNFINISHED)]


@pytest.mark.parametrize("position", range(LINES))
@pytest.mark.parametrize("to", range(LINES + 1))
def test_a_copied_line_is_found_where_it_was_put(position: int, to: int) -> None:
    lines = list(original())
    lines.insert(to, lines[position])
    beside = to in {position, position + 1}
    assert found(lines) == [(position + 2 if beside else to + 1, Flaw.ADDED)]


@often
@given(
    pair=st.tuples(positions, positions).filter(lambda pair: pair[0] != pair[1]),
)
def test_two_swapped_lines_are_found_out_of_place(pair: tuple[int, int]) -> None:
    one, two = pair
    lines = list(original())
    lines[one], lines[two] = lines[two], lines[one]
    faults = found(lines)
    assert {flaw for _, flaw in faults} == {Flaw.REORDERED}
    assert {one + 1, two + 1} & {line for line, _ in faults}


@pytest.mark.parametrize("position", range(LINES))
@pytest.mark.parametrize("to", range(LINES))
def test_one_moved_line_is_the_only_one_named(position: int, to: int) -> None:
    lines = list(original())
    lines.insert(to, lines.pop(position))
    expected = {to + 1, position + 1} if abs(to - position) == 1 else {to + 1}
    faults = found(lines)
    assert len(faults) == (to != position)
    assert all(flaw is Flaw.REORDERED and line in expected for line, flaw in faults)


@often
@given(position=positions, text=st.text().filter(lambda text: "\n" not in text))
def test_an_inserted_line_is_found_as_added(position: int, text: str) -> None:
    lines = list(original())
    lines.insert(position, text.encode("utf-8", "replace") + b"\n")
    assert found(lines) == [(position + 1, Flaw.ADDED)]


@often
@given(position=positions, number=st.integers(1, LINES))
def test_an_inserted_line_with_a_good_hash_of_its_own_is_found(position: int, number: int) -> None:
    lines = list(original())
    lines.insert(position, resealed(lines[0], seq=number, prev="e" * 64))
    assert found(lines) == [(position + 1, Flaw.ADDED)]


def test_an_inserted_line_that_recalls_the_one_before_is_not_taken_for_the_genuine_one() -> None:
    lines = list(original())
    lines.insert(3, resealed(lines[3], purpose="something else"))
    assert found(lines) == [(4, Flaw.ADDED)]


def test_an_inserted_line_is_told_from_a_changed_one_beside_it() -> None:
    lines = list(original())
    lines[3] = lines[3].replace(b"exited", b"stayed")
    lines.insert(3, b"{}\n")
    assert found(lines) == [(4, Flaw.ADDED), (5, Flaw.CHANGED)]


def test_a_later_run_does_not_heal_a_changed_last_line(tmp_path: Path) -> None:
    path = tmp_path / "mtls-audit.jsonl"
    path.write_bytes(b"".join(original()).replace(b"dddd", b"eeee"))
    run_of(path)
    faults = verify(path, folder=None).faults
    assert [(fault.line, fault.flaw) for fault in faults] == [
        (3, Flaw.CHANGED),
        (6, Flaw.CHANGED),
        (9, Flaw.CHANGED),
    ]


@pytest.mark.parametrize("position", range(LINES - 1))
def test_a_line_changed_and_given_a_new_hash_is_named(position: int) -> None:
    lines = list(original())
    lines[position] = resealed(lines[position], purpose="something else")
    assert found(lines) == [(position + 1, Flaw.CHANGED)]


def test_two_lines_changed_and_one_removed_are_all_told() -> None:
    lines = list(original())
    lines[1] = lines[1].replace(b"exited", b"stayed")
    lines[7] = lines[7].replace(b"exited", b"stayed")
    del lines[4]
    assert found(lines) == [(2, Flaw.CHANGED), (5, Flaw.REMOVED), (7, Flaw.CHANGED)]


def test_line_endings_changed_by_an_editor_are_one_fault() -> None:
    (fault,) = verdict_on([line.replace(b"\n", b"\r\n") for line in original()]).faults
    assert (fault.line, fault.flaw) == (1, Flaw.CHANGED)
    assert "line ending, and those of 8 more lines" in fault.what


def test_a_byte_order_mark_is_one_fault() -> None:
    (fault,) = verdict_on([b"\xef\xbb\xbf", *original()]).faults
    assert (fault.line, fault.flaw) == (1, Flaw.CHANGED)
    assert "byte order mark" in fault.what


def test_a_log_saved_as_utf_16_is_one_fault() -> None:
    (fault,) = verdict_on([b"".join(original()).decode().encode("utf-16")]).faults
    assert "UTF-16" in fault.what


def test_a_torn_last_line_is_one_fault() -> None:
    (fault,) = verdict_on([*original(), original()[0][:50]]).faults
    assert (fault.line, "cut off" in fault.what) == (LINES + 1, True)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'"step":1,', b"", "it lacks step"),
        (b'"step":1,', b'"step":1,"more":2,', "the unknown key 'more'"),
        (b'"step":1,"kind":"guide"', b'"kind":"guide","step":1', "keys are out of order"),
        (b'"step":1,', b'"step":"1",', "the value of step is of the wrong type"),
        (b'"seq":5,', b'"seq":0,', "its number is out of range"),
        (b'"seq":5,', b'"seq":99999999999999999999,', "its number is out of range"),
        (b'["openssl",', b"[1,", "something that is not text"),
        (b'{"seq"', b'["seq"', "not JSON"),
        (b'{"seq"', b"\xff", "not UTF-8"),
        (b'{"seq"', b"[" * 100_000, "not JSON"),
        (b"it failed", b"it worked", "does not match its own hash"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_in_words(old: bytes, new: bytes, told: str) -> None:
    lines = list(original())
    assert old in lines[4]
    lines[4] = lines[4].replace(old, new)
    (fault,) = verdict_on(lines).faults
    assert (fault.line, fault.flaw) == (5, Flaw.CHANGED)
    assert told in fault.what


def test_every_key_of_a_line_is_covered_by_its_hash() -> None:
    lines = list(original())
    for key in KEYS[1:]:
        before, mark, after = lines[3].partition(f'"{key}":'.encode())
        changed = before + mark + b"null" + after[1:]
        assert found([*lines[:3], changed, *lines[4:]]) == [(4, Flaw.CHANGED)]


def test_a_missing_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderUnavailableError, match="there is no log"):
        verify(tmp_path / "mtls-audit.jsonl", folder=None)


def test_an_empty_log_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mtls-audit.jsonl"
    path.touch()
    with pytest.raises(FolderUnavailableError, match="no run is on record"):
        verify(path, folder=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose log tells of two runs, the second of which made the client's files anew."""
    path = tmp_path / "mtls-audit.jsonl"
    for names in (("ca.crt", "client.crt"), ("client.crt",)):
        for name in names:
            (tmp_path / name).write_text(f"{name} of {len(names)}")
        with AuditLog.open(path) as log:
            record(log)
            log.end(0, "done", {name: sha256_of(tmp_path / name) for name in names})
    return tmp_path


def test_a_set_as_the_log_saw_it_last_has_no_fault(folder: Path) -> None:
    verdict = verify(folder / "mtls-audit.jsonl", folder=folder)
    assert (verdict.faults, verdict.notes) == ((), ())


def test_a_whole_run_removed_from_the_tail_is_found_by_its_files(folder: Path) -> None:
    path = folder / "mtls-audit.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    (fault,) = verify(path, folder=folder).faults
    assert (fault.line, fault.flaw) == (2, Flaw.FILE)
    assert fault.what == "client.crt is not the file that the log saw last"


def test_a_run_that_published_nothing_hides_no_file(folder: Path) -> None:
    run_of(folder / "mtls-audit.jsonl")
    (folder / "ca.crt").write_text("another")
    (fault,) = verify(folder / "mtls-audit.jsonl", folder=folder).faults
    assert fault.what == "ca.crt is not the file that the log saw last"


def test_a_file_taken_away_is_a_note(folder: Path) -> None:
    (folder / "ca.crt").unlink()
    verdict = verify(folder / "mtls-audit.jsonl", folder=folder)
    assert (verdict.faults, len(verdict.notes)) == ((), 1)
    assert "ca.crt is not in the folder" in verdict.notes[0]


def test_a_file_of_the_set_that_no_run_made_is_a_note(folder: Path) -> None:
    (folder / "server.key").write_text("from elsewhere")
    verdict = verify(folder / "mtls-audit.jsonl", folder=folder)
    assert verdict.notes == ("server.key is in the folder, and no run in the log published it",)


def test_a_name_that_leads_out_of_the_folder_is_not_opened(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    with AuditLog.open(inner / "mtls-audit.jsonl") as log:
        log.end(0, "done", {"../ca.crt": "f" * 64})
    verdict = verify(inner / "mtls-audit.jsonl", folder=inner)
    assert (verdict.faults, len(verdict.notes)) == ((), 1)
