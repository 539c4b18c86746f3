"""The server block for nginx, as text: what is in it, and that nothing gets out of its quotes."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mtls_openssl import templating
from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.openssl.extensions import ALTERNATIVE_NAME, BASIC_CONSTRAINTS, Extension
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.webserver import certificates, nginx, program
from mtls_openssl.webserver.certificates import Certificate
from tests.machine import lock, mtls, openssl

SITE = {"folder": PurePosixPath("/certs"), "names": ("localhost",), "depth": 1}
NEVER = datetime(2020, 1, 1, tzinfo=UTC)
ESCAPES = {"t": "\t", "r": "\r", "n": "\n", '"': '"', "'": "'", "\\": "\\"}


def block(**changes: Any) -> str:
    return templating.render(nginx.server_block(nginx.Site(**{**SITE, **changes})))


def directives(text: str) -> dict[str, list[str]]:
    """Each directive's arguments, of a block whose arguments hold no semicolon."""
    found: dict[str, list[str]] = {}
    for name, words in re.findall(r"^ *(\w+) (.*);$", text, re.MULTILINE):
        found.setdefault(name, []).append(words)
    return found


def word(quoted: str) -> str:
    """A word in double quotes as nginx reads it (ngx_conf_read_token)."""
    assert quoted[0] == '"'
    text, at = "", 1
    while quoted[at] != '"':
        if quoted[at] == "\\" and quoted[at + 1] in ESCAPES:
            text, at = text + ESCAPES[quoted[at + 1]], at + 2
        else:
            text, at = text + quoted[at], at + 1
    assert at == len(quoted) - 1
    return text


def certificate(subject: str, issuer: str = "Root", *names: str, is_ca: bool = True) -> Certificate:
    extensions = {
        BASIC_CONSTRAINTS: Extension(("CA:TRUE" if is_ca else "CA:FALSE",)),
        ALTERNATIVE_NAME: Extension(names),
    }
    description = Description(
        (("CN", subject),), (("CN", issuer),), "1", NEVER, NEVER, "", extensions
    )
    return Certificate(subject.encode(), description)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="$")))
@example("'; } \" # {")
@example("back\\slash\\")
@example("证 书/new/table")
def test_a_path_is_one_word_to_nginx_and_the_same_path(name: str) -> None:
    path = PurePosixPath("/") / name
    assert word(nginx.quoted(path)) == path.as_posix()


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters='$"')))
@example("new")
@example("table\\run")
@example("证 书")
def test_a_path_of_windows_has_forward_slashes(name: str) -> None:
    path = PureWindowsPath("C:\\") / name
    assert "\\" not in nginx.quoted(path)
    assert word(nginx.quoted(path)) == path.as_posix()


@pytest.mark.parametrize(
    ("name", "cause"), [("a$b", "variable"), ("a\nb", "control"), ("a\udcffb", "UTF-8")]
)
def test_a_path_that_nginx_cannot_be_told_is_refused(name: str, cause: str) -> None:
    with pytest.raises(SettingRefusedError, match="can't be written") as refused:
        nginx.quoted(PurePosixPath("/") / name)
    assert cause in refused.value.cause


@settings(deadline=None)
@given(st.text(max_size=20))
@example("DNS:a;}server{")
@example("DNS:*.example.com")
@example("DNS:.")
@example("IP Address:<invalid>")
def test_a_certificate_of_somebody_else_says_nothing_but_names(value: str) -> None:
    names = certificates.names(certificate("server", "Root", value, f"DNS:{value}"))
    assert all(re.fullmatch(r"[a-z0-9_.*-]+|\[[0-9a-f:.]+\]", name) for name in names)


def test_the_names_are_those_of_the_certificate_as_browsers_send_them() -> None:
    alternatives = ("DNS:A.example", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1")
    names = certificates.names(certificate("server", "Root", *alternatives, "DNS:a.example"))
    assert names == ("a.example", "127.0.0.1", "[::1]")


ROOT = certificate("Root")
FIRST, SECOND = certificate("First", "Root"), certificate("Second", "First")


@pytest.mark.parametrize(
    ("authorities", "depth"),
    [
        ((ROOT,), 1),
        ((ROOT, FIRST), 2),
        ((SECOND, ROOT, FIRST), 3),
        ((ROOT, certificate("Other", "Other")), 1),
        ((FIRST,), 1),
        ((ROOT, certificate("leaf", is_ca=False)), 1),
        ((certificate("A", "B"), certificate("B", "A")), 2),
        ((), 1),
    ],
)
def test_the_depth_is_that_of_the_longest_chain(
    authorities: tuple[Certificate, ...], depth: int
) -> None:
    assert certificates.depth(authorities) == depth


def test_it_is_the_guides_block_without_its_faults() -> None:
    found = directives(block())
    assert found["listen"] == ["443 ssl"]
    assert found["ssl_certificate"] == ['"/certs/server.crt"']
    assert found["ssl_certificate_key"] == ['"/certs/server.key"']
    assert found["ssl_client_certificate"] == ['"/certs/ca.crt"']
    assert found["ssl_verify_client"] == ["on"]
    assert found["ssl_verify_depth"] == ["1"]
    assert found["ssl_protocols"] == ["TLSv1.2 TLSv1.3"]
    assert not {"http2", "ssl_dhparam", "ssl_crl", "proxy_set_header"} & set(found)


def test_headers_come_with_an_upstream_only_and_the_certificate_on_one_line() -> None:
    found = directives(block(upstream="http://127.0.0.1:8080"))
    assert found["proxy_pass"] == ["http://127.0.0.1:8080"]
    assert "X-SSL-Client-Cert $ssl_client_escaped_cert" in found["proxy_set_header"]
    assert "return" not in found


def test_dhparam_comes_with_the_ciphers_that_use_it() -> None:
    found = directives(block(dhe=True))
    assert found["ssl_dhparam"] == ['"/certs/dhparam.pem"']
    assert ":DHE-RSA-" in found["ssl_ciphers"][0]
    assert ":DHE-" not in directives(block())["ssl_ciphers"][0]


def test_a_redirect_leads_to_the_port_that_tls_is_on() -> None:
    found = directives(block(redirect=80, listen=("8443", "[::]:8443")))
    assert found["listen"] == ["8443 ssl", "[::]:8443 ssl", "80", "[::]:80"]
    assert found["return"][-1] == "301 https://$host:8443$request_uri"
    assert directives(block(redirect=80))["return"][-1] == "301 https://$host$request_uri"


def test_without_a_name_the_block_answers_to_any() -> None:
    assert directives(block(names=()))["server_name"] == ["_"]


@pytest.mark.parametrize("listen", ["0", "65536", "a b", "443 ssl;", "x:y:443", "", "[::]", "$p"])
def test_what_is_no_place_to_listen_at_is_refused(listen: str) -> None:
    with pytest.raises(SettingRefusedError, match="--listen"):
        block(listen=(listen,))


def test_one_port_is_not_both_redirect_and_tls() -> None:
    with pytest.raises(SettingRefusedError, match="--redirect 443"):
        block(redirect=443)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab1.:/@[]{};$ '\"\\\n%#?htp-"), max_size=20))
@example("127.0.0.1:8080/;}")
@example("[::1]:8080")
@example("user:secret@host")
@example("host:port")
def test_an_upstream_is_one_plain_word_or_refused(rest: str) -> None:
    try:
        found = directives(block(upstream=f"http://{rest}"))
    except SettingRefusedError:
        return
    assert found["proxy_pass"] == [f"http://{rest}"]
    assert not set(rest) & set("{};$ '\"\\\n@#?")


@pytest.mark.parametrize(
    ("said", "knows"),
    [
        ("nginx version: nginx/1.22.1\nconfigure arguments: --with-http_v2_module", False),
        ("nginx version: nginx/1.25.0\nconfigure arguments: --with-http_v2_module", False),
        ("nginx version: nginx/1.25.1\nconfigure arguments: --with-http_v2_module", True),
        (
            "nginx version: nginx/1.25.1 (Ubuntu)\nconfigure arguments: --with-http_ssl_module",
            False,
        ),
        ("nginx version: nginx/1.31.3\nconfigure arguments: --with-http_v2_module", True),
        ("nginx version: openresty/1.27.1.1\nconfigure arguments: --with-http_v2_module", True),
        ("nginx version: Angie/1.25.9\nconfigure arguments: --with-http_v2_module", False),
    ],
)
def test_http2_is_for_an_nginx_that_knows_it(said: str, knows: bool) -> None:
    build = nginx.parse_version(said)
    assert build
    assert build.knows_http2 is knows


def test_another_program_is_no_nginx() -> None:
    assert nginx.parse_version("OpenSSL 3.0.19") is None


def test_a_port_that_is_for_root_is_no_fault_of_the_configuration() -> None:
    said = "nginx: [emerg] bind() to 0.0.0.0:443 failed (13: Permission denied)\n"
    verdict = nginx.parse_test(1, "", said)
    assert (verdict.fault, verdict.denied) == ("", said.strip()[len("nginx: [emerg] ") :])


def test_a_warning_is_read_wherever_nginx_logs_to() -> None:
    said = (
        "nginx: [warn] one, ignored\n"
        "2026/11/24 03:30:22 [warn] 18988#18988: two, ignored\n"
        "2026/11/24 03:30:22 [notice] 18988#18988: three\n"
    )
    assert nginx.parse_test(0, "", said).warnings == ("one, ignored", "two, ignored")


@pytest.mark.parametrize(
    "said",
    ['nginx: [emerg] unknown directive "http2" in mtls.conf:3\n', "something else\n", ""],
)
def test_whatever_else_makes_nginx_fail_is_a_fault(said: str) -> None:
    assert nginx.parse_test(1, "", said).fault


def test_an_nginx_is_found_on_the_path_and_never_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "nginx.exe" if sys.platform == "win32" else "nginx"
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / name).touch()
    monkeypatch.chdir(here)
    path = os.pathsep.join(["", ".", str(tmp_path / "none"), str(there)])
    assert program.find(None, {"PATH": path}) == there / name


def test_an_nginx_is_found_in_the_folder_that_was_named(tmp_path: Path) -> None:
    name = "nginx.exe" if sys.platform == "win32" else "nginx"
    (tmp_path / name).touch()
    assert program.find(tmp_path, {}) == tmp_path / name
    assert program.find(tmp_path / name, {}) == tmp_path / name


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(modern, tmp_path_factory.mktemp("nginx") / "证 书"))


@pytest.fixture
def folder(modern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(modern, tmp_path / "证 书"))


@pytest.mark.end_to_end
def test_the_block_of_a_set_names_its_own_files_and_the_servers_names(folder: Path) -> None:
    data = json.loads(mtls("nginx", "--json", cwd=folder).stdout)
    found = directives(data["config"])
    assert [word(path) for path in found["ssl_certificate_key"]] == [
        (folder / "server.key").as_posix()
    ]
    assert found["server_name"] == [" ".join(data["names"])]
    assert data["names"] == [
        "server.your_domain.com", "localhost", "api.your_domain.com", "127.0.0.1",
    ]  # fmt: skip
    assert (data["ok"], data["verify_depth"], data["checked"]) == (True, 1, False)


def test_what_is_printed_is_the_block_and_what_is_said_goes_elsewhere(folder: Path) -> None:
    printed = mtls("nginx", cwd=folder)
    mtls("nginx", "--write", "mtls.conf", cwd=folder)
    assert printed.stdout == (folder / "mtls.conf").read_text("utf-8")
    assert printed.stderr
    assert mtls("nginx", "-q", cwd=folder).stderr == ""


def test_a_file_that_is_replaced_is_in_the_backup(folder: Path) -> None:
    (folder / "mtls.conf").write_text("mine")
    told = mtls("nginx", "--write", "mtls.conf", cwd=folder)
    kept = list((folder / "backup").rglob("mtls.conf"))
    assert [file.read_text() for file in kept] == ["mine"]
    assert str(kept[0]) in told.stderr


def test_a_file_that_is_the_same_is_left_alone(folder: Path) -> None:
    mtls("nginx", "--write", "mtls.conf", cwd=folder)
    told = mtls("nginx", "--write", "mtls.conf", cwd=folder)
    assert "was there already" in told.stderr
    assert not (folder / "backup").exists()


@pytest.mark.parametrize("name", ["ca.crt", "server.crt", "server.key"])
def test_a_file_that_is_missing_is_named_with_the_command_that_makes_it(
    name: str, folder: Path
) -> None:
    (folder / name).unlink()
    refused = mtls("nginx", cwd=folder, exit_code=7)
    assert f"has no {name}" in refused.stderr
    assert f"python -m mtls_openssl {Path(name).stem};" in refused.stderr


def test_dhe_without_its_parameters_names_the_command_that_makes_them(folder: Path) -> None:
    refused = mtls("nginx", "--dhe", cwd=folder, exit_code=7)
    assert "python -m mtls_openssl dhparam" in refused.stderr


def test_a_key_with_a_pass_phrase_needs_the_file_that_has_it(folder: Path) -> None:
    lock(folder / "server.key", "open")
    refused = mtls("nginx", cwd=folder, exit_code=2)
    assert "--key-password-file FILE" in refused.stderr
    found = directives(mtls("nginx", "--key-password-file", "word", cwd=folder).stdout)
    assert [word(path) for path in found["ssl_password_file"]] == [(folder / "word").as_posix()]


def test_two_places_for_one_file_are_refused(folder: Path) -> None:
    refused = mtls("nginx", "--install", ".", "--write", "x", cwd=folder, exit_code=2)
    assert "two places" in refused.stderr


def test_an_nginx_that_is_not_there_is_said_to_be_missing(folder: Path) -> None:
    refused = mtls("nginx", "--nginx", "none/nginx", cwd=folder, exit_code=2)
    assert "is not there" in refused.stderr


def test_a_program_that_is_no_nginx_is_not_taken_for_one(folder: Path) -> None:
    refused = mtls("nginx", "--nginx", openssl(), cwd=folder, exit_code=2)
    assert "is not an nginx" in refused.stderr
