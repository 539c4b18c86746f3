"""The log as it is written: lines, chain, what is left out, and how a cut-off run is mended."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtls_openssl.audit import AuditLog, Line, read, sha256_of, verify
from mtls_openssl.audit.line import KEYS
from mtls_openssl.errors import Exit, FolderUnavailableError, NotProvenError
from mtls_openssl.steps import Command, Ending, Finished, Kind, Outcome, Render

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
MakeLog = Callable[[int], bytes]


def outcome(
    stdout: str = "", stderr: str = "", *, problem: str = "", reveals_key: bool = False
) -> Outcome:
    command = Command(
        ("genrsa", "-out", "ca.key", "4096"), "make the CA's key", reveals_key=reveals_key
    )
    code = 1 if problem else 0
    finished = Finished(Ending.EXITED, code, stdout, stderr, 0.25, STARTED)
    return Outcome(1, command, finished, problem, {}, {"ca.key": "a" * 64}, ("PATH", "LC_ALL"))


def record(log: AuditLog, what: Outcome | None = None) -> None:
    log.command(what or outcome(), cwd=Path("set"))


def run_of(path: Path, *, commands: int = 1, run: str | None = None) -> None:
    with AuditLog.open(path, run=run) as log:
        for _ in range(commands):
            record(log)
        log.end(0, "done", {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mtls-audit.jsonl"


def only_line(path: Path) -> Line:
    (line,) = read(path)
    return line


def test_a_command_leaves_one_line_with_every_key_in_order(path: Path) -> None:
    with AuditLog.open(path, run="0123456789ab") as log:
        log.identify(Path("bin/openssl"), "OpenSSL 3.0.2 15 Mar 2022")
        record(log, outcome("out", "err", problem="openssl genrsa exited with 1"))
    line = json.loads(path.read_bytes())
    assert tuple(line) == KEYS
    assert {key: line[key] for key in KEYS[:-1]} == {
        "seq": 1,
        "time": "2026-01-02T03:04:05.678Z",
        "run": "0123456789ab",
        "event": "command",
        "step": 1,
        "kind": Kind.GUIDE.value,
        "purpose": "make the CA's key",
        "openssl": str(Path("bin/openssl")),
        "openssl_version": "OpenSSL 3.0.2 15 Mar 2022",
        "argv": ["openssl", "genrsa", "-out", "ca.key", "4096"],
        "cwd": "set",
        "env": ["LC_ALL", "PATH"],
        "exit": 1,
        "ending": "exited",
        "problem": "openssl genrsa exited with 1",
        "seconds": 0.25,
        "stdout": "out",
        "stderr": "err",
        "reads": {},
        "writes": {"ca.key": "a" * 64},
        "prev": "0" * 64,
    }


def test_the_hash_is_that_of_the_canonical_json_without_it(path: Path) -> None:
    run_of(path)
    line = json.loads(path.read_bytes().splitlines()[0])
    stored = line.pop("hash")
    canonical = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
    assert stored == hashlib.sha256(canonical).hexdigest()


def test_each_line_recalls_the_hash_of_the_one_before(path: Path) -> None:
    run_of(path, commands=3)
    lines = list(read(path))
    assert [line.prev for line in lines[1:]] == [line.hash for line in lines[:-1]]


def test_a_command_that_reveals_a_key_leaves_no_output(path: Path) -> None:
    with AuditLog.open(path) as log:
        record(log, outcome("-----BEGIN PRIVATE KEY-----", "d: 11:22", reveals_key=True))
    line = only_line(path)
    assert (line.stdout, line.stderr) == ("", "")


def test_of_five_megabytes_of_output_the_last_4000_characters_are_kept(path: Path) -> None:
    with AuditLog.open(path) as log:
        record(log, outcome(stderr="x" * 5_000_000 + "the reason"))
    line = only_line(path)
    assert (len(line.stderr), line.stderr[-10:]) == (4000, "the reason")


@pytest.mark.parametrize("text", ["公司 ÄÖ 🔑", "a\u2028b\x85c\rd\ne\x00f", "lone \udc80"])
def test_any_text_comes_back_as_it_was(path: Path, text: str) -> None:
    with AuditLog.open(path) as log:
        record(log, outcome(text))
        log.end(0, "done", {})
    assert next(read(path)).stdout == text


def test_chinese_is_readable_in_the_file_itself(path: Path) -> None:
    with AuditLog.open(path) as log:
        record(log, outcome("某某公司"))
    assert "某某公司".encode() in path.read_bytes()


def test_lines_end_with_a_bare_newline_on_every_system(path: Path) -> None:
    run_of(path)
    assert b"\r" not in path.read_bytes()


def test_a_rendered_file_leaves_its_text_and_its_hash(path: Path, tmp_path: Path) -> None:
    text = "[v3_ca]\nsubjectAltName = DNS:例え\n"
    (tmp_path / "server.ext").write_bytes(text.encode())
    with AuditLog.open(path) as log:
        log.render(2, Render("server.ext", "server.ext", "the extensions"), text, cwd=tmp_path)
    line = only_line(path)
    assert line.event == "render"
    assert line.stdout == text
    assert line.writes == {"server.ext": sha256_of(tmp_path / "server.ext")}


def test_the_end_line_has_our_exit_code_and_the_published_files(path: Path) -> None:
    with AuditLog.open(path) as log:
        log.end(Exit.NOT_PROVEN, "failed: the chain", {"ca.crt": "b" * 64})
    line = only_line(path)
    assert (line.event, line.exit, line.purpose) == ("end", 5, "failed: the chain")
    assert line.writes == {"ca.crt": "b" * 64}


def test_a_line_is_in_the_file_before_the_next_command_starts(path: Path) -> None:
    with AuditLog.open(path) as log:
        record(log)
        assert only_line(path).seq == 1


def test_eight_threads_make_one_unbroken_chain(path: Path) -> None:
    with AuditLog.open(path) as log:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(record, log) for _ in range(400)]:
                done.result()
        log.end(0, "done", {})
    verdict = verify(path, folder=None)
    assert (verdict.lines, verdict.faults) == (401, ())


def test_a_log_opened_again_continues_the_chain(path: Path) -> None:
    run_of(path, commands=2)
    run_of(path, commands=2)
    verdict = verify(path, folder=None)
    assert (verdict.lines, verdict.runs, verdict.faults) == (6, 2, ())


def test_a_last_line_longer_than_what_is_read_at_once_is_found(path: Path) -> None:
    with AuditLog.open(path) as log:
        log.end(0, "done", {f"file{number}": "c" * 64 for number in range(5000)})
    run_of(path)
    assert verify(path, folder=None).faults == ()


def test_a_run_without_its_end_gets_one_from_the_next_run(path: Path) -> None:
    with AuditLog.open(path, run="first") as log:
        record(log)
    run_of(path, run="second")
    mended = list(read(path))[1]
    assert (mended.run, mended.event, mended.purpose, mended.exit) == (
        "first",
        "end",
        "the run was cut off before its end",
        None,
    )


def test_a_run_that_ended_gets_no_second_end(path: Path) -> None:
    run_of(path)
    before = path.read_bytes()
    AuditLog.open(path).close()
    assert path.read_bytes() == before


def test_a_torn_last_line_is_kept_as_text_in_the_end_line_of_its_run(path: Path) -> None:
    run_of(path, run="first")
    whole = path.read_bytes()
    run_of(path, run="second")
    torn = path.read_bytes()[len(whole) :][:300]
    path.write_bytes(whole + torn)
    AuditLog.open(path, run="third").close()
    mended = list(read(path))[-1]
    assert (mended.run, mended.event, mended.stdout) == ("second", "end", torn.decode())


def test_blocks_of_zeros_that_a_power_loss_leaves_are_taken_off(path: Path) -> None:
    run_of(path)
    with path.open("ab") as file:
        file.write(b"\0" * 100_000)
    run_of(path)
    assert verify(path, folder=None).faults == ()


def test_a_last_line_that_lacks_only_its_newline_is_not_lost(path: Path) -> None:
    run_of(path)
    before = path.read_bytes()
    path.write_bytes(before[:-1])
    AuditLog.open(path).close()
    assert path.read_bytes() == before


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torn") / "mtls-audit.jsonl"
    with AuditLog.open(path) as log:
        record(log, outcome("公司"))
        log.end(0, "done", {})
    run_of(path)
    return path


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_log_cut_off_at_any_byte_is_mended_by_the_next_run(
    two_runs: Path, data: st.DataObject
) -> None:
    whole = two_runs.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    torn = two_runs.with_name("torn.jsonl")
    torn.write_bytes(whole[:cut])
    run_of(torn)
    assert verify(torn, folder=None).faults == ()


@pytest.mark.parametrize("content", [b"#!/bin/sh\necho hello\n", b'{"level":"info"}\n', b"\xff"])
def test_a_file_that_is_not_our_log_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FolderUnavailableError, match="does not end as a log"):
        AuditLog.open(path)
    assert path.read_bytes() == content


def test_a_folder_in_place_of_the_log_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(FolderUnavailableError, match="can't be written"):
        AuditLog.open(path)


def test_reading_a_log_that_does_not_exist_says_so(path: Path) -> None:
    with pytest.raises(FolderUnavailableError, match="there is no log"):
        next(read(path))
    path.touch()
    with pytest.raises(FolderUnavailableError, match="there is no log"):
        next(read(path / "below"))


def test_reading_a_line_that_is_none_names_it(path: Path) -> None:
    run_of(path)
    with path.open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(NotProvenError, match=r"line 3 of .* it lacks seq"):
        list(read(path))


def test_reading_leaves_out_bytes_after_the_last_newline(path: Path) -> None:
    run_of(path)
    with path.open("ab") as file:
        file.write(b'{"seq":3,')
    assert [line.seq for line in read(path)] == [1, 2]


@pytest.mark.posix
def test_the_log_is_for_its_owner_only(path: Path) -> None:
    run_of(path)
    assert path.stat().st_mode & 0o777 == 0o600
