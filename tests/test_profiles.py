"""The profiles hold the guide's own values."""

from __future__ import annotations

import pytest

from mtls_openssl.profiles import BAT, GUIDE, MODERN, PROFILES
from mtls_openssl.settings import Settings, load


def settings_of(profile: str) -> Settings:
    return load({"profile": profile}, environ={}, config=None).settings


def test_bat_makes_what_the_script_of_appendix_a_makes() -> None:
    assert settings_of("bat").model_dump() == {
        "profile": "bat",
        "country": "CN",
        "state": "Beijing",
        "city": "Beijing",
        "org": "MyOrganization",
        "domain": "your_domain.com",
        "ca_days": 3650,
        "cert_days": 365,
        "key_size": 2048,
        "ca_key_size": 2048,
        "ca_cn": "MyRootCA",
        "server_cn": "server.your_domain.com",
        "server_dns": ("server.your_domain.com", "localhost", "api.your_domain.com"),
        "server_ip": ("127.0.0.1",),
        "client_cn": "client1",
        "p12_name": "MyClientCert",
        "p12_for": None,
        "keep_csr": False,
    }


def test_guide_makes_what_steps_2_to_5_make() -> None:
    assert settings_of("guide").model_dump() == {
        "profile": "guide",
        "country": "CN",
        "state": "Beijing",
        "city": "Beijing",
        "org": "MyOrg",
        "domain": "your_domain.com",
        "ca_days": 3650,
        "cert_days": 365,
        "key_size": 2048,
        "ca_key_size": 4096,
        "ca_cn": "MyRootCA",
        "server_cn": "server.your_domain.com",
        "server_dns": ("server.your_domain.com", "api.your_domain.com"),
        "server_ip": ("192.168.1.100",),
        "client_cn": "my_client_id",
        "p12_name": "My Client Certificate",
        "p12_for": None,
        "keep_csr": False,
    }


def test_modern_differs_from_bat_in_keys_and_days_only() -> None:
    bat, modern = settings_of("bat").model_dump(), settings_of("modern").model_dump()
    assert {name: modern[name] for name in modern if modern[name] != bat[name]} == {
        "profile": "modern",
        "cert_days": 397,
        "key_size": None,
        "ca_key_size": None,
    }


def test_modern_is_strict_where_the_guide_is_not() -> None:
    modern = settings_of("modern")
    assert (modern.key_type, modern.critical_key_usage, modern.client_san) == (
        "EC",
        True,
        "DNS:client1",
    )


@pytest.mark.parametrize("name", ["bat", "guide"])
def test_the_guides_own_profiles_make_rsa_keys_and_the_guides_extensions(name: str) -> None:
    settings = settings_of(name)
    assert (settings.key_type, settings.critical_key_usage, settings.client_san) == (
        "RSA",
        False,
        None,
    )


def test_each_profile_names_the_servers_extension_file_as_the_guide_does() -> None:
    assert {name: settings_of(name).server_ext for name in PROFILES} == {
        "bat": "v3_server.ext",
        "guide": "v3.ext",
        "modern": "v3_server.ext",
    }


def test_profiles_are_found_by_their_own_names_and_bat_is_first() -> None:
    assert list(PROFILES.items()) == [("bat", BAT), ("guide", GUIDE), ("modern", MODERN)]


def test_a_profile_can_not_be_changed_by_who_reads_it() -> None:
    with pytest.raises(TypeError):
        BAT.values["org"] = "Other"  # type: ignore[index]


def test_every_value_of_a_profile_belongs_to_a_setting() -> None:
    fields = set(Settings.model_fields)
    assert all(set(profile.values) <= fields for profile in PROFILES.values())
