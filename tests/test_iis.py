"""The script for IIS: PowerShell that can be read, that does nothing else, and knows no secret."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import ssl
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mtls_openssl import templating
from mtls_openssl.errors import FolderUnavailableError, SettingRefusedError
from mtls_openssl.language import Text
from mtls_openssl.openssl.extensions import BASIC_CONSTRAINTS, Extension
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.webserver import iis
from mtls_openssl.webserver.certificates import Certificate
from tests import powershell
from tests.machine import PASSWORD, mtls, openssl, ran

# Named in the facts about IIS that the script rests on; Set-WebBindingProperty, which the guide
# calls, does not exist.
IIS_COMMANDS = {
    "Get-WebBinding", "Import-Module", "Import-PfxCertificate", "New-WebBinding", "Set-WebBinding",
    "Set-WebConfigurationProperty",
}  # fmt: skip
CORE_COMMANDS = {
    "ConvertTo-SecureString", "ForEach-Object", "Get-ChildItem", "Get-Content", "Get-Item",
    "Join-Path", "New-Item", "New-ItemProperty", "New-Object", "Out-Null", "Out-String",
    "Read-Host", "Remove-Item", "Remove-ItemProperty", "Select-Object", "Test-Path",
    "Where-Object", "Write-Host",
}  # fmt: skip

NAMES = st.text(
    st.one_of(
        st.sampled_from("'\u2018\u2019\u201a\u201b`${}()#%! [].~^-"),
        st.characters(
            codec="utf-8", exclude_categories=["Cc"], exclude_characters='\\/?;:@&=+$,|"<>*'
        ),
    ),
    min_size=1,
    max_size=30,
)


def certificate(name: str, issuer: str, *, is_ca: bool) -> Certificate:
    constraints = Extension(("CA:TRUE" if is_ca else "CA:FALSE",))
    never = datetime(2020, 1, 1, tzinfo=UTC)
    description = Description(
        (("CN", name),), (("CN", issuer),), "1", never, never, "", {BASIC_CONSTRAINTS: constraints}
    )
    return Certificate(name.encode(), description)


ROOT = certificate("Root", "Root", is_ca=True)
INTERMEDIATE = certificate("Intermediate", "Root", is_ca=True)
SERVER = certificate("server.example.com", "Intermediate", is_ca=False)
SITE = iis.Site(
    name="Default Web Site",
    host="",
    port=443,
    p12=PureWindowsPath("C:/certs/server.p12"),
    server=SERVER,
    authorities=(INTERMEDIATE, ROOT),
    reader="modern",
)
AGAIN = Text("make another one")


def rendered(say: Any = str, **changes: Any) -> str:
    return templating.render(iis.script(dataclasses.replace(SITE, **changes), say))


def assigned(name: str, script: str) -> str:
    """What the variable `name` is set to: a literal, at the top of the script."""
    found = list(powershell.tokens(script))
    at = found.index(powershell.Token("variable", name))
    assert found[at + 1].text == "="
    assert found[at + 2].kind == "literal"
    assert found[at + 3].text == "\n"
    return found[at + 2].text


def test_it_runs_nothing_but_known_commands_and_its_own_functions() -> None:
    script = rendered()
    assert powershell.commands(script) - powershell.functions(script) <= (
        IIS_COMMANDS | CORE_COMMANDS
    )


def test_it_asks_to_be_run_by_an_administrator_in_windows_powershell() -> None:
    required = [line for line in rendered().splitlines() if line.startswith("#Requires")]
    assert required == [
        "#Requires -Version 5.1",
        "#Requires -PSEdition Desktop",
        "#Requires -RunAsAdministrator",
    ]


@pytest.mark.parametrize("script", [rendered(), rendered(host="www.example.com", port=8443)])
def test_its_brackets_and_quotes_are_closed(script: str) -> None:
    assert list(powershell.tokens(script))


@settings(deadline=None, max_examples=50)
@given(name=NAMES)
@example(name="O'Neil und Söhne")
@example(name="测试 站点")
@example(name="') } Remove-Item -Recurse #")
@example(name="\u2019")
def test_no_name_of_a_site_gets_out_of_its_quotes(name: str) -> None:
    script = rendered(name=name)
    assert assigned("$site", script) == name
    assert powershell.commands(script) == powershell.commands(rendered())


@settings(deadline=None, max_examples=50)
@given(folder=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30))
@example(folder="证 书 O'Neil \u2019 $HOME `n")
def test_no_path_gets_out_of_its_quotes(folder: str) -> None:
    p12 = PureWindowsPath("C:/") / folder / "server.p12"
    script = rendered(p12=p12)
    assert powershell.literals(script)[0] == str(p12)
    assert powershell.commands(script) == powershell.commands(rendered())


@settings(deadline=None, max_examples=50)
@given(tail=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8))
@example(tail="'; throw '")
@example(tail="\u2019)}#")
def test_no_translation_gets_out_of_its_quotes(tail: str) -> None:
    script = rendered(say=lambda text: f"{text}{tail}")
    assert powershell.commands(script) == powershell.commands(rendered())


@pytest.mark.parametrize("name", ["", 'a"b', "a\\b", "a/b", "a?b", "a:b", "a*b", "a\nb", "x" * 201])
def test_a_name_that_iis_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(SettingRefusedError, match="not the name of a site"):
        iis.require(dataclasses.replace(SITE, name=name), (), AGAIN)


@pytest.mark.parametrize("host", ["a b", "-a", "测试.cn", "a'b", "*.example.com", "1.2.3.4:443"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(SettingRefusedError, match="not the name of a host"):
        iis.require(dataclasses.replace(SITE, host=host), (host,), AGAIN)


def test_a_host_that_the_certificate_is_not_for_is_refused() -> None:
    site = dataclasses.replace(SITE, host="other.example")
    with pytest.raises(SettingRefusedError, match=r"server\.crt is not for other\.example"):
        iis.require(site, ("server.example.com",), AGAIN)


@pytest.mark.parametrize("names", [("www.example.com",), ("*.example.com",)])
def test_a_host_that_the_certificate_is_for_is_taken(names: tuple[str, ...]) -> None:
    iis.require(dataclasses.replace(SITE, host="www.example.com"), names, AGAIN)


@pytest.mark.parametrize("authorities", [(ROOT, SERVER), (INTERMEDIATE,), ()])
def test_nothing_but_cas_and_a_root_among_them_is_to_be_trusted(
    authorities: tuple[Certificate, ...],
) -> None:
    with pytest.raises(FolderUnavailableError, match=r"no CA|no root"):
        iis.require(dataclasses.replace(SITE, authorities=authorities), (), AGAIN)


def test_the_root_goes_to_the_roots_and_the_intermediate_to_the_intermediates() -> None:
    words = [token.text for token in powershell.tokens(rendered()) if token.kind != "end"]
    stored = [
        (words[at + 1], words[at + 2])
        for at, word in enumerate(words)
        if word == "Add-Stored" and words[at - 1] == "{"
    ]
    assert stored == [("Root", ROOT.thumbprint), ("CA", INTERMEDIATE.thumbprint)]


def test_a_host_name_means_sni_and_an_entry_of_its_own_in_http_sys() -> None:
    script = rendered(host="www.example.com", port=8443)
    assert "\n$sni = 1\n" in script
    assert assigned("$key", script) == "hostnameport=www.example.com:8443"
    assert assigned("$information", script) == "*:8443:www.example.com"


def test_without_a_host_name_any_address_is_meant() -> None:
    script = rendered()
    assert "\n$sni = 0\n" in script
    assert assigned("$key", script) == "ipport=0.0.0.0:443"
    assert assigned("$information", script) == "*:443:"


def test_clients_are_asked_in_the_first_handshake_and_none_gets_in_without() -> None:
    found = powershell.literals(rendered())
    assert "clientcertnegotiation=enable" in found
    assert {"Ssl", "SslNegotiateCert", "SslRequireCert"} < set(found)
    assert {"MACHINE/WEBROOT/APPHOST", "system.webServer/security/access"} < set(found)


def test_two_sites_keep_their_notes_apart() -> None:
    notes = [
        next(text for text in powershell.literals(script) if re.fullmatch("[0-9a-f]{16}", text))
        for script in (rendered(), rendered(name="Other"), rendered(port=8443))
    ]
    assert len(set(notes)) == 3


def test_what_is_translated_is_said_in_the_language_of_whoever_runs_it() -> None:
    script = rendered(say=lambda text: f"⟦{text}⟧" if isinstance(text, Text) else text)
    said = [text for text in powershell.literals(script) if text.startswith("⟦")]
    assert "⟦already so⟧" in said
    assert len(said) == len(set(said)) > 25


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(modern, tmp_path_factory.mktemp("iis") / "证 书 O'Neil"))


@pytest.fixture
def folder(modern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(modern, tmp_path / "证 书 O'Neil"))


def pack(folder: Path, *protection: str) -> None:
    ran(
        *(openssl(), "pkcs12", "-export", "-inkey", "server.key", "-in", "server.crt"),
        *("-out", "server.p12", "-passout", f"pass:{PASSWORD}", *protection),
        cwd=folder,
    )


MODERN = ("-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha256")
OLD = ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")


@pytest.mark.parametrize(("windows", "reader"), [("2016", "windows2016"), ("2022", "modern")])
def test_where_there_is_no_server_p12_the_command_that_makes_it_is_named(
    windows: str, reader: str, folder: Path
) -> None:
    refused = mtls("iis", "--windows", windows, cwd=folder, exit_code=7)
    assert f"p12 server --for {reader}\n" in refused.stderr


def test_server_2016_is_not_given_what_it_cannot_read(folder: Path) -> None:
    pack(folder, *MODERN)
    refused = mtls("iis", "--windows", "2016", cwd=folder, exit_code=7)
    assert "Windows Server 2016 can't read" in refused.stderr
    assert "p12 server --for windows2016\n" in refused.stderr


@pytest.mark.end_to_end
def test_the_script_of_a_set_is_read_by_powershell_5_and_holds_no_secret(folder: Path) -> None:
    pack(folder, *OLD)
    told = mtls(
        "iis", "--windows", "2016", "--site", "O'Neil 站点", "--host", "localhost",
        *("--write", "mtls.ps1"), cwd=folder,
    )  # fmt: skip
    content = (folder / "mtls.ps1").read_bytes()
    script = content.decode("utf-8-sig")
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\n") == content.count(b"\r\n")
    assert assigned("$site", script.replace("\r", "")) == "O'Neil 站点"
    assert PASSWORD not in script
    assert "PRIVATE KEY" not in script
    assert "powershell -ExecutionPolicy Bypass -File" in told.stderr
    assert "It asks for the password of server.p12.\n" in told.stderr


def test_a_password_that_was_made_for_the_file_is_pointed_at(folder: Path) -> None:
    pack(folder, *MODERN)
    (folder / "server.p12.password").write_text(PASSWORD)
    told = mtls("iis", "--write", "mtls.ps1", cwd=folder)
    assert typed_after("-PasswordFile ", told.stderr) == str(folder / "server.p12.password")
    assert PASSWORD not in told.stderr + (folder / "mtls.ps1").read_text("utf-8-sig")


def typed_after(option: str, text: str) -> str:
    """What PowerShell makes of the one word that stands on a line behind an option."""
    (word,) = powershell.tokens(text.partition(option)[2].partition("\n")[0])
    assert word.kind == "literal"
    return word.text


def test_the_command_that_runs_it_is_quoted_as_powershell_quotes(folder: Path) -> None:
    pack(folder, *MODERN)
    below = folder / "a$host `t"
    below.mkdir()
    told = mtls("iis", "--write", below / "mtls.ps1", cwd=folder)
    assert typed_after("-File ", told.stderr) == str(below / "mtls.ps1")


def test_the_commands_in_the_script_are_quoted_as_powershell_quotes() -> None:
    p12 = PureWindowsPath("C:/o'k $host `t/server.p12")
    said = [text for text in powershell.literals(rendered(p12=p12)) if "mtls_openssl p12" in text]
    assert [typed_after("--out ", text) for text in said] == ["C:\\o'k $host `t"] * 2


@pytest.mark.end_to_end
def test_the_certificates_in_the_script_are_those_of_the_set(folder: Path) -> None:
    pack(folder, *MODERN)
    data = json.loads(mtls("iis", "--json", cwd=folder).stdout)
    thumbprints = {
        name: hashlib.sha1(ssl.PEM_cert_to_DER_cert((folder / name).read_text()))
        .hexdigest()
        .upper()
        for name in ("ca.crt", "server.crt")
    }
    assert data["thumbprint"] == thumbprints["server.crt"]
    assert (data["roots"], data["intermediates"]) == ([thumbprints["ca.crt"]], [])
    assert data["p12"] == str(folder / "server.p12")
    assert "".join((folder / "ca.crt").read_text().split("\n")[1:-2]) in data["script"]


def test_a_set_with_an_intermediate_authority_has_each_ca_in_its_own_store(
    tmp_path: Path,
) -> None:
    (tmp_path / "mtls.toml").write_text(
        'profile = "modern"\n[intermediate]\n'
        '[[server]]\nname = "www"\ndns = ["www.example.com"]\np12 = ["modern", "windows2016"]\n'
    )
    mtls("apply", cwd=tmp_path)
    thumbprint = {
        name: hashlib.sha1(ssl.PEM_cert_to_DER_cert((tmp_path / name).read_text()))
        .hexdigest()
        .upper()
        for name in ("ca.crt", "intermediate.crt", "www.crt")
    }

    data = json.loads(mtls("iis", "--host", "www.example.com", "--json", cwd=tmp_path).stdout)

    assert data["thumbprint"] == thumbprint["www.crt"]
    assert data["roots"] == [thumbprint["ca.crt"]]
    assert data["intermediates"] == [thumbprint["intermediate.crt"]]
    assert data["p12"] == str(tmp_path / "www.p12")
    script = data["script"].replace("\r", "").lstrip("\ufeff")
    assert "LocalMachine\\CA" in script
    old = json.loads(mtls("iis", "--windows", "2016", "--json", cwd=tmp_path).stdout)
    assert old["p12"] == str(tmp_path / "www.windows2016.p12")
    refused = mtls("iis", "--host", "api.example.com", cwd=tmp_path, exit_code=6)
    assert "www.crt is not for api.example.com" in refused.stderr
    assert "its dns in mtls.toml, then: python -m mtls_openssl apply" in refused.stderr


def test_a_script_that_is_printed_is_the_one_that_is_written(folder: Path) -> None:
    pack(folder, *MODERN)
    mtls("iis", "--write", "mtls.ps1", cwd=folder)
    printed = mtls("iis", "--json", cwd=folder)
    assert json.loads(printed.stdout)["script"].encode() == (folder / "mtls.ps1").read_bytes()


def test_a_script_that_is_replaced_is_in_the_backup(folder: Path) -> None:
    pack(folder, *MODERN)
    (folder / "mtls.ps1").write_text("mine")
    mtls("iis", "--write", "mtls.ps1", cwd=folder)
    assert [file.read_text() for file in (folder / "backup").rglob("mtls.ps1")] == ["mine"]


def test_the_manual_route_names_the_files_of_the_set_and_every_step(folder: Path) -> None:
    pack(folder, *MODERN)
    steps = mtls("iis", "--manual", "--host", "localhost", cwd=folder).stdout.splitlines()
    assert [step.split(".")[0] for step in steps] == [str(n) for n in range(1, len(steps) + 1)]
    text = "\n".join(steps)
    for word in ("certlm.msc", "server.p12", "ca.crt", "localhost", "SSL Settings", "Require"):
        assert word in text


def test_a_file_that_is_no_certificate_is_named(folder: Path) -> None:
    (folder / "ca.crt").write_text("not a certificate")
    refused = mtls("iis", cwd=folder, exit_code=7)
    assert f"{folder / 'ca.crt'} is not a certificate" in refused.stderr
