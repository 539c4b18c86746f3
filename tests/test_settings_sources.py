"""Which of profile, file, environment and option decides, and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mtls_openssl.settings import Loaded, Refusal, Settings, SettingsRefusedError, load


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "mtls.toml"


def loaded(
    toml: str | bytes,
    config: Path,
    environ: Mapping[str, str] | None = None,
    **options: object,
) -> Loaded:
    config.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return load(options, environ=environ or {}, config=config)


def refusals(
    toml: str | bytes,
    config: Path,
    environ: Mapping[str, str] | None = None,
    **options: object,
) -> tuple[Refusal, ...]:
    with pytest.raises(SettingsRefusedError) as caught:
        loaded(toml, config, environ, **options)
    return caught.value.refusals


def test_an_option_beats_the_environment_which_beats_the_file_which_beats_the_profile(
    config: Path,
) -> None:
    result = loaded(
        'org = "File"\ncity = "File"\nca_cn = "File"\n',
        config,
        {"MTLS_ORG": "Environment", "MTLS_CITY": "Environment"},
        org="Option",
    )
    decided = {
        name: (getattr(result.settings, name), result.sources[name])
        for name in ("org", "city", "ca_cn", "client_cn")
    }
    assert decided == {
        "org": ("Option", "option --org"),
        "city": ("Environment", "environment MTLS_CITY"),
        "ca_cn": ("File", "mtls.toml line 3"),
        "client_cn": ("client1", "profile bat"),
    }


@pytest.mark.parametrize(
    ("toml", "environ", "options", "picked"),
    [
        ("", {}, {}, ("bat", "the default")),
        ('profile = "guide"', {}, {}, ("guide", "mtls.toml line 1")),
        (
            'profile = "guide"',
            {"MTLS_PROFILE": "modern"},
            {},
            ("modern", "environment MTLS_PROFILE"),
        ),
        (
            'profile = "guide"',
            {"MTLS_PROFILE": "modern"},
            {"profile": "bat"},
            ("bat", "option --profile"),
        ),
    ],
)
def test_the_profile_is_picked_by_the_same_order(
    config: Path,
    toml: str,
    environ: dict[str, str],
    options: dict[str, object],
    picked: tuple[str, str],
) -> None:
    result = loaded(toml, config, environ, **options)
    assert (result.settings.profile, result.sources["profile"]) == picked


def test_the_files_profile_gives_what_the_file_does_not(config: Path) -> None:
    result = loaded('org = "Mine"\nprofile = "guide"', config)
    assert (result.settings.org, result.settings.client_cn) == ("Mine", "my_client_id")


def test_an_unknown_profile_is_refused_with_the_nearest(config: Path) -> None:
    (refusal,) = refusals("", config, profile="modren")
    assert (refusal.why, refusal.allowed) == (
        "is no profile; did you mean modern?",
        "bat, guide, modern",
    )


def test_every_setting_has_a_source_even_where_it_has_no_value() -> None:
    sources = load({"profile": "modern"}, environ={}, config=None).sources
    assert set(sources) == set(Settings.model_fields)
    assert sources["key_size"] == "profile modern"


def test_an_option_of_none_was_not_given() -> None:
    assert load({"org": None}, environ={}, config=None).sources["org"] == "profile bat"


def test_an_option_that_is_no_setting_is_the_callers_mistake() -> None:
    with pytest.raises(TypeError, match="jobs"):
        load({"jobs": 2}, environ={}, config=None)


def test_the_names_of_the_server_follow_a_given_domain() -> None:
    result = load({"domain": "例子.com"}, environ={}, config=None)
    assert (result.settings.server_cn, result.settings.server_dns) == (
        "server.xn--fsqu00a.com",
        ("server.xn--fsqu00a.com", "localhost", "api.xn--fsqu00a.com"),
    )
    assert result.sources["server_dns"] == "made from --domain"


def test_the_cas_key_is_as_long_as_the_others_where_the_bat_says_so(config: Path) -> None:
    result = loaded("\nkey_size = 3072", config)
    assert result.settings.ca_key_size == 3072
    assert result.sources["ca_key_size"] == "made from mtls.toml line 2"


def test_the_guides_ca_key_keeps_its_own_length() -> None:
    result = load({"profile": "guide", "key_size": 3072}, environ={}, config=None)
    assert result.settings.ca_key_size == 4096


def test_a_given_name_is_never_filled_in() -> None:
    result = load({"domain": "a.b", "server_cn": "{domain}"}, environ={}, config=None)
    assert result.settings.server_cn == "{domain}"


def test_a_domain_too_long_for_a_common_name_points_at_both_options(config: Path) -> None:
    (refusal,) = refusals("", config, domain="x" * 60 + ".com")
    assert (refusal.field, refusal.source, refusal.fix) == (
        "server_cn",
        "made from --domain",
        "give --server-cn or change --domain",
    )


def test_what_is_made_from_a_refused_domain_is_not_refused_as_well(config: Path) -> None:
    (refusal,) = refusals("", config, {"MTLS_DOMAIN": "a b"})
    assert (refusal.field, refusal.source) == ("domain", "environment MTLS_DOMAIN")


def test_lists_in_the_environment_stand_between_commas() -> None:
    environ = {"MTLS_SERVER_DNS": "a.example, b.example,", "MTLS_SERVER_IP": ""}
    settings = load({}, environ=environ, config=None).settings
    assert (settings.server_dns, settings.server_ip) == (("a.example", "b.example"), ())


def test_numbers_and_yes_or_no_in_the_environment_are_read() -> None:
    environ = {"MTLS_CERT_DAYS": "30", "MTLS_KEEP_CSR": "on"}
    settings = load({}, environ=environ, config=None).settings
    assert (settings.cert_days, settings.keep_csr) == (30, True)


def test_other_variables_of_ours_are_not_settings() -> None:
    environ = {"MTLS_OPENSSL": "x", "MTLS_P12_PASSWORD": "x", "MTLS_JOBS": "x", "ORG": "x"}
    plain = load({}, environ={}, config=None)
    assert load({}, environ=environ, config=None) == plain


def test_a_refused_variable_can_be_unset(config: Path) -> None:
    (refusal,) = refusals("", config, {"MTLS_COUNTRY": "x"})
    assert refusal.fix == "change or unset MTLS_COUNTRY"


def test_keys_of_the_file_may_have_dashes(config: Path) -> None:
    result = loaded("cert-days = 9\n'ca-cn' = 'Root'\nserver-ip = ['::1']", config)
    assert (result.settings.cert_days, result.settings.ca_cn) == (9, "Root")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(config: Path) -> None:
    result = loaded('\ufeff# mine\r\norg = "Örg"\r\n'.encode(), config)
    assert (result.settings.org, result.sources["org"]) == ("Örg", "mtls.toml line 2")


def test_lines_are_counted_past_comments_lists_and_text_that_looks_like_a_key(
    config: Path,
) -> None:
    toml = '''\
# org = "comment"
server_dns = [
  "a.example", # city = "x"

  "b.example",
]

"city" = """
Here"""  # a text over two lines
p12_name = """\\
org = 'not here'"""
org = "Here"
'''
    sources = loaded(toml, config).sources
    assert [sources[name] for name in ("server_dns", "city", "p12_name", "org")] == [
        "mtls.toml line 2",
        "mtls.toml line 8",
        "mtls.toml line 10",
        "mtls.toml line 12",
    ]


def test_a_key_that_is_no_setting_is_refused_with_its_line_and_the_nearest_name(
    config: Path,
) -> None:
    (refusal,) = refusals('org = "x"\n\ncert-day = 3\n', config)
    assert (refusal.field, refusal.source, refusal.why, refusal.fix) == (
        "cert-day",
        "mtls.toml line 3",
        "is no setting; did you mean cert_days?",
        "edit mtls.toml line 3",
    )


def test_a_table_is_refused_and_the_keys_in_it_are_not_taken_for_settings(config: Path) -> None:
    (refusal,) = refusals('\n[server]\norg = "x"\n[server.more]\n', config)
    assert (refusal.field, refusal.source) == ("[[server]]", "mtls.toml line 2")


def test_a_setting_given_twice_in_two_spellings_is_refused(config: Path) -> None:
    (refusal,) = refusals("cert_days = 3\ncert-days = 4", config)
    assert (refusal.source, refusal.why) == (
        "mtls.toml line 2",
        "is given by mtls.toml line 1 already",
    )


def test_unknown_keys_and_refused_values_are_told_together(config: Path) -> None:
    found = refusals("orga = 1\ncity = 2", config, {"MTLS_STATE": "\n"}, country="x")
    assert [refusal.field for refusal in found] == ["orga", "country", "state", "city"]


def test_a_password_in_the_file_is_refused_and_never_shown(config: Path) -> None:
    (refusal,) = refusals('p12_password = "hunter2"', config)
    assert "--p12-password-file" in refusal.allowed
    assert "hunter2" not in str(refusal)


def test_an_odd_key_is_shown_escaped(config: Path) -> None:
    (refusal,) = refusals('"a\\nb" = 1', config)
    assert refusal.field == "a\\nb"


@pytest.mark.parametrize(
    ("toml", "source"),
    [
        ('org = "x"\ncity = \n', "mtls.toml line 2"),
        ("org = My Org", "mtls.toml line 1"),
        ('org = "C:\\certs"', "mtls.toml line 1"),
        ('org = "a"\norg = "b"\n', "mtls.toml line 2"),
        ('\norg = """x\n', "mtls.toml line 2"),
        ('city = "x"\norg = "M\xfcller"'.encode("latin-1"), "mtls.toml line 2"),
        ('org = "x"'.encode("utf-16"), "mtls.toml line 1"),
    ],
)
def test_a_file_that_is_not_toml_in_utf_8_is_refused_with_the_line(
    config: Path, toml: str | bytes, source: str
) -> None:
    (refusal,) = refusals(toml, config)
    assert (refusal.field, refusal.source) == ("mtls.toml", source)


@pytest.mark.parametrize(("start", "repeated"), [("cert_days = ", "9"), ("org = ", "[")])
def test_a_monstrous_file_is_refused_too(config: Path, start: str, repeated: str) -> None:
    (refusal,) = refusals(start + repeated * 5000, config)
    assert refusal.source == str(config)


def test_a_number_too_long_to_write_down_is_refused_too(config: Path) -> None:
    (refusal,) = refusals("cert_days = 0x" + "f" * 5000, config)
    assert refusal.field == "cert_days"


@pytest.mark.parametrize("value", ["2020-01-01", "1.5", "{ a = 1 }", "[[1], []]", "true", "nan"])
@pytest.mark.parametrize("field", ["org", "cert_days", "server_ip", "profile", "domain"])
def test_a_value_of_another_kind_is_refused_with_its_line(
    config: Path, field: str, value: str
) -> None:
    found = refusals(f"\n{field} = {value}", config)
    assert {(refusal.field, refusal.source) for refusal in found} == {(field, "mtls.toml line 2")}


def test_a_file_that_is_not_there_is_refused_by_its_path(config: Path) -> None:
    with pytest.raises(SettingsRefusedError) as caught:
        load({}, environ={}, config=config)
    assert str(config) in caught.value.what
