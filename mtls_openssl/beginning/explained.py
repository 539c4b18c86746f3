"""What each setting means, for the file that explains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mtls_openssl.language import Text, _

HEADING: Final = (
    _("The settings of a set of certificates for mutual TLS."),
    _(
        "A line that begins with # and a blank explains. One that begins with # alone shows a"
        " default: take the # away and change the value to have another."
    ),
    _("An option or a variable MTLS_* wins over what stands here."),
)
SCHEMA: Final = (
    _(
        "For an editor that knows schemas (Even Better TOML, Taplo): {command}, then put this line"
        " before all others, without the first # and the blank:",
        command="python -m mtls_openssl schema --write mtls.schema.json",
    ),
    "#:schema ./mtls.schema.json",
)

SETTINGS: Final[Mapping[str, Text]] = {
    "profile": _("What is made where nothing else is said."),
    "country": _("Country, in the subject of every certificate (C)."),
    "state": _("State or province (ST); empty to leave it out."),
    "city": _("City (L); empty to leave it out."),
    "org": _('Organisation (O); the CA\'s own has " CA" behind it.'),
    "domain": _("The domain that the names of the server are made from."),
    "ca_days": _("Days that the CA lasts."),
    "cert_days": _("Days that the certificates of servers and clients last."),
    "key_size": _("Bits of the RSA keys of servers and clients."),
    "ca_key_size": _("Bits of the CA's RSA key."),
    "ca_cn": _("The CA's common name (CN)."),
    "server_cn": _("The server's common name (CN)."),
    "server_dns": _("Every DNS name that the server is called by: clients compare these."),
    "server_ip": _("Every IP address that the server is called by."),
    "client_cn": _("The client's common name (CN), by which a server knows who it is."),
    "p12_name": _("What the client's certificate is called where client.p12 is imported."),
    "p12_for": _("Who must be able to read client.p12; by default what openssl likes best."),
    "keep_csr": _("Whether requests, serial and extension files stay."),
}

BETWEEN: Final = (
    _(
        "With the tables below it describes as many servers and clients as you like, and"
        " `python -m mtls_openssl apply` makes the folder what it says. They are examples: without"
        " any of them there are one server and one client, by the settings above."
    ),
)

_KEY = _("RSA-2048 to RSA-16384, P-256, P-384 or Ed25519; else by profile and size above.")
_PASSPHRASE = _(
    "Where the pass phrase of its key is: env:NAME, file:PATH or ask; without it the key has none."
)

TABLES: Final[Sequence[tuple[str, Text, Sequence[tuple[str, str]]]]] = (
    (
        "[ca]",
        _("The root."),
        (
            ("cn", ""),
            ("days", ""),
            ("key", _KEY),
            ("passphrase", _PASSPHRASE),
            ("path_length", _("How many authorities may stand below it.")),
            (
                "permitted",
                _("The only names that may be certified below it: domains, addresses, networks."),
            ),
            ("excluded", _("Names that may not.")),
            (
                "crl_url",
                _(
                    "Where the list of revoked certificates can be had; it stands in every"
                    " certificate, and Windows looks there."
                ),
            ),
            ("ocsp_url", _("Where an OCSP responder answers; likewise.")),
            ("crl_days", _("Days that a list of revoked certificates is good for.")),
        ),
    ),
    (
        "[intermediate]",
        _("An authority below the root; then it issues, and the root's key can be kept elsewhere."),
        (("cn", ""), ("days", ""), ("key", ""), ("passphrase", "")),
    ),
    (
        "[[server]]",
        _("A server; as many of these tables as there are servers."),
        (
            ("name", _("What its files are called: NAME.key, NAME.crt.")),
            ("cn", _("Its common name; without it the first DNS name, or NAME.DOMAIN.")),
            ("dns", _("Every name that it is called by; also ip, email, uri.")),
            ("ip", ""),
            ("key", ""),
            ("days", _("Without it, cert_days.")),
            (
                "peer",
                _(
                    "Whether it is a client of its peers as well, as nodes of Dask, etcd, RabbitMQ"
                    " and Consul are; without it, it is a server alone."
                ),
            ),
            (
                "p12",
                _(
                    "For whom it is packed as PKCS#12: default, modern, windows2016, java8, macos,"
                    " android."
                ),
            ),
        ),
    ),
    (
        "[[client]]",
        _("A client; as many of these tables as there are clients."),
        (
            ("name", ""),
            ("cn", _("Its common name; without it, the name.")),
            ("email", ""),
            ("uri", ""),
            ("p12", _("NAME.p12 for the first, NAME.READER.p12 for each other; [] for none.")),
            ("p12_name", _("What it is called where it is imported; without it, the common name.")),
        ),
    ),
)
"""The header of each table, what it is, and its settings with what they mean."""
