"""IIS: what goes into the PowerShell script for a set (Appendix B; netsh, appcmd, IIS' schema).

Everything that the script says is handed to its template, in single quotes, in the language of
whoever will run it. Nothing that a person typed stands anywhere else in it.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath

from mtls_openssl.errors import FolderUnavailableError, SettingRefusedError
from mtls_openssl.language import Text, _
from mtls_openssl.scripting import prompt
from mtls_openssl.scripting.quoting import powershell_literal
from mtls_openssl.steps import Render
from mtls_openssl.webserver.certificates import Certificate, covers

SCRIPT = "mtls-iis.ps1"

APPLICATION = "4dc3e181-e14b-4a21-b022-59fc669b0914"
"""By which http.sys knows the entries of IIS."""

OLD_WINDOWS = "2016"
"""The releases up to this one know no AES in a PKCS#12 file."""

FLAGS = ("Ssl", "SslNegotiateCert", "SslRequireCert")
"""What `system.webServer/security/access` must have so that nobody gets in without."""

_COMMENTS = (
    _("Sets up mutual TLS in IIS with this set, and says of each step what came of it."),
    _("Run it in a Windows PowerShell opened as administrator:"),
    Text("  powershell -ExecutionPolicy Bypass -File mtls-iis.ps1 [-PasswordFile FILE]"),
    _("Run it again whenever you like: what is so already stays. With -Remove it undoes its work."),
    _("-NoRevocationCheck lets in certificates whose revocation list can't be fetched (lab only)."),
)

_PBES2 = bytes.fromhex("06092a864886f70d01050d")
"""id-PBES2 as DER (RFC 8018, A.4): what AES in a PKCS#12 file comes with."""

_SITE = re.compile(r"[^\x00-\x1f\x7f\\/?;:@&=+$,|\"<>*]{1,200}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclasses.dataclass(frozen=True)
class Site:
    """A site of IIS, and the set it is to have.

    Args:
        name: the name of the site.
        host: the name that the binding is for, by SNI; empty for any.
        port: the port of the binding.
        p12: the absolute path of the server's PKCS#12 file.
        server: the server's certificate.
        authorities: the CAs of the set.
        reader: what `p12 --for` has to be told for this Windows.
        owner: what the files of the server's certificate are called.
    """

    name: str
    host: str
    port: int
    p12: PurePath
    server: Certificate
    authorities: tuple[Certificate, ...]
    reader: str
    owner: str = "server"

    @property
    def roots(self) -> tuple[Certificate, ...]:
        """The CAs that a chain ends with."""
        return tuple(one for one in self.authorities if one.is_root)

    @property
    def intermediates(self) -> tuple[Certificate, ...]:
        """The CAs that another one has issued."""
        return tuple(one for one in self.authorities if not one.is_root)

    @property
    def endpoint(self) -> str:
        """What http.sys calls the binding."""
        return f"{self.host}:{self.port}" if self.host else f"0.0.0.0:{self.port}"


def require(site: Site, alternatives: Sequence[str], again: Text) -> None:
    """See that IIS can have a site like that.

    Args:
        site: the site.
        alternatives: the names that the server's certificate is for.
        again: how to get one for the host that the binding is for.

    Raises:
        SettingRefusedError: IIS knows no such name, or the certificate is not for the host.
        FolderUnavailableError: what is to be trusted holds no root, or what is no CA.
    """
    if not _SITE.fullmatch(site.name):
        raise SettingRefusedError(
            _("--site {name} is not the name of a site", name=ascii(site.name)),
            cause=_(
                "IIS allows none of these in it: {letters}",
                letters='\\ / ? ; : @ & = + $ , | " < > *',
            ),
            fix=_("IIS Manager shows the names of all sites"),
        )
    if site.host and not _HOST.fullmatch(site.host):
        raise SettingRefusedError(
            _("--host {name} is not the name of a host", name=ascii(site.host)),
            fix=_("write an international name as it is in DNS, with xn--"),
        )
    if site.host and not covers(alternatives, site.host):
        raise SettingRefusedError(
            _(
                "{file} is not for {host}, but for {names}",
                file=f"{site.owner}.crt",
                host=site.host,
                names=", ".join(alternatives),
            ),
            fix=again,
        )
    leaf = next((one for one in site.authorities if not one.is_ca), None)
    if leaf or not site.roots:
        raise FolderUnavailableError(
            _("ca.crt holds {name}, which is no CA", name=leaf.name)
            if leaf
            else _("ca.crt holds no root"),
            cause=_(
                "IIS lets a client in only where Windows trusts its root, and where nothing but"
                " roots is among the trusted ones (403.16)"
            ),
            fix=_("have only CAs in it, the root among them"),
        )


def is_unreadable(p12: bytes, windows: str) -> bool:
    """Whether that release of Windows Server can't read a PKCS#12 file."""
    return windows == OLD_WINDOWS and _PBES2 in p12


def make_p12(owner: str, reader: str, folder: Path) -> str:
    """The command that makes the PKCS#12 file of the server `owner`, as it is typed here."""
    return prompt.ours(folder, "p12", owner, "--for", reader)


def script(site: Site, say: Callable[[Text], str]) -> Render:
    """The script for a site.

    Args:
        site: the site.
        say: says a message in the language of whoever will run it.
    """

    def literal(text: str) -> str:
        return powershell_literal(say(text) if isinstance(text, Text) else text)

    identity = f"{site.name}|{site.endpoint}".lower().encode()
    return Render(
        "iis/mtls-iis.ps1.j2",
        SCRIPT,
        _("the script for IIS"),
        {
            "site": literal(site.name),
            "host": literal(site.host),
            "port": site.port,
            "sni": int(bool(site.host)),
            "p12": literal(str(site.p12)),
            "endpoint": literal(site.endpoint),
            "key": literal(("hostnameport=" if site.host else "ipport=") + site.endpoint),
            "information": literal(f"*:{site.port}:{site.host}"),
            "notes": literal(hashlib.sha256(identity).hexdigest()[:16]),
            "thumbprint": literal(site.server.thumbprint),
            "flags": ", ".join(map(literal, FLAGS)),
            "authorities": [
                {
                    "store": literal("Root" if one.is_root else "CA"),
                    "thumbprint": literal(one.thumbprint),
                    "data": literal(base64.b64encode(one.der).decode("ascii")),
                    "what": literal(_trusting(one)),
                }
                for one in (*site.roots, *site.intermediates)
            ],
            "comments": [say(line) for line in _COMMENTS],
            "say": {name: literal(text) for name, text in _messages(site).items()},
        },
    )


def _make_p12_there(site: Site, reader: str) -> str:
    """The command that makes the PKCS#12 file, as it is typed where the script runs."""
    folder = powershell_literal(str(site.p12.parent))
    return f"python -m mtls_openssl p12 {site.owner} --for {reader} --out {folder}"


def _trusting(one: Certificate) -> Text:
    if one.is_root:
        return _("root CA {name} in LocalMachine\\Root", name=one.name)
    return _("intermediate CA {name} in LocalMachine\\CA", name=one.name)


def _messages(site: Site) -> dict[str, Text]:
    return {
        "done": _("done"),
        "same": _("already so"),
        "failed": _("FAILED"),
        "holds": _("is so"),
        "not_so": _("it was done, and is not so when it is read back"),
        "imported": _(
            "server certificate {thumbprint} with its key in LocalMachine\\My",
            thumbprint=site.server.thumbprint,
        ),
        "bound": _(
            "site {site} answers to https on {endpoint}", site=site.name, endpoint=site.endpoint
        ),
        "negotiated": _(
            "http.sys shows the server certificate on {endpoint} and asks for the client's in "
            "the first handshake",
            endpoint=site.endpoint,
        ),
        "required": _("site {site} lets nobody in without a client certificate", site=site.name),
        "only_roots": _("LocalMachine\\Root holds roots and nothing else"),
        "checking": _("Reading everything back:"),
        "removing": _("Undoing what this script did:"),
        "nothing": _("This script has changed nothing here: there is nothing to undo."),
        "all_well": _(
            "All is well. Whom the certificate stands for is for the application to decide: IIS "
            "lets in every client certificate that this machine trusts."
        ),
        "not_well": _(
            "Not everything is as it should be. Mend what failed and run this again: what is "
            "done already stays."
        ),
        "undone": _("Everything is undone."),
        "again": _("Undo: run this script again with -Remove"),
        "is_64": _("run it in the 64-bit Windows PowerShell"),
        "no_iis": _(
            "IIS is not installed here, or not its scripting tools (the feature "
            "Web-Scripting-Tools)"
        ),
        "no_site": _("IIS has no site of this name; it has"),
        "no_p12": _(
            "there is no {p12} here. To make it: {command}",
            p12=site.p12.name,
            command=_make_p12_there(site, site.reader),
        ),
        "password": _("Password of {p12}", p12=site.p12.name),
        "password_hint": _(
            "If the password is right, this Windows can't read its algorithms, as Server 2016 "
            "can't read AES. To make one that it can read: {command}",
            command=_make_p12_there(site, "windows2016"),
        ),
        "no_key": _("the certificate is there now, but without its key"),
        "other_site": _("another site has this binding; choose another port, or a host name"),
        "other_program": _("the port belongs to another program, with this application id"),
        "strangers": _(
            "these are no roots, and make IIS refuse every client (403.16); move them to "
            "LocalMachine\\CA"
        ),
        "undo_access": _("the site asks for client certificates as it did before"),
        "undo_entry": _("http.sys has on {endpoint} what it had before", endpoint=site.endpoint),
        "undo_binding": _(
            "the site has the binding {endpoint} as it did before", endpoint=site.endpoint
        ),
        "undo_certificate": _("this certificate is not in its store any more"),
    }


def manual(site: Site) -> Iterator[Text]:
    """The same by hand, in Windows' own windows: a step each."""
    folder = site.p12.parent
    yield _(
        "Import the server's certificate: press Win+R, type certlm.msc (the machine's "
        "certificates; certmgr.msc shows only your own), right-click Personal, All Tasks, "
        "Import, and choose {p12}. Its password is asked for.",
        p12=site.p12,
    )
    yield _(
        "In Personal, Certificates, a certificate with a small key must be there now; its "
        "thumbprint is {thumbprint}.",
        thumbprint=site.server.thumbprint,
    )
    yield _(
        "Trust the CA: in the same window, right-click Trusted Root Certification Authorities, "
        "All Tasks, Import, and choose {ca}. Only roots belong there: anything else makes IIS "
        "refuse every client (403.16).",
        ca=folder / "ca.crt",
    )
    for one in site.intermediates:
        yield _(
            "Import the intermediate CA {name} into Intermediate Certification Authorities.",
            name=one.name,
        )
    yield _(
        "Bind it: in IIS Manager, choose the site {site}, Bindings, Add: type https, port "
        "{port}, and choose the server's certificate.",
        site=site.name,
        port=site.port,
    )
    if site.host:
        yield _(
            "In the same window: host name {host}, and tick Require Server Name Indication.",
            host=site.host,
        )
    yield _(
        "On Windows Server 2022 and later, tick Negotiate Client Certificate there as well. On "
        "older ones there is no such box: the script that `iis` writes does it with netsh. "
        "Without it, TLS 1.3 and HTTP/2 clients are refused."
    )
    yield _(
        "Require client certificates: choose the site, double-click SSL Settings, tick Require "
        "SSL, choose Require under Client certificates, and Apply. (Accept would let in who has "
        "none.)"
    )
    yield _(
        "Try it: python -m mtls_openssl connect {address}:{port} --out {folder}",
        address=site.host or "localhost",
        port=site.port,
        folder=f'"{folder}"',
    )
