"""Firefox and Chromium on Linux: real databases of NSS, changed by its real certutil."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mtls_openssl.errors import CommandFailedError
from mtls_openssl.trust import nss
from mtls_openssl.trust.store import Presence
from tests.machine import ran, tool
from tests.trusting import desk_with, host, installed, removed, root_in

pytestmark = [pytest.mark.posix, pytest.mark.tool("certutil")]

CHROMIUM, FIREFOX = ".pki/nssdb", ".mozilla/firefox/默认 x1.default"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return root_in(tmp_path_factory.mktemp("set"))


def database(computer: Path, place: str, *options: str) -> Path:
    """An empty database of a browser."""
    folder = computer / "home" / place
    folder.mkdir(parents=True)
    certutil(folder, "-N", *(options or ("--empty-password",)))
    return folder


def certutil(folder: Path, *words: str | Path) -> str:
    return ran(tool("certutil"), words[0], "-d", f"sql:{folder}", *words[1:], cwd=folder).stdout


def listed(folder: Path) -> dict[str, str]:
    """The names in a database, with what each is trusted for."""
    return dict(re.findall(r"^(\S.*?) +(\w*,\w*,\w*) *$", certutil(folder, "-L"), re.MULTILINE))


def stores(computer: Path) -> list[nss.NssStore]:
    path = str(Path(tool("certutil")).parent)
    return list(nss.here(host(computer, PATH=path)))


def test_every_browser_of_the_user_trusts_the_root_and_no_longer(
    root: Path, tmp_path: Path
) -> None:
    folders = [database(tmp_path, CHROMIUM), database(tmp_path, FIREFOX)]
    with desk_with(root) as (desk, ca):
        assert installed(desk, stores(tmp_path), ca) == [Presence.TRUSTED] * 2
        assert [listed(folder) for folder in folders] == [{ca.label: "C,,"}] * 2
        assert removed(desk, stores(tmp_path), ca) == [Presence.ABSENT] * 2
    assert [listed(folder) for folder in folders] == [{}, {}]


def test_a_root_under_another_name_is_found_by_its_thumbprint(root: Path, tmp_path: Path) -> None:
    folder = database(tmp_path, CHROMIUM)
    certutil(folder, "-A", "-n", "my own name", "-t", "C,,", "-a", "-i", root)
    with desk_with(root) as (desk, ca):
        standing = stores(tmp_path)[0].look(desk, ca)
        assert (standing.presence, standing.entries) == (Presence.TRUSTED, ("my own name",))
        assert removed(desk, stores(tmp_path), ca) == [Presence.ABSENT]
    assert listed(folder) == {}


def test_a_root_that_is_there_but_not_trusted_becomes_trusted(root: Path, tmp_path: Path) -> None:
    folder = database(tmp_path, CHROMIUM)
    certutil(folder, "-A", "-n", "seen once", "-t", ",,", "-a", "-i", root)
    with desk_with(root) as (desk, ca):
        assert stores(tmp_path)[0].look(desk, ca).presence is Presence.DISTRUSTED
        assert installed(desk, stores(tmp_path), ca) == [Presence.TRUSTED]


def test_what_somebody_else_trusts_stays(root: Path, tmp_path: Path) -> None:
    folder = database(tmp_path, CHROMIUM)
    other = tmp_path / "other"
    other.mkdir()
    certutil(folder, "-A", "-n", "theirs", "-t", "C,,", "-a", "-i", root_in(other))
    with desk_with(root) as (desk, ca):
        installed(desk, stores(tmp_path), ca)
        removed(desk, stores(tmp_path), ca)
    assert listed(folder) == {"theirs": "C,,"}


def test_a_primary_password_is_told_and_nothing_is_left_half_done(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "word").write_text("only for a test\n")
    folder = database(tmp_path, FIREFOX, "-f", str(tmp_path / "word"))
    with desk_with(root) as (desk, ca), pytest.raises(CommandFailedError) as caught:
        installed(desk, stores(tmp_path), ca)
    assert "a primary password protects this profile" in caught.value.cause
    assert listed(folder) == {}


def test_a_damaged_database_is_told_as_one_that_cannot_be_read(root: Path, tmp_path: Path) -> None:
    folder = database(tmp_path, CHROMIUM)
    (folder / "cert9.db").write_bytes(b"no database")
    with desk_with(root) as (desk, ca):
        standing = stores(tmp_path)[0].look(desk, ca)
    assert standing.presence is Presence.UNREADABLE
    assert "SEC_ERROR" in standing.reason


def test_without_nss_certutil_the_package_that_has_it_is_named(root: Path, tmp_path: Path) -> None:
    database(tmp_path, CHROMIUM)
    (store,) = nss.here(host(tmp_path))
    with desk_with(root) as (desk, ca):
        assert "libnss3-tools" in store.look(desk, ca).reason


def test_a_certutil_in_the_current_folder_is_never_run(tmp_path: Path) -> None:
    database(tmp_path, CHROMIUM)
    here = host(tmp_path, PATH=str(tmp_path / "planted"))
    (tmp_path / "planted").mkdir()
    shutil.copy(tool("certutil"), tmp_path / "planted" / "certutil")
    (found,) = nss.here(here)
    assert found._certutil
    object.__setattr__(here.machine, "current", tmp_path / "planted")
    (store,) = nss.here(here)
    assert store._certutil is None
