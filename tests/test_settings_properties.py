"""Whatever is typed: it is kept to the rules, or refused by name and source."""

from __future__ import annotations

import ipaddress
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtls_openssl.settings import Settings, SettingsRefusedError, load
from mtls_openssl.settings.config import read_config

FIELDS = tuple(Settings.model_fields)
TEXT_FIELDS = ("org", "ca_cn", "server_cn", "client_cn", "p12_name", "state", "city")
LABEL = re.compile("(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")

any_text = st.text(st.characters(), max_size=70)
likely_text = st.one_of(
    any_text,
    st.text("ab.-_*/\\+=\"#,%!'&$;<>^|北例 \n\u202e\u200d@1:", max_size=12),
    st.sampled_from(
        ["a.example", "*.b.example", "::1", "10.0.0.1", "a@b.example", "DE", "例子.cn"]
    ),
)
anything = st.one_of(
    likely_text,
    st.integers(-5, 20000),
    st.sampled_from([2048, 4096, 365]),
    st.booleans(),
    st.lists(likely_text, max_size=4),
)
profiles = st.sampled_from(["bat", "guide", "modern"])
options_of_any_kind = st.fixed_dictionaries(
    {}, optional={field: anything for field in FIELDS if field != "profile"} | {"profile": profiles}
)


def assert_in_order(made: Settings) -> None:
    """The rules, written a second time and by other means."""
    assert re.fullmatch("[A-Z]{2}", made.country)
    subjects = (made.ca_subject, made.server_subject, made.client_subject)
    texts = [text for subject in subjects for _, text in subject] + [made.p12_name]
    for text in texts:
        assert 1 <= len(text) <= 64
        assert text == text.strip()
        assert len(text.splitlines()) == 1
        assert not {"Cc", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, text))
    for name in (made.domain, *(name.removeprefix("*.") for name in made.server_dns)):
        assert len(name) <= 253
        assert all(LABEL.fullmatch(label) for label in name.split("."))
        assert not name.split(".")[-1].isdigit()
    assert all(str(ipaddress.ip_address(address)) == address for address in made.server_ip)
    assert made.server_dns or made.server_ip
    assert 1 <= made.cert_days <= made.ca_days <= 36500
    for size in (made.key_size, made.ca_key_size):
        assert size is None if made.key_type == "EC" else size in range(2048, 16385, 8)
    assert re.fullmatch("(DNS|email):[!-~]+", made.client_san or "DNS:x")


def outcome(
    options: Mapping[str, object], environ: Mapping[str, str] | None = None
) -> Settings | SettingsRefusedError:
    try:
        return load(options, environ=environ or {}, config=None).settings
    except SettingsRefusedError as error:
        return error


@given(options_of_any_kind)
@settings(max_examples=300, deadline=None)
def test_whatever_the_options_the_settings_obey_or_each_refusal_names_field_and_source(
    options: dict[str, Any],
) -> None:
    result = outcome(options)
    if isinstance(result, Settings):
        assert_in_order(result)
        return
    assert result.refusals
    for refusal in result.refusals:
        assert refusal.field in FIELDS
        assert refusal.source.startswith(("option --", "profile ", "made from --"))
        assert refusal.why
        assert refusal.allowed
        assert refusal.fix in result.fix
        assert str(refusal) in result.what


@given(st.sampled_from(TEXT_FIELDS), likely_text)
@settings(max_examples=300, deadline=None)
def test_a_name_is_refused_or_kept_to_the_letter(field: str, text: str) -> None:
    result = outcome({field: text})
    if isinstance(result, Settings):
        assert getattr(result, field) == text
    else:
        assert [refusal.field for refusal in result.refusals] == [field]


@given(likely_text)
@settings(max_examples=300, deadline=None)
def test_a_domain_is_refused_or_is_the_end_of_the_servers_names(domain: str) -> None:
    result = outcome({"domain": domain})
    if isinstance(result, Settings):
        assert result.server_cn == f"server.{result.domain}"
        assert_in_order(result)
    else:
        assert all("--domain" in refusal.fix for refusal in result.refusals)


@given(st.fixed_dictionaries({}, optional={f"MTLS_{name.upper()}": likely_text for name in FIELDS}))
@settings(max_examples=200, deadline=None)
def test_whatever_the_environment_each_refusal_leads_back_to_a_variable(
    environ: dict[str, str],
) -> None:
    result = outcome({}, environ)
    if isinstance(result, Settings):
        assert_in_order(result)
    else:
        assert all(any(name in refusal.fix for name in environ) for refusal in result.refusals)


@given(st.data(), profiles)
@settings(max_examples=100, deadline=None)
def test_what_was_accepted_is_accepted_unchanged_the_second_time(
    data: st.DataObject, profile: str
) -> None:
    field = data.draw(st.sampled_from(FIELDS[1:]))
    result = outcome({"profile": profile, field: data.draw(anything)})
    if isinstance(result, Settings):
        assert outcome(result.model_dump()) == result


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings") / "mtls.toml"


statements = st.lists(
    st.sampled_from(
        [
            '{key} = "x"\n',
            "{key} = [\n  'a = 1',\n\n  # b = 2\n]\n",
            '{key} = """\n[c]\nd = 1\n"""\r\n',
            "# {key} = 1\n",
            "\n",
            "{key}.e = 1\n",
            "[{key}]\na1 = 1\n",
            "[[{key}]]\n",
            "'{key}' = [[1],\n[2]]\n",
            '"{key}" . "f=" = 1\n',
        ]
    ),
    max_size=12,
)


@given(statements)
@settings(max_examples=150, deadline=None)
def test_each_key_of_a_file_is_found_on_the_line_where_it_begins(
    config: Path, written: list[str]
) -> None:
    lines = {}
    text = ""
    in_table = False
    for number, statement in enumerate(written):
        is_table = statement.startswith("[")
        if (is_table or not in_table) and "{key}" in statement and statement[0] != "#":
            lines[f"key{number}"] = text.count("\n") + 1
        in_table = in_table or is_table
        text += statement.replace("{key}", f"key{number}")
    config.write_bytes(text.encode())
    assert set(tomllib.loads(text)) == set(lines)
    document = read_config(config)
    assert {key: document.line((key,)) for key in document.content} == lines
