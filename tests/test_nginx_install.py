"""The block is put where nginx reads it, tested with all the rest, and taken back if it fails."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.machine import mtls, openssl, ran, snapshot, tool
from tests.nginx import EACH, Nginx, of_this_machine, serving, wait_for_workers

pytestmark = pytest.mark.posix

# As it comes with a download of nginx: `conf` in the folder that all paths begin at.
CONFIG = """\
{user}
pid nginx.pid;
error_log error.log;
events {{
}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    include sites/*.conf;
}}
"""


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(modern, tmp_path_factory.mktemp("install") / "证 书"))


@pytest.fixture
def folder(modern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(modern, tmp_path / "证 书"))


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = tmp_path / "nginx 目录"
    (prefix / "conf" / "sites").mkdir(parents=True)
    user = "user root root;" if os.geteuid() == 0 else ""
    (prefix / "conf" / "nginx.conf").write_text(CONFIG.format(user=user))
    return prefix


@pytest.fixture(params=EACH)
def server(request: pytest.FixtureRequest) -> Nginx:
    return of_this_machine(request.param)


def words(server: Nginx, prefix: Path, *options: str) -> list[str]:
    return [
        *("nginx", "--nginx", server.path, "--install", str(prefix / "conf" / "sites")),
        *("--listen", f"127.0.0.1:{server.port}", *options),
    ]


@pytest.mark.end_to_end
@pytest.mark.tool("curl")
def test_a_running_nginx_takes_it_up_by_the_command_that_is_told(
    server: Nginx, folder: Path, prefix: Path
) -> None:
    with serving(server.path, prefix, "-c", "conf/nginx.conf") as running:
        told = json.loads(mtls(*words(server, prefix), "--json", cwd=folder).stdout)
        ran(*told["reload"], cwd=folder)
        wait_for_workers(running)
        page = ran(
            *(tool("curl"), "-sS", "--cacert", "ca.crt", "--cert", "client.crt"),
            *("--key", "client.key", f"https://127.0.0.1:{server.port}/"),
            cwd=folder,
        ).stdout
    assert page.startswith("SUCCESS CN=client1,")
    assert told["file"] == str(prefix / "conf" / "sites" / "mtls.conf")
    assert (told["checked"], told["backup"]) == (True, None)


def test_where_none_is_running_the_command_that_starts_it_is_told(
    server: Nginx, folder: Path, prefix: Path
) -> None:
    told = json.loads(mtls(*words(server, prefix), "--json", cwd=folder).stdout)
    (prefix / "conf" / "sites" / "other.conf").write_text("nonsense;")
    refused = ran(*told["start"], "-t", cwd=folder, exit_code=1)
    assert "unknown directive" in refused.stderr
    (prefix / "conf" / "sites" / "other.conf").unlink()
    assert "Where nginx is not running yet: " in mtls(*words(server, prefix), cwd=folder).stderr


def test_what_was_there_is_in_the_backup_and_the_same_is_left_alone(
    server: Nginx, folder: Path, prefix: Path
) -> None:
    file = prefix / "conf" / "sites" / "mtls.conf"
    file.write_text("# mine\n")
    mtls(*words(server, prefix), cwd=folder)
    again = mtls(*words(server, prefix), cwd=folder)
    kept = list((folder / "backup").rglob("mtls.conf"))
    assert [one.read_text() for one in kept] == ["# mine\n"]
    assert "was there already" in again.stderr
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("before", [None, "# mine\n"])
def test_what_nginx_refuses_is_taken_back(
    before: str | None, server: Nginx, folder: Path, prefix: Path
) -> None:
    if before:
        (prefix / "conf" / "sites" / "mtls.conf").write_text(before)
    there = snapshot(prefix / "conf")
    shutil.copy(folder / "client.key", folder / "server.key")
    refused = mtls(*words(server, prefix), cwd=folder, exit_code=5)
    assert "key values mismatch" in refused.stderr
    assert snapshot(prefix / "conf") == there


def test_what_nginx_would_not_read_is_taken_back(server: Nginx, folder: Path, prefix: Path) -> None:
    config = prefix / "conf" / "nginx.conf"
    config.write_text(config.read_text().replace("    include sites/*.conf;\n", ""))
    there = snapshot(prefix / "conf")
    refused = mtls(*words(server, prefix), cwd=folder, exit_code=5)
    assert f"nginx does not read {prefix / 'conf' / 'sites' / 'mtls.conf'}" in refused.stderr
    assert f'include "{prefix / "conf" / "sites"}/*.conf";' in refused.stderr
    assert snapshot(prefix / "conf") == there


def test_where_nginx_refuses_what_it_has_nothing_is_done(
    server: Nginx, folder: Path, prefix: Path
) -> None:
    (prefix / "conf" / "sites" / "other.conf").write_text("nonsense;\n")
    there = snapshot(prefix / "conf")
    refused = mtls(*words(server, prefix), cwd=folder, exit_code=5)
    assert "refuses what is in" in refused.stderr
    assert 'unknown directive "nonsense"' in refused.stderr
    assert snapshot(prefix / "conf") == there


def test_a_block_of_ours_that_has_gone_bad_can_be_replaced(
    server: Nginx, folder: Path, prefix: Path
) -> None:
    file = prefix / "conf" / "sites" / "mtls.conf"
    file.write_text('server { listen 8443 ssl; ssl_certificate "gone.crt"; }\n')
    told = mtls(*words(server, prefix), cwd=folder)
    assert "nginx accepts all that" in told.stderr
    assert "gone.crt" not in file.read_text("utf-8")


def test_a_name_that_two_blocks_want_is_told(server: Nginx, folder: Path, prefix: Path) -> None:
    (prefix / "conf" / "sites" / "a.conf").write_text(
        mtls(*words(server, prefix)[:3], "--listen", f"127.0.0.1:{server.port}", cwd=folder).stdout
    )
    told = mtls(*words(server, prefix), cwd=folder)
    assert 'conflicting server name "localhost"' in told.stderr


def test_a_link_among_the_sites_may_lead_to_it(server: Nginx, folder: Path, prefix: Path) -> None:
    available = prefix / "conf" / "available"
    available.mkdir()
    (prefix / "conf" / "sites" / "mtls.conf").symlink_to(available / "mtls.conf")
    (available / "mtls.conf").touch()
    mtls(*words(server, prefix)[:3], "--install", str(available), cwd=folder)
    assert "ssl_verify_client on;" in (available / "mtls.conf").read_text("utf-8")


def test_other_sites_secrets_are_not_in_the_log(server: Nginx, folder: Path, prefix: Path) -> None:
    (prefix / "conf" / "sites" / "other.conf").write_text("# the password is sesame\n")
    mtls(*words(server, prefix), cwd=folder)
    assert b"sesame" not in (folder / "mtls-audit.jsonl").read_bytes()


def test_a_folder_without_an_nginx_above_it_is_refused(
    server: Nginx, folder: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    argv = [*words(server, tmp_path)[:3], "--install", str(empty)]
    assert "no nginx.conf in" in mtls(*argv, cwd=folder, exit_code=7).stderr
    empty.rmdir()
    assert "is not a folder" in mtls(*argv, cwd=folder, exit_code=7).stderr


EVERYTHING = (
    *("--upstream", "http://127.0.0.1:8080/app/", "--redirect", "8081", "--dhe"),
    *("--listen", "8443", "--listen", "[::1]:8443", "--key-password-file", "word"),
)


@pytest.mark.end_to_end
def test_each_directive_is_one_that_nginx_knows(server: Nginx, folder: Path) -> None:
    mtls("dhparam", "--group", "ffdhe2048", cwd=folder)
    (folder / "word").write_text("a pass phrase that is not needed\n")
    told = mtls("nginx", "--nginx", server.path, "--check", *EVERYTHING, cwd=folder)
    assert "nginx accepts it." in told.stderr
    assert "strange" not in told.stderr


def test_a_fault_is_told_in_nginxs_own_words(server: Nginx, folder: Path) -> None:
    shutil.copy(folder / "client.key", folder / "server.key")
    refused = mtls("nginx", "--nginx", server.path, "--check", cwd=folder, exit_code=5)
    assert "refuses the configuration: " in refused.stderr
    assert "key values mismatch" in refused.stderr


NAMES = ["a;b {c}", "'quoted' \"both\"", "back\\new\\", "# no comment", "100% 证书 😀", "-p"]


@pytest.mark.parametrize("name", NAMES)
def test_nginx_finds_the_set_whatever_its_folder_is_called(
    name: str, server: Nginx, made: Path, tmp_path: Path
) -> None:
    shutil.copytree(made, tmp_path / name)
    mtls("nginx", "--nginx", server.path, "--check", cwd=tmp_path / name)


def test_a_folder_with_a_dollar_is_refused_before_nginx_misreads_it(
    made: Path, tmp_path: Path
) -> None:
    shutil.copytree(made, tmp_path / "$HOME")
    refused = mtls("nginx", cwd=tmp_path / "$HOME", exit_code=6)
    assert "the name of a variable" in refused.stderr


def test_every_command_of_nginx_has_its_line(server: Nginx, folder: Path) -> None:
    mtls("nginx", "--nginx", server.path, "--check", cwd=folder)
    lines = [json.loads(line) for line in (folder / "mtls-audit.jsonl").read_text().splitlines()]
    asked = [line["argv"][1:] for line in lines if line.get("kind") == "tool"]
    assert asked == [["-V"], ["-T", "-p", ".", "-c", "nginx.conf"]]


def test_the_set_itself_is_as_it_was(server: Nginx, folder: Path) -> None:
    before = snapshot(folder)
    mtls("nginx", "--nginx", server.path, "--check", cwd=folder)
    assert {**snapshot(folder), "mtls-audit.jsonl": b""} == {**before, "mtls-audit.jsonl": b""}
    ran(openssl(), "verify", "-CAfile", "ca.crt", "server.crt", cwd=folder)


IMPATIENT = """\
#!/bin/sh
# An nginx in whose test somebody presses Ctrl-C.
case $1 in
-V) echo "nginx version: nginx/1.22.1" >&2 ;;
-T)
    if [ -e conf/sites/mtls.conf ]; then
        kill -INT $PPID
        echo "# configuration file ./conf/sites/mtls.conf:"
        exit {code}
    fi
    ;;
esac
"""


@pytest.mark.parametrize(("code", "exit_code", "there"), [(0, 0, ["mtls.conf"]), (1, 5, [])])
def test_an_interrupt_in_the_middle_leaves_it_in_place_and_tested_or_not_at_all(
    code: int, exit_code: int, there: list[str], folder: Path, prefix: Path, tmp_path: Path
) -> None:
    impatient = tmp_path / "nginx"
    impatient.write_text(IMPATIENT.format(code=code))
    impatient.chmod(0o755)
    mtls(*words(Nginx(str(impatient), 8443), prefix), cwd=folder, exit_code=exit_code)
    assert [file.name for file in (prefix / "conf" / "sites").iterdir()] == there
