"""`ocsp serve`: openssl itself asks, and hears of a revocation at once."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl.audit import verify as verify_log
from mtls_openssl.locate import Version, find
from mtls_openssl.openssl import ocsp
from mtls_openssl.process import Door
from mtls_openssl.scripting import prompt
from tests import authority
from tests.authority import asked, flat, layered, left, serial, unrevoked
from tests.machine import CHECKOUT, lock
from tests.shelf import mtls

PROGRAM = f"""
import json, sys
sys.path.insert(0, {str(CHECKOUT)!r})
from mtls_openssl.cli import app
app(["ocsp", "serve", "--json", "--port", "0", "--out", sys.argv[1]])
"""


@contextlib.contextmanager
def serving(folder: Path, **env: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **env},
    ) as process:
        try:
            text = ""
            assert process.stdout
            while not text.endswith("}\n"):
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                text += line
            yield json.loads(text)["url"], process
        finally:
            process.kill()
            process.communicate(timeout=60)


def answer(folder: Path, url: str, name: str, issuer: str = "ca.crt") -> str:
    return asked(folder, *ocsp.ask(name, issuer, "ca.crt", url))


def got(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as response:
        content: bytes = response.read()
        return content


def test_openssl_hears_of_a_revocation_while_the_responder_runs(tmp_path: Path) -> None:
    folder = unrevoked(tmp_path / "set")

    with serving(folder) as (url, _process):
        before = answer(folder, url, "alice.crt")
        mtls("revoke", "alice", "--reason", "keyCompromise", "--out", folder)
        after = answer(folder, url, "alice.crt")
        other = answer(folder, url, "bob.crt")

    assert "alice.crt: good" in before
    assert "alice.crt: revoked" in after
    assert "Reason: keyCompromise" in after
    assert "bob.crt: good" in other
    assert all("Response verify OK" in said for said in (before, after, other))
    text = (folder / "mtls-audit.jsonl").read_text("utf-8")
    assert text.count("answer a request by OCSP") >= 3
    assert verify_log(folder / "mtls-audit.jsonl", folder=folder).faults == ()


def test_an_intermediate_answers_for_what_it_has_issued(tmp_path: Path) -> None:
    folder = layered(tmp_path / "set")
    mtls("revoke", "alice", "--out", folder)

    with serving(folder) as (url, _process):
        revoked = answer(folder, url, "alice.crt", "intermediate.crt")
        good = answer(folder, url, "bob.crt", "intermediate.crt")

    assert "alice.crt: revoked" in revoked
    assert "bob.crt: good" in good


@pytest.fixture(scope="module")
def responder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A set, and where the responder for it listens."""
    folder = unrevoked(tmp_path_factory.mktemp("responder") / "set")
    with serving(folder) as (url, _process):
        yield folder, url


def test_a_request_may_come_by_get_and_nonsense_is_told_so(responder: tuple[Path, str]) -> None:
    folder, url = responder
    asked(folder, *ocsp.request("alice.crt", "ca.crt", "request.der"))
    request = base64.b64encode((folder / "request.der").read_bytes()).decode()

    quoted = urllib.parse.quote(request, safe="")
    good, nonsense = (got(url + path) for path in (quoted, "YWJj"))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url + "?", timeout=30)
    refused.value.close()

    (folder / "response.der").write_bytes(good)
    shown = asked(folder, "ocsp", "-respin", "response.der", "-noverify", "-resp_text")
    assert serial(folder, "alice.crt") in shown
    assert nonsense == ocsp.MALFORMED
    assert refused.value.code == 400


def test_it_listens_on_loopback_alone(responder: tuple[Path, str]) -> None:
    _folder, url = responder

    port = int(url.rpartition(":")[2].rstrip("/"))
    with socket.socket() as other:  # it can't be had twice, but on another address it is free
        other.bind(("127.0.0.2", port))

    assert url == f"http://127.0.0.1:{port}/"


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_its_end_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    folder = unrevoked(tmp_path / "set")
    before = sorted(folder.iterdir())

    with serving(folder) as (_url, process):
        process.send_signal(number)
        assert process.wait(timeout=60) == 0

    assert sorted(folder.iterdir()) == before


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    folder = unrevoked(tmp_path / "set")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = mtls("ocsp", "serve", "--port", port, "--out", folder, code=2)

    assert "--port" in done.output


def test_without_a_register_the_command_that_makes_one_is_told(tmp_path: Path) -> None:
    folder = flat(tmp_path / "set")

    done = mtls("ocsp", "serve", "--out", folder, code=7)

    again = prompt.line("python", "-m", "mtls_openssl", "crl", "--out", str(folder))
    assert again in done.output


def test_a_key_with_a_pass_phrase_answers_where_openssl_can_open_it(tmp_path: Path) -> None:
    folder = unrevoked(tmp_path / "set")
    lock(folder / "ca.key", authority.PASSPHRASE)
    version = find(None, Door()).chosen.version
    assert version
    assert "MTLS_CA_PASSPHRASE" in mtls("ocsp", "serve", "--out", folder, code=6).output

    known = {"MTLS_CA_PASSPHRASE": authority.PASSPHRASE}
    if version < Version(3, 0, 0):
        done = mtls("ocsp", "serve", "--out", folder, code=3, env=known)
        assert "pass phrase" in done.output
        return
    with serving(folder, **known) as (url, _process):
        assert "alice.crt: good" in answer(folder, url, "alice.crt")


def test_what_openssl_answers_is_understood(tmp_path: Path) -> None:
    folder = left(tmp_path / "set")
    asked(folder, *ocsp.request("alice.crt", "ca.crt", "request.der"))

    shown = asked(folder, *ocsp.answer("request.der", "response.der", "ca"))

    assert ocsp.statuses(shown) == ((serial(folder, "alice.crt"), "revoked"),)
