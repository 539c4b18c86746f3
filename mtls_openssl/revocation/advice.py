"""What a person must know of CRLs and OCSP, on Windows above all. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.language import Text, _
from mtls_openssl.register import DER, LIST, ROOT_LIST
from mtls_openssl.revocation.listing import Listed
from mtls_openssl.scripting.prompt import ours


def after_list(listed: Listed, folder: Path) -> Iterator[Text]:
    """What is to be done with CRLs that were made, a sentence each.

    Args:
        listed: the CRLs.
        folder: the folder of the set.
    """
    end = min(one.next_update for one in listed.lists if one.next_update)
    yield _(
        "It is good until {end} UTC. After that nginx, and whoever else checks with it, refuses"
        " everybody: make the next one in time: {command}",
        command=ours(folder, "crl"),
        end=f"{end:%Y-%m-%d %H:%M}",
    )
    yield _(
        'nginx: ssl_crl "{file}"; it reads it when it starts: nginx -s reload',
        file=(folder / LIST).as_posix(),
    )
    for name in (DER, *(one for one in listed.files if one == ROOT_LIST)):
        yield _(
            'Windows, as administrator: certutil -addstore CA "{file}"; each machine takes the list'
            " from its own store, so do it again with each new one",
            file=folder / name,
        )


def addresses(*, crl_url: str = "", ocsp_url: str = "") -> tuple[Text, ...]:
    """What it means to put the address of a CRL or of a responder into certificates, or neither.

    Args:
        crl_url: the address of the CRL that they are to have; empty for none.
        ocsp_url: that of the OCSP responder; empty for none.

    Returns:
        A sentence each; the two sides of it on Windows among them.
    """
    if not crl_url and not ocsp_url:
        return (
            _(
                "The certificates name no CRL and no OCSP responder. On Windows, curl and Git"
                " (Schannel) refuse a server then with CRYPT_E_NO_REVOCATION_CHECK (0x80092012),"
                " although its CA is trusted: curl --ssl-revoke-best-effort, git config"
                " http.schannelCheckRevoke false; or name an address with crl_url."
            ),
        )
    notes = [
        _(
            "The address stands in the certificates for as long as they last: it must answer all"
            " that time, to everybody who checks. On Windows, where it does not, IIS refuses every"
            " client (403.13), and Schannel, .NET and curl report CRYPT_E_REVOCATION_OFFLINE"
            " (0x80092013)."
        ),
        _(
            "Windows keeps what it has fetched until it ends, so a revocation is seen on a machine"
            " only after that: certutil -setreg chain\\ChainCacheResyncFiletime @now makes it fetch"
            " at once."
        ),
    ]
    if crl_url:
        notes.append(
            _(
                "Put {file} where {url} leads, in its DER form, by plain http (https would need a"
                " certificate to be checked first; RFC 5280, section 8), and each new one in its"
                " place before the old one ends.",
                file=DER,
                url=crl_url,
            )
        )
    if ocsp_url:
        notes.append(
            _(
                "`ocsp serve` is for trying on this computer only: {url} needs a responder that"
                " always runs.",
                url=ocsp_url,
            )
        )
    return tuple(notes)
