"""What to hand to a phone, a browser or a colleague: the certificate twice, and how to use it."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import Text, _
from mtls_openssl.trust.certificate import Certificate

PEM, DER, WORDS = "ca.crt", "ca.cer", "README.txt"
BETWEEN = "intermediate.crt"


def files(certificate: Certificate, between: Certificate | None = None) -> dict[str, bytes]:
    """The certificate in the two forms that devices read: PEM, and DER. Never a key.

    Args:
        certificate: the root CA's.
        between: the intermediate authority's; None where the root issues.
    """
    written = {PEM: _pem(certificate), DER: certificate.der}
    return written | ({BETWEEN: _pem(between)} if between else {})


def _pem(certificate: Certificate) -> bytes:
    body = "\n".join(textwrap.wrap(base64.b64encode(certificate.der).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()


def not_to_be_trusted() -> Text:
    """What to do with the certificate of an intermediate authority."""
    return _(
        "{file} is the certificate of the authority between the root and what was issued. It is"
        " not to be trusted by itself: the root is, and servers send this one along. Only where a"
        " program misses it, Windows is given it among the intermediate authorities, never among"
        " the roots: certutil -f -addstore CA {file}",
        file=BETWEEN,
    )


def words(certificate: Certificate, between: Certificate | None = None) -> Iterator[Text]:
    """How to use them, a paragraph each.

    Args:
        certificate: the root CA's.
        between: the intermediate authority's; None where the root issues.
    """
    yield _(
        "This is the certificate of a private certificate authority (CA):\n"
        "  {subject}\n"
        "  valid until {day}",
        subject=certificate.subject,
        day=f"{certificate.description.not_after:%Y-%m-%d}",
    )
    yield _(
        "A device that trusts it believes every certificate that this CA has signed. Compare the"
        " thumbprint below with the one that you were told by another way, by telephone for"
        " example, before you trust it.\n"
        "  SHA-1 (as Windows shows it):  {sha1}\n"
        "  SHA-256:  {sha256}",
        sha1=certificate.sha1,
        sha256=certificate.sha256,
    )
    yield _("{pem} and {der} are the same certificate in two forms.", pem=PEM, der=DER)
    if between:
        yield not_to_be_trusted()
    yield _(
        "Windows: double-click {der}, Install Certificate, Local Machine, Place all certificates"
        " in the following store, Trusted Root Certification Authorities.\n"
        "Or at a command prompt of an administrator: certutil -f -addstore Root {der}",
        der=DER,
    )
    yield _(
        "macOS: double-click {der}, and choose the keychain System. In Keychain Access open the"
        " certificate, Trust, When using this certificate: Always Trust.",
        der=DER,
    )
    yield _(
        "iPhone and iPad: send {der} by AirDrop or mail, and open it. Settings, Profile"
        " Downloaded, Install. Then Settings, General, About, Certificate Trust Settings, and"
        " switch it on: without this last step it is not trusted.",
        der=DER,
    )
    yield _(
        "Android: copy {pem} to the device. Settings, Security, More security settings,"
        " Encryption and credentials, Install a certificate, CA certificate. Browsers trust it"
        " then; other apps only where their makers allow it.",
        pem=PEM,
    )
    yield _(
        "Firefox on Linux: Settings, Privacy & Security, View Certificates, Authorities, Import"
        " {pem}, Trust this CA to identify websites. On Windows and macOS Firefox (from 120 on),"
        " Chrome and Edge trust what the system trusts.",
        pem=PEM,
    )
    yield _(
        "Debian, Ubuntu:\n"
        "  sudo cp {pem} /usr/local/share/ca-certificates/private-ca.crt\n"
        "  sudo update-ca-certificates\n"
        "Fedora, RHEL:\n"
        "  sudo cp {pem} /etc/pki/ca-trust/source/anchors/private-ca.crt\n"
        "  sudo update-ca-trust",
        pem=PEM,
    )
    yield _(
        "Java:\n  keytool -importcert -cacerts -alias private-ca -file {pem}\n"
        "Python requests, curl and others can be told: REQUESTS_CA_BUNDLE={pem},"
        " curl --cacert {pem}",
        pem=PEM,
    )
    yield _("The key of the CA (ca.key) is no part of this, and is never to be handed out.")


def write(folder: Path, contents: dict[str, bytes]) -> None:
    """Write files into a folder, which is made where it is missing.

    Args:
        folder: where to.
        contents: what, by name. One that is there already with the same content is left alone.

    Raises:
        FolderUnavailableError: one is there with another content, or can't be written; then none
            is changed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = folder / name
            if path.exists() and not _is_same(path.read_bytes(), content):
                raise FolderUnavailableError(
                    _("{file} is there already, and is another file", file=path),
                    fix=_("name another folder, or move that file away"),
                )
        for name, content in contents.items():
            path = folder / name
            if not path.exists():
                with path.open("xb") as file:
                    file.write(content)
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be written: {reason}", file=error.filename or folder,
              reason=system_said(error)),
            fix=_("name a folder that you can write to"),
        ) from error  # fmt: skip


def _is_same(there: bytes, ours: bytes) -> bool:
    # An openssl on Windows writes PEM with CRLF.
    return there.replace(b"\r\n", b"\n") == ours.replace(b"\r\n", b"\n")
