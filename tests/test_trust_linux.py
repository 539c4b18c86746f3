"""Linux: the system's bundle, made by the real update-ca-certificates of Debian in a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess

from mtls_openssl import trust
from mtls_openssl.errors import (
    CommandFailedError,
    FolderUnavailableError,
    NotProvenError,
    UsageError,
)
from mtls_openssl.trust import anchors
from mtls_openssl.trust.store import Presence, Store
from tests.machine import tool
from tests.trusting import desk_with, host, installed, program, removed, root_in

pytestmark = pytest.mark.posix

UPDATE = "update-ca-certificates"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return root_in(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return root_in(tmp_path_factory.mktemp("public"))


def debian(computer: Path, public: Path) -> Store:
    """The store of a Debian whose root is a folder: its own program, told of the folders there."""
    for folder in ("usr/local/share/ca-certificates", "etc/ssl/certs", "usr/share", "hooks"):
        (computer / folder).mkdir(parents=True)
    # Without any certificate at all update-ca-certificates leaves the bundle as it is.
    shutil.copy(public, computer / "usr/share/public.crt")
    (computer / "conf").write_text("public.crt\n")
    program(
        computer / "usr/sbin" / UPDATE,
        f"exec {tool(UPDATE)} --certsconf '{computer}/conf' --certsdir '{computer}/usr/share'"
        f" --localcertsdir '{computer}/usr/local/share/ca-certificates'"
        f" --etccertsdir '{computer}/etc/ssl/certs' --hooksdir '{computer}/hooks'",
    )
    for name in ("install", "rm"):
        (computer / "usr/bin").mkdir(exist_ok=True)
        (computer / "usr/bin" / name).symlink_to(tool(name))
    store = anchors.here(host(computer))
    assert store
    return store


@pytest.mark.tool(UPDATE)
def test_the_root_is_in_debians_bundle_and_taken_out_again(
    root: Path, public: Path, tmp_path: Path
) -> None:
    store = debian(tmp_path, public)
    bundle = tmp_path / "etc/ssl/certs/ca-certificates.crt"
    with desk_with(root) as (desk, ca):
        assert installed(desk, [store], ca) == [Presence.TRUSTED]
        assert bundle.read_bytes() == public.read_bytes() + root.read_bytes()
        assert (tmp_path / f"usr/local/share/ca-certificates/{ca.label}.crt").stat().st_mode & 0o44
        assert bundle.stat().st_mode & 0o044
        assert removed(desk, [store], ca) == [Presence.ABSENT]
    assert bundle.read_bytes() == public.read_bytes()
    assert list((tmp_path / "usr/local/share/ca-certificates").iterdir()) == []


@pytest.mark.tool(UPDATE)
def test_what_somebody_else_trusts_stays(root: Path, public: Path, tmp_path: Path) -> None:
    store = debian(tmp_path, public)
    theirs = tmp_path / "usr/local/share/ca-certificates/theirs.crt"
    shutil.copy(public, theirs)
    with desk_with(root) as (desk, ca):
        installed(desk, [store], ca)
        removed(desk, [store], ca)
    assert theirs.read_bytes() == public.read_bytes()


@pytest.mark.tool(UPDATE)
def test_a_root_that_was_put_there_by_hand_is_found_by_its_thumbprint(
    root: Path, public: Path, tmp_path: Path
) -> None:
    store = debian(tmp_path, public)
    by_hand = tmp_path / "usr/local/share/ca-certificates/我的 根.crt"
    shutil.copy(root, by_hand)
    with desk_with(root) as (desk, ca):
        assert store.look(desk, ca).presence is Presence.DISTRUSTED
        assert installed(desk, [store], ca) == [Presence.TRUSTED]
        assert removed(desk, [store], ca) == [Presence.ABSENT]
    assert not by_hand.exists()


@pytest.mark.tool(UPDATE)
def test_a_file_with_other_certificates_beside_the_root_is_left_and_told(
    root: Path, public: Path, tmp_path: Path
) -> None:
    store = debian(tmp_path, public)
    both = tmp_path / "usr/local/share/ca-certificates/both.crt"
    both.write_bytes(root.read_bytes() + public.read_bytes())
    with desk_with(root) as (desk, ca):
        installed(desk, [store], ca)
        with pytest.raises(NotProvenError) as caught:
            removed(desk, [store], ca)
    assert caught.value.cause == f"{both} has it beside others, and is left as it is"
    assert both.exists()


@pytest.mark.parametrize(
    ("folder", "update", "bundle"),
    [
        (
            "etc/pki/ca-trust/source/anchors",
            "usr/bin/update-ca-trust",
            "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        ),
        (
            "etc/ca-certificates/trust-source/anchors",
            "usr/bin/update-ca-trust",
            "etc/ca-certificates/extracted/tls-ca-bundle.pem",
        ),
        (
            "etc/pki/trust/anchors",
            "usr/sbin/update-ca-certificates",
            "var/lib/ca-certificates/ca-bundle.pem",
        ),
    ],
    ids=["Fedora", "Arch", "openSUSE"],
)
def test_other_systems_have_their_own_folder_program_and_bundle(
    folder: str, update: str, bundle: str, root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    fp.allow_unregistered(True)
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / bundle).parent.mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir(parents=True, exist_ok=True)
    (tmp_path / "usr/bin/install").symlink_to(tool("install"))
    path = program(tmp_path / update)
    fp.register([str(path)], callback=lambda _: shutil.copy(root, tmp_path / bundle))
    store = anchors.here(host(tmp_path))
    assert store
    with desk_with(root) as (desk, ca):
        assert installed(desk, [store], ca) == [Presence.TRUSTED]
        assert (tmp_path / folder / f"{ca.label}.crt").read_bytes() == root.read_bytes()


@pytest.mark.tool(UPDATE)
def test_a_program_that_fails_is_told_with_its_own_words(
    root: Path, public: Path, tmp_path: Path
) -> None:
    store = debian(tmp_path, public)
    program(tmp_path / "usr/sbin" / UPDATE, "echo 'mv: no space left' >&2; exit 1")
    with desk_with(root) as (desk, ca), pytest.raises(CommandFailedError) as caught:
        installed(desk, [store], ca)
    assert caught.value.cause == "mv: no space left"


def test_a_system_without_a_known_store_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FolderUnavailableError, match="no trust store system"):
        trust.chosen(host(tmp_path), [], user=False)


@pytest.mark.tool(UPDATE)
def test_linux_has_no_store_of_one_user_and_says_so(public: Path, tmp_path: Path) -> None:
    debian(tmp_path, public)
    with pytest.raises(UsageError, match="no trust store of one user"):
        trust.chosen(host(tmp_path), [], user=True)
