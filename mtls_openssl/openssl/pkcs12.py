"""`openssl pkcs12`: key and chain in one encrypted file (openssl-pkcs12(1), step 5; RFC 7292)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from mtls_openssl.frozen import dataclass

PASSWORD_VARIABLE = "MTLS_P12_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable that openssl reads the password from."""

NEW_PASSWORD_VARIABLE = "MTLS_NEW_P12_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable with the password under which openssl hands out the keys in a file."""

LEGACY = ("-legacy",)
"""What opens a file whose algorithms only the legacy provider of OpenSSL 3 has. Never to write."""

_TRUSTED = ("Trusted key usage (Oracle)", "2.16.840.1.113894.746875.1.1")


@dataclass(frozen=True)
class Password:
    """The password of a PKCS#12 file.

    Args:
        value: the password; in no repr.
        keep: whether it was made up by us, and goes to a file beside the set.
    """

    value: str = dataclasses.field(repr=False)
    keep: bool = False


@dataclass(frozen=True)
class Bundle:
    """A PKCS#12 file of a set, and the files of the set that go into it.

    Args:
        owner: whose it is; what `p12` calls it.
        certificates: the files of its certificates, that of the key first, then one with its
            chain if there is any.
        key: the file of its key; None for one that only says whom to trust.
        name: what it is called where it is imported.
        reader: the one of `profiles.P12_FOR` who must be able to read it; None for the algorithms
            that the openssl release likes best.
        stem: what the file is called before its ending, if not as its owner.
        variable: the environment variable that openssl reads its password from.
    """

    owner: str
    certificates: tuple[str, ...]
    key: str | None
    name: str = ""
    reader: str | None = None
    stem: str = ""
    variable: str = PASSWORD_VARIABLE

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.stem or self.owner}.p12"

    @property
    def password_file(self) -> str:
        """The name of the file that a password goes to which was made up by us."""
        return f"{self.file}.password"

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the files that it is packed from."""
        return ((self.key,) if self.key else ()) + self.certificates


CLIENT = Bundle("client", ("client.crt", "ca.crt"), "client.key", "MyClientCert")
# Without the root: Windows would put it beside the certificate, where no root belongs.
SERVER = Bundle("server", ("server.crt",), "server.key", "MyServerCert")
TRUSTSTORE = Bundle("truststore", ("ca.crt",), None, "MyRootCA")
BUNDLES = (CLIENT, SERVER, TRUSTSTORE)


def export(
    p12: str,
    key: str,
    certificate: str,
    name: str,
    *,
    chain: Sequence[str] = ("ca.crt",),
    protection: Sequence[str] = (),
    variable: str = PASSWORD_VARIABLE,
) -> tuple[str, ...]:
    """Argv that packs `key`, `certificate` and `chain` into `p12`, under the alias `name`.

    The password source is ours: the guide's command asks at a prompt, which nobody can answer
    for a program (openssl-passphrase-options(1)).

    Args:
        p12: the file to write.
        key: the file of the key.
        certificate: the file of its certificate.
        name: the friendly name.
        chain: the file of further certificates, or none.
        protection: algorithms, as `readers.arguments` has them.
        variable: the environment variable that openssl reads the password from.
    """
    more = ("-certfile", *chain) if chain else ()
    return (
        "pkcs12", "-export", "-out", p12, "-inkey", key, "-in", certificate, *more,
        "-name", name, *protection, "-passout", f"env:{variable}",
    )  # fmt: skip


def trust(
    p12: str, certificate: str, name: str, *, protection: Sequence[str] = ()
) -> tuple[str, ...]:
    """Argv that packs `certificate` as one that Java trusts for everything; OpenSSL 3.2 on.

    `-name` is that of a certificate with a key, so the name goes to `-caname`.

    Args:
        p12: the file to write.
        certificate: the file of the CA's certificate.
        name: the alias.
        protection: algorithms, as `readers.arguments` has them.
    """
    return (
        "pkcs12", "-export", "-nokeys", "-out", p12, "-in", certificate, "-caname", name,
        "-jdktrust", "anyExtendedKeyUsage", *protection, "-passout", f"env:{PASSWORD_VARIABLE}",
    )  # fmt: skip


def open_again(p12: str, variable: str = PASSWORD_VARIABLE) -> tuple[str, ...]:
    """Argv that opens `p12` with the password in `variable` and prints all but the key."""
    return ("pkcs12", "-info", "-in", p12, "-nokeys", "-passin", f"env:{variable}")


def keys(p12: str) -> tuple[str, ...]:
    """Argv that prints the keys in `p12`, encrypted with another password."""
    return (
        "pkcs12", "-in", p12, "-nocerts", "-aes256", "-passin", f"env:{PASSWORD_VARIABLE}",
        "-passout", f"env:{NEW_PASSWORD_VARIABLE}",
    )  # fmt: skip


def is_wrong_password(stderr: str) -> bool:
    """Whether a file was not opened because its password is another one."""
    return "invalid password" in stderr or "mac verify failure" in stderr


@dataclass(frozen=True)
class Contents:
    """What a PKCS#12 file holds.

    Args:
        certificates: the certificates, PEM, in its order.
        keys: how many encrypted private keys.
        algorithms: what the MAC and each part are made with, in openssl's words.
        names: the friendly name of each certificate that has one, as openssl prints it.
        trusted: how many certificates have the attribute by which Java trusts them.
    """

    certificates: tuple[str, ...]
    keys: int
    algorithms: tuple[str, ...]
    names: tuple[str, ...] = ()
    trusted: int = 0

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What is protected, and with which algorithm."""
        return tuple((part, rest) for part, _, rest in (a.partition(": ") for a in self.algorithms))


def parse(stdout: str, stderr: str) -> Contents:
    """Read what `open_again` printed."""
    certificates = re.findall(
        r"^-----BEGIN CERTIFICATE-----\n.*?^-----END CERTIFICATE-----$",
        stdout,
        re.MULTILINE | re.DOTALL,
    )
    algorithms = re.findall(
        r"^(MAC|PKCS7 Encrypted data|Shrouded Keybag): (.*)$", stderr, re.MULTILINE
    )
    attributes = re.findall(r"^    (\S[^:\n]*): ?([^\r\n]*)", stdout, re.MULTILINE)
    return Contents(
        tuple(certificates),
        sum(bag == "Shrouded Keybag" for bag, _ in algorithms),
        tuple(f"{bag}: {algorithm}" for bag, algorithm in algorithms),
        tuple(value for name, value in attributes if name == "friendlyName"),
        sum(name in _TRUSTED for name, _ in attributes),
    )


def friendly_names(stdout: str) -> tuple[str, ...]:
    """The friendly name of each block of PEM in what was printed, as printed; empty for none."""
    before = re.split(r"^-----END .*$", stdout, flags=re.MULTILINE)[:-1]
    found = (re.search(r"^    friendlyName: ?(.*)$", text, re.MULTILINE) for text in before)
    return tuple(match[1] if match else "" for match in found)


def as_printed(name: str) -> str:
    """How openssl prints a friendly name.

    The file has it in UTF-16; what is printed is the lower byte of each unit, as a C string
    (OPENSSL_uni2asc). So a name outside ASCII is right in the file and wrong on the screen, and
    may end early, or go on in the next line, which is not looked at.

    >>> as_printed("MyClientCert")
    'MyClientCert'
    """
    lower = name.encode("utf-16-be")[1::2]
    return re.split(rb"[\0\r\n]", lower)[0].decode("utf-8", "replace")
