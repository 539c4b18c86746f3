"""Java's trust store: the real keytool, on a copy of the real cacerts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mtls_openssl.errors import CommandFailedError
from mtls_openssl.trust import java
from mtls_openssl.trust.store import Presence
from tests.machine import QUICK_JAVA, ran, tool
from tests.trusting import desk_with, host, installed, removed, root_in

pytestmark = [pytest.mark.posix, pytest.mark.tool("keytool")]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return root_in(tmp_path_factory.mktemp("set"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*next(iter(QUICK_JAVA.items())))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Java whose trust store is a copy, and may be changed."""
    real = Path(os.path.realpath(tool("keytool"))).parent.parent
    home = tmp_path / "java home"
    (home / "bin").mkdir(parents=True)
    (home / "bin/keytool").symlink_to(real / "bin/keytool")
    (home / "lib/security").mkdir(parents=True)
    shutil.copyfile(real / "lib/security/cacerts", home / "lib/security/cacerts")
    return home


def stores(home: Path, password: str = java.PASSWORD, path: str = "") -> list[java.JavaStore]:
    return list(java.here(host(home.parent, JAVA_HOME=str(home), PATH=path), password))


def keytool(home: Path, *words: str | Path, password: str = java.PASSWORD) -> str:
    keystore = home / "lib/security/cacerts"
    ours = ("-keystore", keystore, "-storepass", password)
    return ran(tool("keytool"), "-J-Duser.language=en", *words, *ours, cwd=home).stdout


def test_java_trusts_the_root_beside_the_public_ones_and_no_longer(root: Path, home: Path) -> None:
    before = keytool(home, "-list")
    with desk_with(root) as (desk, ca):
        assert installed(desk, stores(home), ca) == [Presence.TRUSTED]
        assert removed(desk, stores(home), ca) == [Presence.ABSENT]
    assert keytool(home, "-list") == before


def trusting(home: Path, root: Path, alias: str, password: str = java.PASSWORD) -> None:
    """Have it trust one root alone, which takes less time than all the public ones."""
    (home / "lib/security/cacerts").unlink()
    keytool(home, "-importcert", "-noprompt", "-alias", alias, "-file", root, password=password)


def test_a_root_under_another_alias_is_found_by_its_thumbprint(root: Path, home: Path) -> None:
    trusting(home, root, "mine, and more")
    with desk_with(root) as (desk, ca):
        assert installed(desk, stores(home), ca) == [Presence.TRUSTED]
        assert removed(desk, stores(home), ca) == [Presence.ABSENT]
    assert "mine, and more" not in keytool(home, "-list")


def test_another_password_is_told_and_then_taken(root: Path, home: Path, tmp_path: Path) -> None:
    trusting(home, root_in(tmp_path), "another", "quite another")
    with desk_with(root) as (desk, ca):
        with pytest.raises(CommandFailedError) as caught:
            installed(desk, stores(home), ca)
        assert "--java-password-env" in caught.value.cause
        assert installed(desk, stores(home, "quite another"), ca) == [Presence.TRUSTED]
        assert "quite another" not in desk.log.read_text()


def test_a_store_is_listed_once_however_many_ways_lead_to_it(home: Path) -> None:
    assert len(stores(home, path=f"{home}/bin:{home.parent}/nothing")) == 1


def test_a_computer_without_java_has_no_store_of_java(tmp_path: Path) -> None:
    assert list(java.here(host(tmp_path, JAVA_HOME=str(tmp_path)))) == []
