"""What a PKCS#12 file is opened with: what is known, nothing, and what somebody says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl.desk import Desk, at
from mtls_openssl.inspection.objects import Bundle
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.locate import find
from mtls_openssl.process import Door
from tests import shelf
from tests.shelf import PASSWORD, asked

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shelf.filled(tmp_path_factory.mktemp("shelf"))
    asked(folder, "pkcs12", "-export", "-in", "server.crt", "-nokeys", "-passout", "pass:",
          "-out", "open.p12")  # fmt: skip
    return folder


@pytest.fixture
def desk(things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("MTLS_LOG_DIR", str(tmp_path))
    door = Door()
    with at(things, find(None, door), door=door, purpose="look") as desk:
        yield desk


@pytest.mark.parametrize(
    ("file", "known", "said", "times"),
    [
        pytest.param("server.p12", PASSWORD, None, 1, id="a known one is tried first"),
        pytest.param("server.p12", "an old one", PASSWORD, 3, id="it may be out of date"),
        pytest.param("open.p12", PASSWORD, None, 2, id="the file may have none"),
    ],
)
def test_a_p12_is_opened_with_what_is_known_then_without_then_with_what_is_said(
    file: str, known: str, said: str | None, times: int, things: Path, desk: Desk
) -> None:
    opening = list[str]()
    desk.heard = lambda outcome: opening.extend(
        part for part in outcome.command.argv if part == "-info"
    )

    (item,) = Reader(desk, lambda _path: said, {file: known}).read(things / file).items

    assert isinstance(item.thing, Bundle)
    assert item.thing.contents
    assert len(opening) == times
