"""The doctor on the computer around a set: trust stores, the nginx that serves it, openssl."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import shutil
import ssl
import uuid
from pathlib import Path

import pytest

from mtls_openssl import doctor
from mtls_openssl.desk import Desk, at
from mtls_openssl.doctor import Finding, Patient, surroundings
from mtls_openssl.elevation import Host
from mtls_openssl.language import Text
from mtls_openssl.process import Door
from mtls_openssl.steps import Command
from mtls_openssl.trust import windows
from mtls_openssl.trust.certificate import Certificate
from mtls_openssl.trust.store import SYSTEM, Presence, Standing, Store
from mtls_openssl.webserver import bindings, iis, program
from mtls_openssl.webserver.bindings import Entry
from tests.ailments import patient
from tests.machine import mtls, tool
from tests.nginx import free_port
from tests.trusting import host

pytestmark = pytest.mark.end_to_end


class MadeUpStore(Store):
    """A trust store that believes what a test says."""

    name = SYSTEM
    title = Text("a store")

    def __init__(self, believed: Path | None, other: Presence = Presence.ABSENT) -> None:
        self._believed = believed.read_bytes() if believed else b""
        self._other = other

    def look(self, desk: Desk, certificate: Certificate) -> Standing:  # noqa: ARG002
        same = certificate.source.read_bytes() == self._believed
        return Standing(Presence.TRUSTED if same else self._other)

    def adding(self, certificate: Certificate) -> tuple[Command, ...]:  # noqa: ARG002
        return ()

    def removing(
        self,
        certificate: Certificate,  # noqa: ARG002
        standing: Standing,  # noqa: ARG002
    ) -> tuple[Command, ...]:
        return ()


@pytest.fixture
def folder(modern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(modern, tmp_path / "a set"))


@pytest.fixture(scope="module")
def healthy(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """What is seen of the set, on a computer of any kind."""
    return patient(Path(shutil.copytree(modern, tmp_path_factory.mktemp("healthy") / "set")))


def around(folder: Path, healthy: Patient) -> Patient:
    """What is seen where something else is around the set."""
    search = healthy.search
    with at(folder, search, door=Door(), purpose="doctor") as desk:
        return dataclasses.replace(healthy, surroundings=surroundings.gather(desk, folder))


def codes(found: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in found}


def among(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "every", lambda _host: [store])


def test_a_computer_that_trusts_the_ca_is_no_finding(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    among(MadeUpStore(folder / "ca.crt"), monkeypatch)
    examined = patient(folder)
    assert examined.surroundings.trusted == ("a store",)
    assert doctor.not_trusted(examined) == ()
    assert not codes(doctor.examine(examined)) & {"trust-stale", "trust-halved"}


def test_that_nobody_trusts_the_ca_is_good_to_know_and_no_finding(
    folder: Path, healthy: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    among(MadeUpStore(None), monkeypatch)
    examined = around(folder, healthy)
    (said,) = doctor.not_trusted(examined)
    assert "trust install" in said
    assert not codes(doctor.examine(examined)) & {"trust-stale", "trust-halved"}


def test_who_trusts_the_certificate_before_the_repair_is_named(
    folder: Path, healthy: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mtls("repair-ca", "--ca-days", "9000", cwd=folder)
    (before,) = (folder / "backup").glob("*/ca.crt")
    among(MadeUpStore(before), monkeypatch)
    (found,) = [one for one in doctor.examine(around(folder, healthy)) if one.code == "trust-stale"]
    assert "trust install" in found.mend


def test_a_ca_that_is_there_and_not_trusted_is_named(
    folder: Path, healthy: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    among(MadeUpStore(None, Presence.DISTRUSTED), monkeypatch)
    assert "trust-halved" in codes(doctor.examine(around(folder, healthy)))


def test_what_is_no_root_among_the_roots_of_windows_is_named_with_its_thumbprint(
    folder: Path, healthy: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    among(MadeUpStore(None), monkeypatch)
    thumbprint = "0123456789" * 4
    told = windows.Findings(None, ((thumbprint, "CN=server.example"),))
    monkeypatch.setattr(windows, "examine", lambda *_: told)
    elsewhere = host(tmp_path, "win32")
    monkeypatch.setattr(Host, "here", classmethod(lambda _cls: elsewhere))
    (found,) = [
        one for one in doctor.examine(around(folder, healthy)) if one.code == "root-strangers"
    ]
    assert found.mend == f"certutil -delstore Root {thumbprint}"


def test_an_iis_that_serves_an_earlier_certificate_or_asks_too_late_is_named(
    folder: Path, healthy: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mtls("server", "-q", "--profile", "modern", cwd=folder)
    (earlier,) = (folder / "backup").glob("*/server.crt")
    served = (
        Entry("0.0.0.0:443", thumbprint(folder / "server.crt"), negotiates=False),
        Entry("a.example:443", thumbprint(folder / "server.crt"), negotiates=True),
        Entry("b.example:443", thumbprint(earlier), negotiates=True),
        Entry("c.example:443", "AB" * 20, negotiates=False),
    )
    monkeypatch.setattr(bindings, "entries", lambda: served)
    found = {one.code: one for one in doctor.examine(around(folder, healthy))}
    assert found["iis-late"].what.endswith(": 0.0.0.0:443.")
    assert found["iis-stale"].what.endswith(": b.example:443.")
    assert "iis --write mtls-iis.ps1" in found["iis-stale"].mend


def thumbprint(certificate: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text("ascii"))
    return hashlib.sha1(der).hexdigest().upper()


@pytest.mark.windows
def test_what_iis_serves_is_read_from_the_registry() -> None:
    winreg = importlib.import_module("winreg")  # which a type checker elsewhere does not know
    key = "mtls-openssl tests of IIS"
    rows = {
        r"SslBindingInfo\0.0.0.0:443": (iis.APPLICATION, 2),
        r"SslSniBindingInfo\www.example.com:443": (iis.APPLICATION, 0),
        r"SslBindingInfo\0.0.0.0:8443": ("00000000-0000-0000-0000-000000000001", 0),
    }
    for name, (application, flags) in rows.items():
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"{key}\{name}") as opened:
            guid = uuid.UUID(application).bytes_le
            winreg.SetValueEx(opened, "AppId", 0, winreg.REG_BINARY, guid)
            winreg.SetValueEx(opened, "SslCertHash", 0, winreg.REG_BINARY, bytes([0xAB] * 20))
            winreg.SetValueEx(opened, "DefaultFlags", 0, winreg.REG_DWORD, flags)
    try:
        assert bindings.entries(key, user=True) == (
            Entry("0.0.0.0:443", "AB" * 20, negotiates=True),
            Entry("www.example.com:443", "AB" * 20, negotiates=False),
        )
        assert bindings.entries(rf"{key}\none", user=True) == ()
    finally:
        for name in (*rows, "SslBindingInfo", "SslSniBindingInfo", ""):
            winreg.DeleteKey(winreg.HKEY_CURRENT_USER, rf"{key}\{name}".rstrip("\\"))


@pytest.fixture
def served(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of an nginx that serves the set: the real one, told where to look."""
    config = tmp_path / "nginx" / "nginx.conf"
    config.parent.mkdir()
    wrapper = tmp_path / "bin" / "nginx"
    wrapper.parent.mkdir()
    real = tool("nginx")
    wrapper.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = -V ]; then {real} -V 2>&1 | sed "s#--conf-path=[^ ]*#--conf-path={config}#"'
        f" >&2; else exec {real} -p {config.parent} -e stderr -c {config} -t; fi\n"
    )
    wrapper.chmod(0o755)
    monkeypatch.setattr(program, "find", lambda _named: wrapper)
    config.write_text(
        "pid nginx.pid;\nevents {}\nhttp {\n  access_log off;\n"
        f"  server {{\n    listen 127.0.0.1:{free_port()} ssl;\n"
        f'    ssl_certificate "{folder}/server.crt";\n'
        f'    ssl_certificate_key "{folder}/server.key";\n'
        f'    ssl_client_certificate "{folder}/ca.crt";\n    ssl_verify_client on;\n  }}\n}}\n'
    )
    return config


@pytest.mark.posix
@pytest.mark.tool("nginx")
def test_an_nginx_that_serves_the_set_and_is_content_is_no_finding(
    served: Path, folder: Path, healthy: Patient
) -> None:
    examined = around(folder, healthy)
    assert (examined.surroundings.nginx, examined.surroundings.refusal) == (str(served), "")


@pytest.mark.posix
@pytest.mark.tool("nginx")
def test_an_nginx_that_would_not_start_is_named_after_what_it_refuses(
    served: Path, folder: Path
) -> None:
    shutil.copy(folder / "client.key", folder / "server.key")
    found = [one.code for one in doctor.examine(patient(folder)) if one.severity.value == 0]
    assert found == ["key-mismatch", "nginx-refuses"]


@pytest.mark.posix
@pytest.mark.tool("nginx")
def test_an_nginx_that_has_nothing_to_do_with_the_set_is_left_alone(
    served: Path, folder: Path, healthy: Patient, tmp_path: Path
) -> None:
    moved = folder.rename(tmp_path / "another folder")
    assert around(moved, healthy).surroundings.nginx == ""


def test_an_openssl_out_of_support_is_a_warning_and_one_passed_over_a_note(
    healthy: Patient,
) -> None:
    chosen = healthy.search.chosen
    assert chosen
    libre = dataclasses.replace(chosen, problem=Text("it is LibreSSL 3.3.6"))
    old = dataclasses.replace(chosen, note=Text("1.1.1 is of a series out of support"))
    search = dataclasses.replace(healthy.search, candidates=(libre, old), chosen=old)
    found = doctor.examine(dataclasses.replace(healthy, search=search))
    told = {one.code: one.severity.name for one in found}
    assert told["openssl-old"] == "WARNING"
    assert told["openssl-passed-over"] == "NOTE"
