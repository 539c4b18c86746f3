"""`init`: a file that explains every setting, and loads to what it says; `schema` knows it too."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mtls_openssl.beginning.example import example
from mtls_openssl.cli import app, console
from mtls_openssl.language import speak
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Key, Role
from mtls_openssl.profiles import PROFILES
from mtls_openssl.scripting import prompt
from mtls_openssl.settings import Loaded, Settings, SettingsRefusedError, load
from mtls_openssl.settings.schema import schema
from mtls_openssl.settings.tables import Tables
from mtls_openssl.templating import render
from tests.batfiles import original_bytes
from tests.machine import mtls

_COMMENTED = re.compile(r"^#(?=[\w\[])", re.MULTILINE)
LANGUAGES = ("en", "zh_CN")


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    speak(request.param)
    yield request.param
    speak("en")


def written(**options: object) -> str:
    settings = load(options, environ={}, config=None).settings
    return render(example(settings, options, name="mtls.toml"))


def loaded(text: str, folder: Path) -> Loaded:
    config = folder / "mtls.toml"
    config.write_text(text, encoding="utf-8")
    return load({}, environ={}, config=config)


def uncommented(text: str) -> str:
    return _COMMENTED.sub("", text)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.usefixtures("language")
def test_as_it_is_it_says_what_was_given_and_no_more(profile: str, tmp_path: Path) -> None:
    options = {"profile": profile, "org": "测试公司", "domain": "example.cn", "cert_days": "90"}
    text = written(**options)
    assert set(tomllib.loads(text)) == options.keys()
    found = loaded(text, tmp_path)
    assert found.settings == load(options, environ={}, config=None).settings
    assert not found.tables


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.usefixtures("language")
def test_without_its_comment_marks_it_says_every_default_and_the_examples(
    profile: str, tmp_path: Path
) -> None:
    text = uncommented(written(profile=profile, domain="example.cn"))
    content = tomllib.loads(text)
    usual = load({"profile": profile, "domain": "example.cn"}, environ={}, config=None).settings
    sized = {"key_size", "ca_key_size"} if usual.key_size is None else set()
    assert set(content) == {*Settings.model_fields, *Tables.model_fields} - sized

    found = loaded(text, tmp_path)

    assert found.settings == usual.model_copy(update={"p12_for": "modern"})
    manifest = found.manifest
    assert manifest.root.key == manifest.issuer.key or manifest.issuer.name == INTERMEDIATE
    assert (manifest.root.key, manifest.issuer.key) == (
        Key("EC", curve="P-384"), Key("EC", curve="P-256"),
    )  # fmt: skip
    assert [(leaf.name, leaf.role) for leaf in manifest.leaves] == [
        ("api", Role.SERVER), ("alice", Role.CLIENT),
    ]  # fmt: skip
    assert "DNS:*.api.example.cn" in manifest.leaves[0].alternatives
    assert found.passphrases == {ROOT: "ask", INTERMEDIATE: "env:MTLS_ISSUING_PASSPHRASE"}
    assert manifest.crl_url == "http://pki.example.cn/crl.der"


@pytest.mark.usefixtures("language")
def test_every_setting_is_explained_above_it() -> None:
    lines = written().splitlines()
    for name in Settings.model_fields:
        place = next(n for n, line in enumerate(lines) if line.startswith(f"#{name} = "))
        assert lines[place - 1].startswith("# ")
    assert max(map(len, lines)) <= 120


@settings(deadline=None, max_examples=60)
@given(
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=61),
    st.lists(st.sampled_from(["a.example", "*.b.example", "localhost"]), min_size=1),
    st.integers(1, 36500),
    st.integers(1, 36500),
)
def test_whatever_is_given_comes_back(
    tmp_path_factory: pytest.TempPathFactory, org: str, dns: list[str], days: int, ca_days: int
) -> None:
    options = {"org": org, "server_dns": dns, "cert_days": days, "ca_days": ca_days}
    try:
        wanted = load(options, environ={}, config=None).settings
    except SettingsRefusedError:
        return
    folder = tmp_path_factory.getbasetemp()
    text = written(**options)
    assert loaded(text, folder).settings == wanted
    assert loaded(uncommented(text), folder).manifest.root.days == wanted.ca_days


# The command


def test_the_command_writes_it_where_there_is_none_and_never_over_another(tmp_path: Path) -> None:
    mtls("init", "--org", "Mine", "--lang", "zh", cwd=tmp_path)
    text = (tmp_path / "mtls.toml").read_text("utf-8")
    assert 'org = "Mine"' in text.splitlines()

    refused = mtls("init", "--org", "Other", cwd=tmp_path, exit_code=7)

    assert "edit it, or name another one with --write" in refused.stderr
    assert (tmp_path / "mtls.toml").read_text("utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["mtls.toml"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (("--out", "set"), ("--out", "set")),
        (("--write", "set/mtls.toml"), ("--out", "set")),
        (("--write", "other.toml"), ("--config", "other.toml")),
    ],
)
def test_what_makes_the_set_of_it_goes_by_the_file_that_was_written(
    written: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "set").mkdir()

    said = mtls("init", *written, cwd=tmp_path).stdout

    make = prompt.line("python", "-m", "mtls_openssl", "all", *words)
    assert f"make the set: {make}\n" in said


def test_a_value_that_is_refused_leaves_no_file(tmp_path: Path) -> None:
    assert "--country" in mtls("init", "--country", "China", cwd=tmp_path, exit_code=6).stderr
    assert list(tmp_path.iterdir()) == []


def test_the_schema_beside_it_is_named_in_its_first_line(tmp_path: Path) -> None:
    told = mtls("schema", "--write", "mtls.schema.json", cwd=tmp_path).stdout
    mtls("init", cwd=tmp_path)
    first, *_rest = (tmp_path / "mtls.toml").read_text("utf-8").splitlines()
    assert first == "#:schema ./mtls.schema.json"
    assert first in told
    assert json.loads((tmp_path / "mtls.schema.json").read_text("utf-8")) == schema()


def test_at_a_terminal_it_asks_for_what_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_interactive", lambda: True)
    argv = ["init", "--out", str(tmp_path), "--domain", "example.cn"]
    CliRunner().invoke(app, argv, input="测试公司\n", catch_exceptions=False)
    content = tomllib.loads((tmp_path / "mtls.toml").read_text("utf-8"))
    assert content == {"org": "测试公司", "domain": "example.cn"}


# The schema

CHECKER = jsonschema.Draft4Validator(schema())
BAD: list[tuple[dict[str, Any], str]] = [
    ({"organisation": "x"}, "organisation"),
    ({"country": "China"}, "country"),
    ({"org": ""}, "org"),
    ({"org": "x" * 62}, "org"),
    ({"cert_days": 0}, "cert_days"),
    ({"ca_days": 40000}, "ca_days"),
    ({"key_size": 1024}, "key_size"),
    ({"key_size": 2049}, "key_size"),
    ({"profile": "moderne"}, "profile"),
    ({"p12_for": "windows95"}, "p12_for"),
    ({"server_dns": ["a b"]}, "server_dns"),
    ({"server_ip": ["host"]}, "server_ip"),
    ({"ca": {"key": "RSA"}}, "ca"),
    ({"ca": {"passphrase": "pass:secret"}}, "ca"),
    ({"ca": {"path_length": 11}}, "ca"),
    ({"ca": {"crl_url": "crl.der"}}, "ca"),
    ({"server": [{"cn": "no name"}]}, "server"),
    ({"server": [{"name": "a", "dn": ["x"]}]}, "server"),
    ({"server": {"name": "a"}}, "server"),
    ({"client": [{"name": "a/b"}]}, "client"),
    ({"client": [{"name": "a", "email": ["nobody"]}]}, "client"),
    ({"client": [{"name": "a", "p12": ["nobody"]}]}, "client"),
    ({"intermediate": {"days": "soon"}}, "intermediate"),
]


def test_the_schema_is_one() -> None:
    jsonschema.Draft4Validator.check_schema(schema())
    jsonschema.Draft7Validator.check_schema(schema())
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("profile", PROFILES)
def test_the_schema_takes_what_init_and_import_write(profile: str, tmp_path: Path) -> None:
    text = written(profile=profile)
    (tmp_path / "mine.bat").write_bytes(original_bytes())
    mtls("import-bat", "mine.bat", cwd=tmp_path)
    for one in (text, uncommented(text), (tmp_path / "mtls.toml").read_text("utf-8")):
        assert list(CHECKER.iter_errors(tomllib.loads(one))) == []


def toml(content: dict[str, Any]) -> str:
    """Few keys as TOML, in which JSON's strings, numbers and lists are the same."""
    lines = [f"{key} = {inline(value)}" for key, value in content.items()]
    return "\n".join(lines) + "\n"


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize(("content", "where"), BAD, ids=str)
def test_the_schema_refuses_what_the_program_refuses(
    content: dict[str, Any], where: str, tmp_path: Path
) -> None:
    (error, *_more) = CHECKER.iter_errors(content)
    assert where in (*error.absolute_path, error.message) or where in error.message
    with pytest.raises(SettingsRefusedError):
        loaded(toml(content), tmp_path)


WORDS = (
    *("a.example", "*.a.example", "127.0.0.1", "::1", "env:NAME", "ask", "P-256", "rsa 3072", "CN"),
    *("365", " 90 ", "alice@a.example", "http://a.example/x", "windows2016", "default", "yes"),
    *("", "北京"),
)
LISTED = ("a.example", "127.0.0.1", "java8", "a@b.example", "spiffe://a/b")
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-1, 40000),
    st.booleans(),
    st.lists(st.sampled_from(LISTED), max_size=2),
)
KEYS = sorted(schema()["properties"])
LEAF = sorted(schema()["properties"]["server"]["items"]["properties"])


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=2),
    st.dictionaries(st.sampled_from(LEAF), VALUES, max_size=3),
)
def test_the_schema_takes_whatever_the_program_takes(
    tmp_path_factory: pytest.TempPathFactory, flat: dict[str, Any], leaf: dict[str, Any]
) -> None:
    content = {**flat, "server": [{"name": "a", **leaf}]}
    try:
        loaded(toml(content), tmp_path_factory.getbasetemp())
    except SettingsRefusedError:
        return
    assert [error.message for error in CHECKER.iter_errors(content)] == []


@pytest.mark.parametrize("command", ["schema", "init"])
def test_a_folder_that_can_not_be_made_is_told_with_the_option_that_says_where(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    said = mtls(command, "--write", Path("file", "below", "x"), cwd=tmp_path, exit_code=7).stderr

    assert "or name a file in another folder with --write\n" in said
