"""`import-bat`: what a customised batch file makes, in the words of mtls.toml; the rest is told."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtls_openssl.batfile import Import, read, syntax
from mtls_openssl.batfile.expansion import Variables
from mtls_openssl.batfile.writing import document
from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.manifest import Key, Manifest, Packing, Role
from mtls_openssl.settings import Loaded, load
from tests.batfiles import ORIGINAL, edited, original_bytes
from tests.machine import facts, mtls

CLIENT = ORIGINAL[ORIGINAL.index(":: 3. Generate Client") : ORIGINAL.index(":: 4. Verify")]
PACKING = (
    "openssl pkcs12 -export -out client.p12 -inkey client.key -in client.crt -certfile ca.crt ^\n"
    '  -name "MyClientCert"\n'
)
assert PACKING in ORIGINAL


def imported(text: str | bytes, folder: Path) -> tuple[Import, Loaded]:
    """What came of a batch file, and what the file of settings made of it loads to."""
    content = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode()
    found = read(content, "mine.bat")
    config = folder / "mtls.toml"
    config.write_text(document(found, "mine.bat"), encoding="utf-8")
    return found, load({}, environ={}, config=config)


def made(text: str | bytes, folder: Path) -> Manifest:
    return imported(text, folder)[1].manifest


def whys(found: Import) -> dict[int, str]:
    return {one.line: f"{one.text}: {one.why}" for one in found.left}


def second_client(name: str, cn: str) -> str:
    return CLIENT.replace("client.", f"{name}.").replace("CN=client1", f"CN={cn}")


def test_the_original_is_the_profile_bat_and_all_of_it_is_carried_over(tmp_path: Path) -> None:
    found, loaded = imported(original_bytes(), tmp_path)
    usual = load({}, environ={}, config=None)
    assert loaded.settings == usual.settings
    assert loaded.manifest == usual.manifest
    assert found.left == ()
    assert not loaded.tables


def test_the_original_in_the_environment_is_the_one_that_is_tested_with() -> None:
    assert original_bytes().decode().replace("\r\n", "\n").rstrip() == ORIGINAL.rstrip()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_chinese_organisation_is_read_in_whatever_it_was_saved_as(
    encoding: str, tmp_path: Path
) -> None:
    text = edited(
        ("set ORG=MyOrganization", "set ORG=北京测试科技有限公司"),
        ("set CITY=Beijing", "set CITY=北京"),
    )
    found, loaded = imported(text.encode(encoding), tmp_path)
    assert loaded.settings.org == "北京测试科技有限公司"
    assert loaded.settings.city == "北京"
    assert dict(loaded.manifest.root.subject)["O"] == "北京测试科技有限公司 CA"
    assert found.encoding in {"utf-8", "gbk", "utf-16-le"}


def test_names_days_and_sizes_are_what_the_file_says(tmp_path: Path) -> None:
    text = edited(
        ("set DOMAIN=your_domain.com", 'set "DOMAIN=example.cn"'),
        ("set CERT_DAYS=365", "set CERT_DAYS=730  "),
        ("set KEY_SIZE=2048", "set /a KEY_SIZE=2048*2"),
        ("-days 3650", "-days 7300"),
        ("CN=MyRootCA", "CN=My Own CA"),
        (
            "echo IP.1 = 127.0.0.1",
            "echo DNS.4 = *.%DOMAIN%\necho IP.1 = 127.0.0.1\necho IP.2 = 192.0.2.7",
        ),
    )
    found, loaded = imported(text, tmp_path)
    assert loaded.settings.server_dns == (
        "server.example.cn", "localhost", "api.example.cn", "*.example.cn",
    )  # fmt: skip
    assert loaded.settings.server_ip == ("127.0.0.1", "192.0.2.7")
    assert (loaded.settings.cert_days, loaded.settings.ca_days) == (730, 7300)
    assert (loaded.settings.key_size, loaded.settings.ca_key_size) == (4096, 4096)
    assert loaded.settings.ca_cn == "My Own CA"
    assert found.left == ()
    assert not loaded.tables


def test_another_client_becomes_a_table_and_so_do_those_that_were_there(tmp_path: Path) -> None:
    text = edited(
        (":: 4. Verify", second_client("alice", "Alice") + ":: 4. Verify"),
        (PACKING, PACKING + PACKING.replace("client.", "alice.").replace("MyClientCert", "Alice")),
    )
    found, loaded = imported(text, tmp_path)
    clients = [leaf for leaf in loaded.manifest.leaves if leaf.role is Role.CLIENT]
    assert [leaf.name for leaf in clients] == ["client", "alice"]
    assert [leaf.subject[-1] for leaf in clients] == [("CN", "client1"), ("CN", "Alice")]
    assert clients[0].packings == (Packing("client.p12", "MyClientCert"),)
    assert clients[1].packings == (Packing("alice.p12", "Alice"),)
    (server,) = [leaf for leaf in loaded.manifest.leaves if leaf.role is Role.SERVER]
    assert server.alternatives[:2] == ("DNS:server.your_domain.com", "DNS:localhost")
    assert found.left == ()


def test_a_server_that_is_for_both_sides_becomes_a_peer(tmp_path: Path) -> None:
    usage = "echo extendedKeyUsage = serverAuth"
    found, loaded = imported(edited((usage, f"{usage}, clientAuth")), tmp_path)
    assert {leaf.name: leaf.peer for leaf in loaded.manifest.leaves} == {
        "server": True,
        "client": False,
    }
    assert found.left == ()


def test_clients_of_a_loop_are_all_found(tmp_path: Path) -> None:
    one = CLIENT.replace("client.", "%%c.").replace("CN=client1", "CN=%%c")
    loop = "for %%c in (client alice bob) do (\n" + one.replace(") >", ") >") + ")\n"
    manifest = made(edited((CLIENT, loop)), tmp_path)
    assert [leaf.name for leaf in manifest.leaves] == ["server", "client", "alice", "bob"]
    assert manifest.leaves[-1].packings == ()


def test_clients_of_a_subroutine_are_all_found(tmp_path: Path) -> None:
    body = CLIENT.replace("client.", "%1.").replace("CN=client1", "CN=%~2")
    text = edited(
        (CLIENT, 'call :make client "client1"\ncall :make alice "Alice 甲"\n'),
        ("\npause", "\npause\ngoto :eof\n\n:make\n" + body + "exit /b 0"),
    )
    manifest = made(text, tmp_path)
    assert [leaf.name for leaf in manifest.leaves] == ["server", "client", "alice"]
    assert manifest.leaves[-1].subject[-1] == ("CN", "Alice 甲")


def test_a_second_server_with_another_key_and_other_days_keeps_them(tmp_path: Path) -> None:
    server = ORIGINAL[ORIGINAL.index(":: 2. Generate") : ORIGINAL.index(":: 3. Generate")]
    api = (
        server.replace("server.key", "api.key").replace("server.csr", "api.csr")
        .replace("server.crt", "api.crt").replace("CN=server.", "CN=api.")
        .replace("%CERT_DAYS%", "90")
        .replace("genrsa -out api.key %KEY_SIZE%",
                 "ecparam -name secp384r1 -genkey -noout -out api.key")
    )  # fmt: skip
    text = edited((":: 3. Generate", api + ":: 3. Generate"))
    manifest = made(text, tmp_path)
    leaf = manifest.leaf("api")
    assert leaf
    assert (leaf.role, leaf.days, leaf.key) == (Role.SERVER, 90, Key("EC", curve="P-384"))
    assert manifest.leaves[0].days == 365


def test_an_intermediate_ca_and_a_pass_phrase_become_tables(tmp_path: Path) -> None:
    between = (
        "openssl genrsa -aes256 -passout pass:topsecret -out inter.key 4096\n"
        'openssl req -new -key inter.key -out inter.csr -subj "/C=CN/ST=Beijing/L=Beijing'
        '/O=%ORG% CA/CN=Issuing"\n'
        "(echo basicConstraints=critical,CA:TRUE,pathlen:0\n"
        "echo keyUsage=critical,keyCertSign,cRLSign) > v3_inter.ext\n"
        "openssl x509 -req -in inter.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1825"
        " -extfile v3_inter.ext -out inter.crt\n"
    )
    text = edited((":: 2. Generate", between + ":: 2. Generate")).replace(
        "-CA ca.crt -CAkey ca.key -CAcreateserial ^", "-CA inter.crt -CAkey inter.key ^"
    )
    found, loaded = imported(text, tmp_path)
    authority = loaded.manifest.intermediate
    assert authority
    assert (authority.days, authority.path_length, authority.encrypted) == (1825, 0, True)
    assert authority.subject[-1] == ("CN", "Issuing")
    assert loaded.passphrases == {"intermediate": "ask"}
    assert any("intermediate.crt" in why for why in whys(found).values())
    assert "topsecret" not in repr(found) + document(found, "x")


def test_what_can_not_be_carried_over_is_told_by_its_line() -> None:
    text = edited(
        ("/CN=client1", "/OU=Sales/CN=client1"),
        (
            "echo keyUsage = digitalSignature\n",
            "echo keyUsage = digitalSignature, dataEncipherment\n",
        ),
        (
            "%CERT_DAYS% -sha256 -extfile v3_client.ext",
            "%CERT_DAYS% -sha512 -extfile v3_client.ext",
        ),
        (PACKING, PACKING.rstrip() + " -passout pass:geheim\ncopy client.p12 Z:\\keys\n"),
        ("set ORG=MyOrganization\n", "set ORG=MyOrganization\nset /p DOMAIN=Domain? \n"),
    )
    found = read(text.encode(), "mine.bat")
    told = whys(found)
    lines = text.split("\n")
    assert {
        fragment: sum(fragment in lines[number - 1] for number in told)
        for fragment in ("set /p", "dataEncipherment", "copy client.p12")
    } == {"set /p": 1, "dataEncipherment": 1, "copy client.p12": 1}
    said = " ".join(f"{one.text}: {one.why}" for one in found.left)
    for words in ("OU=Sales", "-sha512", "asks for DOMAIN", "no command of openssl"):
        assert words in said
    assert "geheim" not in said + document(found, "x")


def test_a_value_that_settings_refuse_is_told_and_left_out(tmp_path: Path) -> None:
    found, loaded = imported(edited(("KEY_SIZE=2048", "KEY_SIZE=1024")), tmp_path)
    assert loaded.settings.key_size == 2048
    assert "too short to be safe" in " ".join(whys(found).values())


def test_a_batch_file_of_something_else_is_refused() -> None:
    with pytest.raises(SettingRefusedError, match="no certificate"):
        read(b"@echo off\r\necho hello\r\n", "hello.bat")
    with pytest.raises(SettingRefusedError, match="neither UTF-8 nor GBK"):
        read(b"set ORG=\xff\xff\xff", "binary.bat")


# How cmd reads


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('-subj "/O=a b/CN=c" x', ("-subj", "/O=a b/CN=c", "x")),
        ('a^&b ^^ "c^d"', ("a&b", "^", "c^d")),
        (r'"a\"b" ""', ('a"b', "")),
    ],
)
def test_words_are_those_that_a_program_gets(text: str, words: tuple[str, ...]) -> None:
    assert syntax.words(text) == words


def test_a_line_goes_on_after_a_caret_and_comments_do_not_count() -> None:
    text = "rem a ^\r\n:: b\r\none ^\r\n  two^\r\n three\r\n\r\nfour"
    assert [(line.number, line.text) for line in syntax.lines(text)] == [
        (3, "one   two three"), (7, "four"),
    ]  # fmt: skip


def test_commands_are_taken_apart_outside_quotes_only() -> None:
    text = 'a "x&y" & b>nul 2>&1 && c || d | e ^& f'
    assert [(one.after, one.text) for one in syntax.statements(text)] == [
        ("", 'a "x&y"'), ("&", "b>nul 2>&1"), ("&&", "c"), ("||", "d"), ("|", "e ^& f"),
    ]  # fmt: skip
    assert syntax.redirected('echo "a>b" c 2>nul >>"my file"') == ('echo "a>b" c', "my file", True)


def test_variables_are_filled_in_as_cmd_does() -> None:
    variables = Variables()
    variables.set("Name", "abcdef")
    assert variables.expanded(
        "%NAME% %name:~1,2% %Name:~-2% %NAME:CD=-% 100%% %nobody%|%1%2", ["x"]
    ) == ("abcdef bc ef ab-ef 100% |x")
    assert variables.unknown == {"nobody"}
    assert variables.later("!name!") == "!name!"
    variables.delayed = True
    assert variables.later("!name!") == "abcdef"
    assert variables.summed("3 * (2 + 1)") == "9"
    assert variables.summed("9**9**9") is None


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet='ab %!^"()&|<>=:~,\n\r\techosetifornd@/', max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    try:
        read(text.encode(), "x.bat")
        read((ORIGINAL + text).encode(), "x.bat")
    except SettingRefusedError:
        return


# The command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.bat").write_bytes(
        edited(("ORG=MyOrganization", "ORG=测试公司"), ("KEY_SIZE=2048", "KEY_SIZE=3072"))
        .replace("\n", "\r\n").encode("gbk")
    )  # fmt: skip
    return tmp_path


def answer(folder: Path, *argv: str) -> Any:
    return json.loads(mtls("import-bat", "mine.bat", "--json", *argv, cwd=folder).stdout)


def test_the_set_is_made_as_the_batch_file_said(folder: Path) -> None:
    assert answer(folder)["encoding"] == "gbk"
    assert tomllib.loads((folder / "mtls.toml").read_text("utf-8"))["key_size"] == 3072
    mtls("ca", cwd=folder)
    assert "O=测试公司 CA" in facts(folder / "ca.crt").subject
    assert facts(folder / "ca.crt").key == "3072 bit"


def test_no_settings_are_written_over_but_with_force_and_a_backup(folder: Path) -> None:
    (folder / "mtls.toml").write_text("org = 'mine'\n")
    refused = mtls("import-bat", "mine.bat", cwd=folder, exit_code=7)
    assert "there already" in refused.stderr
    assert (folder / "mtls.toml").read_text() == "org = 'mine'\n"

    backup = answer(folder, "--force")["backup"]
    assert (Path(backup) / "mtls.toml").read_text() == "org = 'mine'\n"

    assert answer(folder, "--write", "other.toml")["backup"] is None
    assert (folder / "other.toml").read_bytes() == (folder / "mtls.toml").read_bytes()


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "mine.bat" in mtls("import-bat", "mine.bat", cwd=tmp_path, exit_code=7).stderr
    assert list(tmp_path.iterdir()) == []
