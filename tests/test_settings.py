"""What a setting may be, and what is said when it may not."""

from __future__ import annotations

import re

import pydantic
import pytest

from mtls_openssl.errors import Exit
from mtls_openssl.settings import Refusal, Settings, SettingsRefusedError, load

NAMES = ("org", "state", "city", "ca_cn", "server_cn", "client_cn", "p12_name")


def made(**options: object) -> Settings:
    return load(options, environ={}, config=None).settings


def refused(**options: object) -> SettingsRefusedError:
    with pytest.raises(SettingsRefusedError) as caught:
        made(**options)
    return caught.value


def only_refusal(**options: object) -> Refusal:
    (refusal,) = refused(**options).refusals
    return refusal


def test_a_country_is_written_in_capitals() -> None:
    assert made(country="de").country == "DE"


@pytest.mark.parametrize("country", ["", "C", "CHN", "C1", "ÄÖ", "C\n", "ßß", 49])
def test_a_country_that_is_not_two_letters_is_refused(country: object) -> None:
    assert only_refusal(country=country).field == "country"


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        "北京 证书",
        'O/U=x + y \\ "z" # , ; < >',
        "100% of $HOME & ^ ! ' | `",
        "Straße",
        "{domain}",
        "{{ x }} ${ENV::HOME} [section]",
        "x" * 61,
    ],
)
def test_a_name_is_kept_exactly_as_typed(field: str, text: str) -> None:
    assert getattr(made(**{field: text}), field) == text


@pytest.mark.parametrize("field", [name for name in NAMES if name != "p12_name"])
def test_a_name_in_a_certificate_may_hold_an_emoji(field: str) -> None:
    assert getattr(made(**{field: "😀 👩\u200d🔬"}), field) == "😀 👩\u200d🔬"


def test_a_friendly_name_may_not_since_it_has_no_room_for_one() -> None:
    with pytest.raises(SettingsRefusedError, match="for which a friendly name has no room"):
        made(p12_name="Straße 😀")


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a\nb", "a line break"),
        ("a\r", "a line break"),
        ("a\u2028b", "a line break"),
        ("a\0b", "U+0000"),
        ("a\x7fb", "U+007F"),
        ("a\u202eb", "RIGHT-TO-LEFT OVERRIDE"),
        ("a\u200bb", "ZERO WIDTH SPACE"),
        ("\ufeffa", "U+FEFF"),
        ("a\ufffe", "U+FFFE"),
        ("a\U0010ffff", "U+10FFFF"),
        ("a\udce4", "no text in UTF-8"),
        (" a", "white space"),
        ("a\u3000", "white space"),
        ("x" * 65, "65 characters"),
        (7, "not text"),
    ],
)
def test_a_name_that_could_deceive_or_not_fit_is_refused(
    field: str, text: object, why: str
) -> None:
    assert why in only_refusal(**{field: text}).why


@pytest.mark.parametrize("field", ["state", "city"])
def test_an_empty_place_is_left_out_of_every_subject(field: str) -> None:
    key = {"state": "ST", "city": "L"}[field]
    settings = made(**{field: ""})
    subjects = (settings.ca_subject, settings.server_subject, settings.client_subject)
    assert all(key not in dict(subject) for subject in subjects)


@pytest.mark.parametrize("field", ["org", "ca_cn", "server_cn", "client_cn", "p12_name"])
def test_any_other_name_must_not_be_empty(field: str) -> None:
    assert only_refusal(**{field: ""}).why == "is empty"


def test_an_organisation_leaves_room_for_what_the_ca_adds_to_it() -> None:
    assert '" CA"' in only_refusal(org="x" * 62).why


def test_subjects_stand_in_the_guides_order() -> None:
    settings = made(org="Örg", city="")
    assert settings.ca_subject == (
        ("C", "CN"),
        ("ST", "Beijing"),
        ("O", "Örg CA"),
        ("CN", "MyRootCA"),
    )


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Example.COM", "Example.COM"),
        ("your_domain.com", "your_domain.com"),
        ("_a._b", "_a._b"),
        ("localhost", "localhost"),
        ("例子.测试", "xn--fsqu00a.xn--0zwm56d"),
        ("例子。com", "xn--fsqu00a.com"),
        ("my_host.例子", "my_host.xn--fsqu00a"),
        ("München.de", "xn--mnchen-3ya.de"),
        ("*.example", "*.example"),
        ("*.例子.com", "*.xn--fsqu00a.com"),
        ("x" * 63 + ".y", "x" * 63 + ".y"),
        (".".join(["x" * 49] * 5) + ".yyy", ".".join(["x" * 49] * 5) + ".yyy"),
    ],
)
def test_a_dns_name_is_written_as_dns_knows_it(typed: str, written: str) -> None:
    assert made(server_dns=[typed]).server_dns == (written,)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a..b", "a dot too many"),
        ("example.com.", "a dot too many"),
        (".com", "a dot too many"),
        ("-a.com", 'the part "-a"'),
        ("a-.com", 'the part "a-"'),
        ("https://a.com", 'the part "https://a"'),
        ("a.com:443", 'the part "com:443"'),
        ("a b.com", 'the part "a b"'),
        ("*", "a wildcard for nothing"),
        ("*.", "is empty"),
        ("a.*.com", 'the part "*"'),
        ("*.*.com", 'the part "*"'),
        ("a*.com", 'the part "a*"'),
        ("1.2.3.4", "--server-ip"),
        ("::1", "--server-ip"),
        ("1.2.3", "--server-ip"),
        ("*.1", "--server-ip"),
        ("☃.com", "internationalised"),
        ("a…b.com", "internationalised"),
        ("x" * 64 + ".com", "64 characters"),
        ("x." * 126 + "xx", "254 characters"),
        ("*." + "x." * 125 + "xx", "254 characters"),
        ("ex\u00adample.com", "SOFT HYPHEN"),
        ("a\n.com", "a line break"),
        (5, "not text"),
    ],
)
def test_what_is_no_dns_name_is_refused_with_its_reason(name: object, why: str) -> None:
    assert why in only_refusal(server_dns=["good.example", name]).why


def test_a_domain_takes_no_wildcard() -> None:
    assert 'the part "*"' in only_refusal(domain="*.example.com").why


def test_a_refused_entry_of_a_list_is_shown_by_itself() -> None:
    assert only_refusal(server_dns=["good.example", "a..b"]).value == "'a..b'"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("192.168.1.100", "192.168.1.100"),
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("::1", "::1"),
    ],
)
def test_an_address_is_written_in_its_short_form(typed: str, written: str) -> None:
    assert made(server_ip=[typed]).server_ip == (written,)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("10.0.0.0/8", "network"),
        ("fe80::1%eth0", "zone"),
        ("256.1.1.1", "not an IP address"),
        ("010.1.1.1", "not an IP address"),
        ("api.example.com", "--server-dns"),
        (2130706433, "not text"),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(address: object, why: str) -> None:
    assert why in only_refusal(server_ip=[address]).why


def test_what_is_listed_twice_is_kept_once_in_its_first_place() -> None:
    settings = made(
        server_dns=["b.example", "a.example", "B.example"], server_ip=["::1", "0:0:0:0:0:0:0:1"]
    )
    assert (settings.server_dns, settings.server_ip) == (("b.example", "a.example"), ("::1",))


def test_a_server_may_have_addresses_only() -> None:
    assert made(server_dns=[""], server_ip=["::1"]).server_dns == ()


def test_a_server_without_any_name_is_refused() -> None:
    refusal = only_refusal(server_dns=[""], server_ip=[""])
    assert (refusal.field, refusal.fix) == (
        "server_ip",
        "change --server-ip or change --server-dns",
    )


@pytest.mark.parametrize("days", [1, "36500", " 365 "])
def test_days_may_be_digits(days: object) -> None:
    assert made(ca_days=36500, cert_days=days).cert_days == int(str(days))


@pytest.mark.parametrize("days", [0, -1, 36501, "1e3", "٣٦٥", "7\x1f", "", True, 3.0])
def test_days_out_of_reach_are_refused(days: object) -> None:
    assert only_refusal(cert_days=days).field == "cert_days"


def test_a_number_too_long_to_write_down_is_refused_too() -> None:
    assert only_refusal(cert_days=1 << 20000).field == "cert_days"


def test_a_certificate_may_end_with_its_ca() -> None:
    assert made(ca_days=30, cert_days=30).cert_days == 30


def test_a_certificate_that_outlives_its_ca_is_refused_and_both_are_named() -> None:
    refusal = only_refusal(ca_days=30)
    assert (refusal.field, refusal.source, refusal.fix) == (
        "cert_days",
        "profile bat",
        "give --cert-days or change --ca-days",
    )
    assert "30 days; ca_days is from option --ca-days" in refusal.why


@pytest.mark.parametrize("size", [2048, 3072, 4096, 16384, "2056"])
def test_a_key_may_have_2048_to_16384_bits(size: object) -> None:
    assert made(key_size=size).key_size == int(str(size))


@pytest.mark.parametrize("size", [1024, 2047, 2049, 16392, "big", False])
@pytest.mark.parametrize("field", ["key_size", "ca_key_size"])
def test_any_other_size_is_refused_once(field: str, size: object) -> None:
    assert only_refusal(**{field: size}).field == field


@pytest.mark.parametrize("field", ["key_size", "ca_key_size"])
def test_a_size_for_an_ec_key_is_refused(field: str) -> None:
    refusal = only_refusal(profile="modern", **{field: 2048})
    assert "modern makes P-256 keys" in refusal.why


@pytest.mark.parametrize(
    ("client", "written"),
    [
        ("my_client_id", "DNS:my_client_id"),
        ("客户", "DNS:xn--ubt06m"),
        ("ann.lee+x@例子.com", "email:ann.lee+x@xn--fsqu00a.com"),
    ],
)
def test_modern_writes_the_client_as_an_alternative_name(client: str, written: str) -> None:
    assert made(profile="modern", client_cn=client).client_san == written


def test_modern_leaves_the_clients_common_name_as_typed() -> None:
    assert dict(made(profile="modern", client_cn="客户").client_subject)["CN"] == "客户"


@pytest.mark.parametrize("client", ["Ann Lee", "a,b@x.com", "@x.com", "a@b@x.com", "a@", "a$b@x"])
def test_modern_refuses_a_client_that_is_neither_a_dns_name_nor_an_address(client: str) -> None:
    assert "a DNS name or an e-mail address" in only_refusal(profile="modern", client_cn=client).why


@pytest.mark.parametrize("word", [True, "1", "TRUE", "yes", "on", 1])
def test_yes_has_several_words(word: object) -> None:
    assert made(keep_csr=word).keep_csr is True


@pytest.mark.parametrize("word", [False, "0", "false", "No", "off"])
def test_no_has_several_words(word: object) -> None:
    assert made(keep_csr=word).keep_csr is False


@pytest.mark.parametrize("word", ["", "maybe", 2, "yes no", "on\x1f"])
def test_neither_yes_nor_no_is_refused(word: object) -> None:
    assert only_refusal(keep_csr=word).why == "is neither yes nor no"


def test_every_refused_setting_is_told_at_once() -> None:
    error = refused(country="C1", org="a\nb", key_size=512, server_ip=["x"])
    assert [refusal.field for refusal in error.refusals] == [
        "country",
        "org",
        "key_size",
        "server_ip",
    ]


def test_a_refusal_says_field_value_source_reason_what_is_allowed_and_the_edit() -> None:
    error = refused(country="C1")
    head, line = error.what.splitlines()
    assert head == "A setting is refused:"
    assert line == (
        "  country 'C1' (option --country) is not two letters from A to Z;"
        " allowed: the two letters of a country, such as CN"
    )
    assert error.fix == "change --country"


def test_refused_settings_have_their_own_exit_code() -> None:
    assert refused(country="C1").code is Exit.SETTING_REFUSED


def test_a_long_value_is_shortened_and_an_unprintable_one_escaped() -> None:
    assert re.fullmatch(r"'a\\nx{55}…", only_refusal(org="a\n" + "x" * 500).value)


def test_settings_can_not_be_changed() -> None:
    with pytest.raises(pydantic.ValidationError):
        made().org = "Other"  # type: ignore[misc]


def test_settings_take_no_other_names() -> None:
    with pytest.raises(pydantic.ValidationError):
        Settings.model_validate({**made().model_dump(), "organisation": "x"})


def test_every_setting_says_what_it_allows() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_name_that_was_saved_in_another_encoding_is_refused_with_that_reason() -> None:
    with pytest.raises(SettingsRefusedError, match="not saved as UTF-8"):
        load({"org": "\ufffd\ufffd Ltd"}, environ={}, config=None)
