"""`keytool`, with which Java says whom it trusts (keytool(1) of the JDK)."""

from __future__ import annotations

from mtls_openssl.openssl.pkcs12 import PASSWORD_VARIABLE
from mtls_openssl.openssl.readers import PROTECTIONS

SHORTEST_PASSWORD = 6
"""Characters that keytool wants a password to have."""

TRUSTED = "trustedCertEntry"
"""What keytool calls a certificate that Java trusts."""

_PASSWORD = ("-storetype", "PKCS12", "-storepass:env", PASSWORD_VARIABLE)
_ENGLISH = "-J-Duser.language=en"


def trust(keystore: str, certificate: str, alias: str, profile: str | None) -> tuple[str, ...]:
    """Argv that adds `certificate` to `keystore` as one that Java trusts for everything.

    Args:
        keystore: the file; made if it is not there.
        certificate: the file of the CA's certificate.
        alias: what it is called in it; ASCII, since keytool reads it in the locale's encoding.
        profile: one of `P12_FOR`, whose algorithms the JDK takes where it is 8u301, 11.0.12, 16
            or later (java.security: keystore.pkcs12.*); None for what it likes best.
    """
    chosen: tuple[str, ...] = ()
    if profile:
        cipher, mac = PROTECTIONS[profile].java
        chosen = (
            f"-J-Dkeystore.pkcs12.certProtectionAlgorithm={cipher}",
            f"-J-Dkeystore.pkcs12.macAlgorithm={mac}",
        )
    return (
        _ENGLISH, *chosen, "-importcert", "-noprompt", "-alias", alias, "-file", certificate,
        "-keystore", keystore, *_PASSWORD,
    )  # fmt: skip


def listing(keystore: str) -> tuple[str, ...]:
    """Argv that lists what Java sees in `keystore`."""
    return (_ENGLISH, "-list", "-keystore", keystore, *_PASSWORD)


def entries(output: str) -> tuple[str, ...]:
    """The kind of each entry that `listing` printed, such as `trustedCertEntry`."""
    kinds = (line.rstrip().rstrip(",").rpartition(" ")[2] for line in output.splitlines())
    return tuple(kind for kind in kinds if kind.endswith("Entry"))
