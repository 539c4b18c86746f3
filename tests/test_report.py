"""`report`: one page of a set that tells all, fetches nothing, and holds no secret."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mtls_openssl import templating
from mtls_openssl.cli import app
from mtls_openssl.page import making, record
from mtls_openssl.steps import Render
from tests import machine
from tests.machine import tool
from tests.test_status_states import CA, CLIENT, SERVER, lasting
from tests.tls_servers import Workshop

pytestmark = pytest.mark.end_to_end

PASSWORD = "Violet-Harbour-93"
HOSTILE = "</script><script>alert(1)</script>"
PAGE = "mtls-report.html"


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._within: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self._within):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    env = {"MTLS_P12_PASSWORD": PASSWORD}
    machine.mtls("all", "--client-cn", HOSTILE, "--org", 'A & B "quoted"', cwd=folder, env=env)
    return folder


@pytest.fixture(scope="module")
def page(made: Path) -> str:
    asked(cwd=made)
    return (made / PAGE).read_text("utf-8")


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(made, tmp_path / "copy")
    (folder / PAGE).unlink(missing_ok=True)
    return folder


def asked(
    *argv: str | Path, cwd: Path, code: int = 0, env: Mapping[str, str] | None = None
) -> Result:
    ours = {"MTLS_P12_PASSWORD": PASSWORD, **(env or {})}
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, ["report", *map(str, argv)], env=ours)
    assert done.exit_code == code, done.output
    return done


def told(folder: Path) -> str:
    asked(cwd=folder)
    return Reader((folder / PAGE).read_text("utf-8")).text


# What it tells.


def test_it_tells_the_certificates_the_proof_and_the_log(made: Path, page: str) -> None:
    text = Reader(page).text

    assert "All is well" in text
    assert text.count("364 days left") >= 4
    assert re.search(r"All \d+ checks passed\.", text)
    assert "it opens with its password, and holds the key and the chain" in text
    assert re.search(r"\d+ lines of 1 run, unbroken", text)
    assert "openssl genrsa -out ca.key 2048" in text
    assert "localhost, api.your_domain.com, 127.0.0.1" in text


def test_every_certificate_has_its_place_on_the_time_line(page: str) -> None:
    rests = [
        one for one in Reader(page).named("rect") if (one.get("class") or "").startswith("rest ")
    ]

    assert len(rests) == 3
    for one in rests:
        left, wide = (float((one[name] or "").rstrip("%")) for name in ("x", "width"))
        assert 0 <= left <= left + wide <= 100


def test_a_proof_that_fails_and_a_log_that_was_changed_are_told(copy: Path) -> None:
    shutil.copy(copy / "client.key", copy / "server.key")
    log = copy / "mtls-audit.jsonl"
    log.write_text(log.read_text("utf-8").replace('"exit":0', '"exit":1', 1), "utf-8")
    text = told(copy)

    assert "Something needs attention now" in text
    assert "server.key is the key of another certificate" in text
    assert "its public key is not that of server.key" in text
    assert "The log is not as it was written." in text


def test_a_further_certificate_and_an_authority_in_between_are_proven_too(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path)
    shop.certificate("ca", None, *CA, dates=lasting(1000))
    shop.certificate(
        "intermediate", "ca", *CA, "authorityKeyIdentifier = keyid", dates=lasting(500)
    )
    shop.certificate("server", "intermediate", *SERVER, dates=lasting(100))
    shop.certificate("alice", "intermediate", *CLIENT, "subjectAltName = email:a@b.example",
                     dates=lasting(100))  # fmt: skip
    shop.certificate("stranger", None, *CLIENT, dates=lasting(100))
    data = json.loads(asked("--json", cwd=tmp_path).stdout)

    assert [one["file"] for one in data["failed"]] == ["stranger.crt"]
    text = Reader((tmp_path / PAGE).read_text("utf-8")).text
    for name in ("intermediate", "server", "alice"):
        assert f"{name}.crt the strictest validators accept it (RFC 5280) passed" in text


def test_without_openssl_there_is_a_page_that_says_so(copy: Path, tmp_path: Path) -> None:
    asked("--openssl", tmp_path / "none", cwd=copy)
    text = Reader((copy / PAGE).read_text("utf-8")).text

    assert "Nothing could be checked." in text
    assert "without openssl" in text
    assert text.count("364 days left") >= 4


def test_of_a_long_log_the_newest_lines_are_shown_and_where_the_others_are(copy: Path) -> None:
    log = copy / "mtls-audit.jsonl"
    lines = log.read_bytes()
    log.write_bytes(lines * (10_000 // lines.count(b"\n") + 1))
    found = record.of(copy)

    assert found.lines > 10_000
    assert sum(len(run.entries) for run in found.runs) == found.shown == record.SHOWN
    text = told(copy)
    assert f"Shown are the newest 500 of {found.lines} lines. All of them: python -m" in text
    assert (copy / PAGE).stat().st_size < 1_000_000


def test_a_line_that_is_none_does_not_hide_the_others(copy: Path) -> None:
    with (copy / "mtls-audit.jsonl").open("a", encoding="utf-8") as log:
        log.write("<img src=x onerror=alert(1)>\n")
    text = told(copy)

    assert re.search(r"line \d+ is no line of a log", text)
    assert "openssl genrsa -out ca.key 2048" in text


def test_it_speaks_the_language_that_was_asked_for(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    machine.started("report", "--lang", "zh", "--out-file", file, cwd=made)
    reader = Reader(file.read_text("utf-8"))

    assert reader.named("html") == [{"lang": "zh-CN"}]
    assert "客户端" in reader.text
    assert "与 ca.key 匹配" in reader.text


# What it must not do.


def test_it_holds_no_key_and_no_password(made: Path, page: str) -> None:
    keys = [
        line
        for file in ("ca.key", "server.key", "client.key")
        for line in (made / file).read_text("ascii").splitlines()
        if len(line) > 20
    ]

    assert "PRIVATE KEY" not in page
    assert PASSWORD not in page
    assert base64.b64encode(PASSWORD.encode()).decode() not in page
    assert [line for line in keys if line in page] == []


def test_a_secret_that_somebody_put_into_the_log_is_left_out() -> None:
    leak = "openssl x -passin pass:geheim -in a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END"

    assert making.safe(leak) == "openssl x -passin pass:… -in a\\x0A…"


def test_it_fetches_nothing_and_runs_nothing_but_its_own(page: str) -> None:
    reader = Reader(page)
    (policy,) = [one["content"] for one in reader.named("meta")
                 if one.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    assert policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert not re.search(r"url\(|@import|https?:", content)
    for tag, attributes in reader.tags:
        assert tag not in {"link", "img", "iframe", "object", "base", "form"}
        for name, value in attributes.items():
            assert name not in {"src", "srcset", "style"}
            assert not name.startswith("on")
            assert name != "href" or (value or "").startswith("#")


def test_a_hostile_name_is_shown_as_text(page: str) -> None:
    reader = Reader(page)

    assert len(reader.named("script")) == 1
    assert HOSTILE in reader.text
    assert 'O=A & B "quoted"' in reader.text


def test_it_replaces_a_page_of_ours_and_nothing_else(copy: Path) -> None:
    for _ in range(2):
        asked("--quiet", cwd=copy)
    if os.name == "posix":
        assert stat.S_IMODE((copy / PAGE).stat().st_mode) == 0o600  # as the log
    key = (copy / "ca.key").read_bytes()
    done = asked("--out-file", "ca.key", cwd=copy, code=7)

    assert "was not touched: we did not make it" in done.stderr
    assert (copy / "ca.key").read_bytes() == key


# Everybody can read it.


def test_it_is_built_so_that_every_reader_finds_the_way(page: str) -> None:
    reader = Reader(page)
    headings = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]

    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert len(ids) == len(set(ids))
    assert {(one["href"] or "").lstrip("#") for one in reader.named("a")} <= set(ids)
    assert {one.get("scope") for one in reader.named("th")} == {"col", "row"}
    assert all(one.get("aria-label") or one.get("aria-hidden") for one in reader.named("svg"))
    assert {one.get("for") for one in reader.named("label")} >= {"search"}
    assert all(one.get("aria-label") for one in reader.named("button"))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_text_stands_out_in_light_dark_and_print() -> None:
    style = templating.render(Render("report/style.css.j2", "", ""))
    palettes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
        for block in re.findall(r"\{([^{}]*--paper:[^{}]*)\}", style)
    ]
    light, dark, switched, printed = palettes

    assert dark == switched
    for palette in (light, dark, printed):
        for text in ("ink", "soft", "accent", "fine", "soon", "over"):
            for ground in ("paper", "card"):
                ratio = contrast(palette[text], palette[ground])
                assert ratio >= 4.5, f"{text} on {ground}: {ratio:.1f}"


# In a browser.


def browsed(page: Path, question: str, profile: Path) -> tuple[str, str]:
    """The page as Chromium has it once its script ran, and what the browser complained of."""
    sandbox = ("--no-sandbox",) if os.name == "posix" and os.geteuid() == 0 else ()
    done = subprocess.run(
        [
            tool("chromium"), "--headless=new", *sandbox, "--disable-gpu",
            "--disable-dev-shm-usage", "--enable-logging=stderr", "--virtual-time-budget=2000",
            f"--user-data-dir={profile}", "--dump-dom", f"{page.as_uri()}{question}",
        ],
        capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=120,
    )  # fmt: skip
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.tool("chromium")
def test_a_browser_shows_it_without_a_complaint_and_finds_what_is_looked_for(
    made: Path, tmp_path: Path
) -> None:
    asked(cwd=made)
    whole, complaints = browsed(made / PAGE, "", tmp_path / "profile")
    found, more = browsed(made / PAGE, "?q=server.your_domain", tmp_path / "profile")

    assert complaints == more == ""
    assert len(Reader(whole).named("script")) == 1
    rows = [one for one in Reader(found).named("tr") if one.get("id")]
    assert [one["id"] for one in rows if "hidden" not in one] == ["c2"]
    assert all("hidden" not in one for one in Reader(whole).named("tr"))
    assert all("hidden" not in one for one in Reader(whole).named("button"))
