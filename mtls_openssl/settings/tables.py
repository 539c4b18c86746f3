"""The tables of `mtls.toml`: what is said of each authority and each certificate."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from mtls_openssl.language import _
from mtls_openssl.manifest import Key
from mtls_openssl.profiles import P12_FOR
from mtls_openssl.settings import names, values
from mtls_openssl.settings.model import Days, IpAddress, Name, ServerName

READERS = ("default", *P12_FOR)

_NAME = _("1 to 64 characters that can be seen, without white space at either end")
_KEYS = "RSA-2048 … RSA-16384, P-256, P-384, Ed25519"


FileName = Annotated[
    str,
    BeforeValidator(names.file_name),
    Field(description=_("1 to 60 of A-Z a-z 0-9 . _ - with a letter or digit at both ends")),
]
KeyKind = Annotated[Key, BeforeValidator(names.key_kind)]
Mail = Annotated[str, BeforeValidator(names.mail)]
Address = Annotated[str, BeforeValidator(names.address)]
Limit = Annotated[str, BeforeValidator(names.limit)]
Passphrase = Annotated[
    str,
    BeforeValidator(names.passphrase_source),
    Field(description=_("env:NAME, file:PATH or ask; absent for a key without a pass phrase")),
]
Url = Annotated[
    str,
    BeforeValidator(names.web_address),
    Field(description=_("an address such as http://pki.example.com/ca.crl")),
]
PathLength = Annotated[
    int | None, BeforeValidator(names.path_length), Field(description=_("0 to 10"))
]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AuthorityTable(_Table):
    """What is said of an authority."""

    key: Annotated[KeyKind | None, Field(description=_KEYS)] = None
    """Its kind of key; else by profile and `ca_key_size`."""
    passphrase: Passphrase = ""
    """Where the pass phrase of its key is; empty for a key without."""
    path_length: PathLength = None
    """How many authorities may stand below it."""
    permitted: Annotated[
        tuple[Limit, ...],
        BeforeValidator(values.listed),
        Field(description=_("domains, addresses or networks, such as example.com, 192.0.2.0/24")),
    ] = ()
    """The names that may be certified below it; none for no limit."""
    excluded: Annotated[
        tuple[Limit, ...],
        BeforeValidator(values.listed),
        Field(description=_("domains, addresses or networks, such as example.com, 192.0.2.0/24")),
    ] = ()
    """The names that may not."""


class CaTable(AuthorityTable):
    """`[ca]`: the root."""

    cn: Annotated[Name | None, Field(description=_NAME)] = None
    """Its common name; else `ca_cn`."""
    days: Annotated[Days | None, Field(description=_("1 to 36500"))] = None
    """How long its certificate lasts; else `ca_days`."""
    crl_url: Url = ""
    """Where the list of revoked certificates can be had, said in each certificate."""
    ocsp_url: Url = ""
    """Where an OCSP responder answers, said in each certificate."""
    crl_days: Annotated[Days, Field(description=_("1 to 36500"))] = 30
    """How long a list of revoked certificates is good for."""


class IntermediateTable(AuthorityTable):
    """`[intermediate]`: the authority that issues, below the root."""

    cn: Annotated[Name, Field(description=_NAME)] = "MyIssuingCA"
    """Its common name."""
    days: Annotated[Days, Field(description=_("1 to 36500, and no more than the root's"))] = 1825
    """How long its certificate lasts."""


class LeafTable(_Table):
    """`[[server]]` or `[[client]]`: one certificate."""

    name: FileName
    """What its files are called."""
    cn: Annotated[Name | None, Field(description=_NAME)] = None
    """Its common name; else NAME.DOMAIN of a server, NAME of a client."""
    dns: Annotated[
        tuple[ServerName, ...],
        BeforeValidator(values.listed),
        AfterValidator(values.distinct),
        Field(description=_("names such as api.example.com or *.example.com")),
    ] = ()
    """DNS names; a server without any name has its common name."""
    ip: Annotated[
        tuple[IpAddress, ...],
        BeforeValidator(values.listed),
        AfterValidator(values.distinct),
        Field(description=_("addresses such as 192.0.2.1 or 2001:db8::1")),
    ] = ()
    """IP addresses."""
    email: Annotated[
        tuple[Mail, ...],
        BeforeValidator(values.listed),
        AfterValidator(values.distinct),
        Field(description=_("e-mail addresses")),
    ] = ()
    """E-mail addresses (rfc822Name)."""
    uri: Annotated[
        tuple[Address, ...],
        BeforeValidator(values.listed),
        Field(description=_("addresses such as spiffe://example.com/service")),
    ] = ()
    """URIs."""
    key: Annotated[KeyKind | None, Field(description=_KEYS)] = None
    """Its kind of key; else by profile and `key_size`."""
    days: Annotated[
        Days | None, Field(description=_("1 to 36500, and no more than its issuer's"))
    ] = None
    """How long it lasts; else `cert_days`."""
    p12: Annotated[
        Annotated[
            tuple[Annotated[str, BeforeValidator(names.reader)], ...],
            BeforeValidator(values.listed),
        ]
        | None,
        Field(description=", ".join(READERS)),
    ] = None
    """For whom it is packed as PKCS#12: NAME.p12 for the first, NAME.READER.p12 for the others."""
    p12_name: Annotated[Name | None, Field(description=_NAME)] = None
    """The friendly name in these files; else the common name."""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The names it stands for, as `manifest.Leaf` has them."""
        return (
            *(f"DNS:{name}" for name in self.dns),
            *(f"IP:{address}" for address in self.ip),
            *(f"email:{address}" for address in self.email),
            *(f"URI:{address}" for address in self.uri),
        )


class ServerTable(LeafTable):
    """`[[server]]`: a server's certificate."""

    peer: Annotated[
        bool, BeforeValidator(values.yes_or_no), Field(description=_("true or false"))
    ] = False
    """Whether it is a client of its peers as well, as a node of a cluster is."""


class Tables(_Table):
    """All tables of `mtls.toml`."""

    ca: CaTable | None = None
    intermediate: IntermediateTable | None = None
    server: tuple[ServerTable, ...] = ()
    client: tuple[LeafTable, ...] = ()
