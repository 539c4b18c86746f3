"""What every test may rely on."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gc
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl.locate import Candidate, Machine, candidates, probe, search
from mtls_openssl.process import Door
from tests.machine import mtls

_LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, speak English, and take signals as a terminal's program does.

    What a shell starts in the background has SIGINT ignored, and so have all its children.
    """
    os.environ["MTLS_LANG"] = "en"
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            default = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
            signal.signal(number, default)
    config.addinivalue_line("markers", "posix: needs POSIX signals, permissions or shells")
    config.addinivalue_line("markers", "windows: needs Windows")
    config.addinivalue_line("markers", "tool(name): needs this program besides openssl")
    config.addinivalue_line("markers", "end_to_end: makes sets; run on every OpenSSL release")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker more than processors: many tests wait for a server, or for time to pass."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what stays until the end: the tests themselves."""
    gc.freeze()


@pytest.fixture(autouse=True)
def own_log(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a test looks at out of the log of whoever runs it."""
    monkeypatch.setenv("MTLS_LOG_DIR", str(tmp_path_factory.getbasetemp() / "own-log"))


@pytest.fixture(scope="session")
def modern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of the profile modern whose password is `machine.PASSWORD`; to be copied."""
    folder = tmp_path_factory.mktemp("modern")
    mtls("all", "--profile", "modern", cwd=folder)
    return folder


@pytest.fixture(autouse=True, scope="session")
def openssl_is_asked_once_what_it_is() -> Iterator[None]:
    """Let the runs in this process know what the openssl under test said to the first of them.

    Each asks it, as it must: every seventh process of the tests would be one that answers that.
    Stand-ins are asked each time, and so is everybody by a run in a process of its own.
    """
    under_test = next((path for path, _origin in candidates(None)), None)
    known = dict[str, Candidate]()

    def examine(path: Path, origin: str, door: Door, *, windows: bool) -> Candidate:
        if path != under_test or windows != Machine.here().windows:
            return probe.examine(path, origin, door, windows=windows)
        if origin not in known:
            said = probe.examine(path, origin, door, windows=windows)
            if not said.usable or said.probe is None:
                return said
            known[origin] = said
        return _said_now(known[origin])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "examine", examine)
        yield


def _said_now(candidate: Candidate) -> Candidate:
    """The same answer, with the time of the run that it is told."""
    assert candidate.probe
    finished = dataclasses.replace(candidate.probe.finished, started=dt.datetime.now(dt.UTC))
    return dataclasses.replace(
        candidate, probe=dataclasses.replace(candidate.probe, finished=finished)
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what belongs to the other platform, or needs a program that is not here.

    On a build server (CI is set) nothing is left out on Linux: there a program that is not
    installed is a failure.
    """
    foreign = "posix" if sys.platform == "win32" else "windows"
    must_have_tools = bool(os.environ.get("CI")) and sys.platform == "linux"
    kept, left_out, missing = list[pytest.Item](), list[pytest.Item](), set[str]()
    for item in items:
        tools = [mark.args[0] for mark in item.iter_markers("tool")]
        lacking = [name for name in tools if shutil.which(name) is None and not must_have_tools]
        missing.update(lacking)
        (left_out if item.get_closest_marker(foreign) or lacking else kept).append(item)
    config.stash[_LEFT_OUT] = sorted(missing)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which programs were missed."""
    for name in config.stash.get(_LEFT_OUT, []):
        terminalreporter.write_line(f"left out: the tests that need {name}, which is not installed")
