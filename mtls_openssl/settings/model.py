"""What the settings may be together, and what follows from them."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from mtls_openssl.language import _
from mtls_openssl.profiles import P12_FOR, PROFILES, KeyType, Profile
from mtls_openssl.settings import values
from mtls_openssl.settings.values import UnfitError

_DNS = _("letters, digits, - and _ with dots between, without scheme, port or path")

Name = Annotated[
    str,
    BeforeValidator(values.name),
    Field(description=_("1 to 64 characters that can be seen, without white space at either end")),
]
OptionalName = Annotated[
    str,
    BeforeValidator(values.optional_name),
    Field(
        description=_("at most 64 characters that can be seen, without white space at either end")
    ),
]
Days = Annotated[int, BeforeValidator(values.days)]
RsaSize = Annotated[int, BeforeValidator(values.rsa_size)] | None
ServerName = Annotated[str, BeforeValidator(values.server_name)]
IpAddress = Annotated[str, BeforeValidator(values.ip_address)]
_SIZES = _("a multiple of 8 from 2048 to 16384, with a profile that makes RSA keys")


class Settings(BaseModel):
    """Everything that can be decided about a set, checked.

    Raises:
        pydantic.ValidationError: with an `UnfitError` for each value that can't be used. `load`
            turns it into a `SettingsRefusedError`.
    """

    # The order counts: a rule about two settings is checked with the later of them.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    profile: Annotated[str, Field(description=", ".join(PROFILES))]
    """The name of the profile: a key of `PROFILES`."""
    country: Annotated[
        str,
        BeforeValidator(values.country),
        Field(description=_("the two letters of a country, such as CN")),
    ]
    state: OptionalName
    """State or province; empty to leave it out."""
    city: OptionalName
    """City; empty to leave it out."""
    org: Annotated[
        str,
        BeforeValidator(values.organization),
        Field(
            description=_("1 to 61 characters that can be seen, without white space at either end")
        ),
    ]
    """The organisation; the CA's own has ` CA` after it."""
    domain: Annotated[
        str,
        BeforeValidator(values.dns_name),
        Field(description=_("a name such as example.com: {letters}", letters=_DNS)),
    ]
    """The domain that the names of the server are made from."""
    ca_days: Annotated[Days, Field(description=_("1 to 36500"))]
    """Days that the CA's certificate is good for."""
    cert_days: Annotated[Days, Field(description=_("1 to 36500, and no more than ca_days"))]
    """Days that the certificates of server and client are good for."""
    key_size: Annotated[RsaSize, Field(description=_SIZES)]
    """Bits of the RSA keys of server and client; None with EC keys."""
    ca_key_size: Annotated[RsaSize, Field(description=_SIZES)]
    """Bits of the CA's RSA key; None with EC keys."""
    ca_cn: Name
    """The CA's common name."""
    server_cn: Name
    """The server's common name."""
    server_dns: Annotated[
        tuple[ServerName, ...],
        BeforeValidator(values.listed),
        AfterValidator(values.distinct),
        Field(
            description=_("names such as api.example.com or *.example.com: {letters}", letters=_DNS)
        ),
    ]
    """DNS names that the server answers to."""
    server_ip: Annotated[
        tuple[IpAddress, ...],
        BeforeValidator(values.listed),
        AfterValidator(values.distinct),
        Field(description=_("addresses such as 192.0.2.1 or 2001:db8::1; none if there are names")),
    ]
    """IP addresses that the server answers to."""
    client_cn: Name
    """The client's common name."""
    p12_name: Name
    """What the client's certificate is called where `client.p12` is imported."""
    p12_for: Annotated[str | None, Field(description=", ".join(P12_FOR))]
    """Whose algorithms a PKCS#12 file has; None for what the openssl release likes best."""
    keep_csr: Annotated[
        bool,
        BeforeValidator(values.yes_or_no),
        Field(description=_("1, true, yes, on or 0, false, no, off")),
    ]
    """Whether requests, serial and extension files stay."""

    @field_validator("profile")
    @classmethod
    def _is_known(cls, profile: str) -> str:
        if profile not in PROFILES:
            raise UnfitError(_("is no profile"))
        return profile

    @field_validator("p12_name")
    @classmethod
    def _fits_in_a_bmp_string(cls, name: str) -> str:
        # RFC 2985 section 5.5.1: a friendlyName has 16 bits for each character.
        beyond = next((letter for letter in name if letter > "\uffff"), None)
        if beyond:
            raise UnfitError(
                _("holds {letter}, for which a friendly name has no room", letter=beyond)
            )
        return name

    @field_validator("p12_for")
    @classmethod
    def _is_a_reader(cls, reader: str | None) -> str | None:
        if reader and reader not in P12_FOR:
            raise UnfitError(_("is nobody that a PKCS#12 file can be made for"))
        return reader or None

    @field_validator("cert_days")
    @classmethod
    def _ends_with_its_ca(cls, days: int, info: ValidationInfo) -> int:
        ca_days = info.data.get("ca_days", days)
        if days > ca_days:
            raise UnfitError(
                _("is longer than the CA's own certificate lasts, {days} days", days=ca_days),
                beside="ca_days",
            )
        return days

    @field_validator("key_size", "ca_key_size")
    @classmethod
    def _suits_the_key(cls, size: int | None, info: ValidationInfo) -> int | None:
        profile = PROFILES.get(info.data.get("profile", ""))
        if profile and profile.key_type == "EC" and size is not None:
            raise UnfitError(
                _(
                    "has no meaning: the profile {profile} makes P-256 keys, all of one size",
                    profile=profile.name,
                ),
                beside="profile",
            )
        if profile and profile.key_type == "RSA" and size is None:
            raise UnfitError(_("is not a whole number"))
        return size

    @field_validator("server_ip")
    @classmethod
    def _has_some_name(cls, addresses: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not addresses and info.data.get("server_dns") == ():
            raise UnfitError(
                _("leaves the server without any name: server_dns is empty too"),
                beside="server_dns",
            )
        return addresses

    @field_validator("client_cn")
    @classmethod
    def _fits_its_alternative_name(cls, client: str, info: ValidationInfo) -> str:
        profile = PROFILES.get(info.data.get("profile", ""))
        if profile and profile.client_san:
            try:
                values.alternative_name(client)
            except UnfitError as error:
                raise UnfitError(
                    _(
                        "{why}; the profile {profile} writes it as a subjectAltName too, so that"
                        " it has to be a DNS name or an e-mail address",
                        why=error.why,
                        profile=profile.name,
                    ),
                    beside="profile",
                ) from error
        return client

    @property
    def key_type(self) -> KeyType:
        """The kind of every key."""
        return self._profile.key_type

    @property
    def server_ext(self) -> str:
        """Name of the server's extension file."""
        return self._profile.server_ext

    @property
    def critical_key_usage(self) -> bool:
        """Whether the certificates of server and client mark keyUsage critical."""
        return self._profile.critical_key_usage

    @property
    def client_san(self) -> str | None:
        """The client's subjectAltName, such as `DNS:client1`; None for a profile without."""
        return values.alternative_name(self.client_cn) if self._profile.client_san else None

    @property
    def ca_subject(self) -> tuple[tuple[str, str], ...]:
        """The CA's name: attributes and values, in order, without the empty ones."""
        return self._subject(self.org + values.CA_SUFFIX, self.ca_cn)

    @property
    def server_subject(self) -> tuple[tuple[str, str], ...]:
        """The server's name, as `ca_subject`."""
        return self._subject(self.org, self.server_cn)

    @property
    def client_subject(self) -> tuple[tuple[str, str], ...]:
        """The client's name, as `ca_subject`."""
        return self._subject(self.org, self.client_cn)

    @property
    def _profile(self) -> Profile:
        return PROFILES[self.profile]

    def _subject(self, organization: str, common_name: str) -> tuple[tuple[str, str], ...]:
        attributes = (
            ("C", self.country),
            ("ST", self.state),
            ("L", self.city),
            ("O", organization),
            ("CN", common_name),
        )
        return tuple((key, value) for key, value in attributes if value)
