"""A real nginx with our CRL: the leaver is out, the others are in; once the CRL is over, nobody."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.authority import asked, layered, left, listed, said
from tests.machine import ran, tool
from tests.nginx import EACH, Nginx, of_this_machine, serving, write_config
from tests.shelf import mtls

pytestmark = [pytest.mark.posix, pytest.mark.tool("curl"), pytest.mark.end_to_end]

SHORT = """
[ca]
default_ca = theirs
[theirs]
database = index.txt
crlnumber = crlnumber
certificate = ca.crt
private_key = ca.key
default_md = sha256
"""


@pytest.fixture(name="server", params=EACH)
def server_fixture(request: pytest.FixtureRequest) -> Nginx:
    return of_this_machine(request.param)


@contextlib.contextmanager
def served(server: Nginx, folder: Path, prefix: Path) -> Iterator[None]:
    block = mtls(
        *("nginx", "--nginx", server.path, "--listen", f"127.0.0.1:{server.port}"),
        *("--out", folder),
    ).stdout
    assert "ssl_crl" in block
    prefix.mkdir(exist_ok=True)
    write_config(prefix, block[block.index("server {") :])
    with serving(server.path, prefix):
        yield


def status(server: Nginx, folder: Path, certificate: str, key: str) -> int:
    return int(
        ran(
            *(tool("curl"), "-sS", "-o", "-", "-w", "\n%{http_code}", "--cacert", "ca.crt"),
            *("--cert", certificate, "--key", key, f"https://127.0.0.1:{server.port}/"),
            cwd=folder,
        ).stdout.rpartition("\n")[2]
    )


def test_the_leaver_is_refused_and_the_others_are_let_in(server: Nginx, tmp_path: Path) -> None:
    folder = left(tmp_path / "set")

    with served(server, folder, tmp_path / "nginx"):
        statuses = [
            status(server, folder, f"{name}.crt", f"{name}.key") for name in ("alice", "bob")
        ]

    assert statuses == [400, 200]


def test_below_an_intermediate_too(server: Nginx, tmp_path: Path) -> None:
    folder = layered(tmp_path / "set")
    mtls("revoke", "alice", "--out", folder)

    with served(server, folder, tmp_path / "nginx"):
        statuses = [
            status(server, folder, f"{name}{chain}.crt", f"{name}.key")
            for name in ("alice", "bob")
            for chain in ("", ".chain")  # with the intermediate authority's certificate, or not
        ]

    assert statuses == [400, 400, 200, 200]


def test_once_the_crl_is_over_everybody_is_out_and_doctor_says_why_and_what_mends_it(
    server: Nginx, tmp_path: Path
) -> None:
    folder = left(tmp_path / "set")
    (folder / "test.cnf").write_text(SHORT)
    asked(folder, "ca", "-gencrl", "-crlsec", "1", "-out", "crl.pem")
    (folder / "test.cnf").unlink()
    end = listed(folder).next_update
    assert end
    while datetime.now(UTC) <= end + timedelta(seconds=1):
        time.sleep(0.05)  # it is good to the end of its second

    with served(server, folder, tmp_path / "nginx"):
        assert status(server, folder, "bob.crt", "bob.key") == 400
        findings = said("doctor", folder=folder, code=5)["findings"]
        (found,) = (one for one in findings if one["code"] == "crl-expired")
        assert "refuses everybody" in found["why"]
        assert found["mend"].startswith("python -m mtls_openssl crl")
    mtls("crl", "--out", folder)

    with served(server, folder, tmp_path / "nginx"):
        assert status(server, folder, "bob.crt", "bob.key") == 200
        assert status(server, folder, "alice.crt", "alice.key") == 400
