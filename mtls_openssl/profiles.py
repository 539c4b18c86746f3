"""Named sets of values for every setting: the guide's script, the guide's chapters, and stricter.

Constants only, so that a help page can list them without loading what checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from mtls_openssl.frozen import dataclass

KeyType = Literal["RSA", "EC"]

P12_FOR: Final = ("modern", "windows2016", "java8", "macos", "android")
"""Whom a PKCS#12 file can be made for; `openssl.readers` knows what that means."""


@dataclass(frozen=True)
class Profile:
    """What is made where nobody says otherwise.

    Args:
        name: what `--profile` calls it.
        reason: when to take it, for the help page.
        values: a value for each setting it has one for, by the setting's name. `{domain}` and
            `{key_size}` in a value stand for those settings.
        key_type: the kind of every key; an EC key is on the curve P-256.
        server_ext: name of the server's extension file.
        critical_key_usage: whether the certificates of server and client mark keyUsage critical
            (RFC 5280 section 4.2.1.3).
        client_san: whether the client's certificate says its name in a subjectAltName too
            (RFC 9525 section 2: the subject alone is no longer read).
    """

    name: str
    reason: str
    values: Mapping[str, object]
    key_type: KeyType = "RSA"
    server_ext: str = "v3_server.ext"
    critical_key_usage: bool = False
    client_san: bool = False


_BAT_VALUES: Final[Mapping[str, object]] = MappingProxyType(
    {
        "country": "CN",
        "state": "Beijing",
        "city": "Beijing",
        "org": "MyOrganization",
        "domain": "your_domain.com",
        "ca_days": 3650,
        "cert_days": 365,
        "key_size": 2048,
        "ca_key_size": "{key_size}",
        "ca_cn": "MyRootCA",
        "server_cn": "server.{domain}",
        "server_dns": ("server.{domain}", "localhost", "api.{domain}"),
        "server_ip": ("127.0.0.1",),
        "client_cn": "client1",
        "p12_name": "MyClientCert",
        "keep_csr": False,
    }
)

BAT: Final = Profile(
    name="bat",
    reason="what generate_certs.bat makes (the guide's Appendix A)",
    values=_BAT_VALUES,
)

GUIDE: Final = Profile(
    name="guide",
    reason="what the guide's steps 2 to 5 make, typed one by one",
    values=MappingProxyType(
        {
            **_BAT_VALUES,
            "org": "MyOrg",
            "ca_key_size": 4096,
            "server_dns": ("server.{domain}", "api.{domain}"),
            "server_ip": ("192.168.1.100",),
            "client_cn": "my_client_id",
            "p12_name": "My Client Certificate",
        }
    ),
    server_ext="v3.ext",
)

MODERN: Final = Profile(
    name="modern",
    reason="P-256 keys, critical keyUsage, the client's name as a subjectAltName, 397-day leaves",
    values=MappingProxyType(
        {
            **{key: value for key, value in _BAT_VALUES.items() if "key_size" not in key},
            "cert_days": 397,
        }
    ),
    key_type="EC",
    critical_key_usage=True,
    client_san=True,
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (BAT, GUIDE, MODERN)}
)
"""Every profile by its name, the default first."""
