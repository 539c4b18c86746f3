"""Trust stores: who believes a CA, and how to change that.

`certificate` is what is to be trusted, `store` what every store can do, and `windows`, `anchors`
(Linux), `macos`, `nss` (Firefox, Chromium) and `java` the stores; `programs` is where their
programs are. `change` puts a certificate in or takes it out, `export` is what to hand to others.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtls_openssl.elevation import Host
from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.language import _
from mtls_openssl.trust import anchors, java, nss
from mtls_openssl.trust.macos import KeychainStore
from mtls_openssl.trust.store import JAVA, NSS, SYSTEM, Store
from mtls_openssl.trust.windows import WindowsStore


def every(host: Host, java_password: str = java.PASSWORD) -> list[Store]:
    """All trust stores of a computer, its own first.

    Args:
        host: the computer.
        java_password: the password of Java's.
    """
    own: list[Store] = []
    if host.machine.windows:
        own = [WindowsStore(host, user=False), WindowsStore(host, user=True)]
    elif host.machine.platform == "darwin":
        own = [KeychainStore(host, user=False), KeychainStore(host, user=True)]
    elif linux := anchors.here(host):
        own = [linux]
    return [*own, *nss.here(host), *java.here(host, java_password)]


def chosen(
    host: Host, names: Sequence[str], *, user: bool, java_password: str = java.PASSWORD
) -> list[Store]:
    """The trust stores that were asked for.

    Args:
        host: the computer.
        names: of NAMES; the computer's own where there are none.
        user: whether this user's own is meant and not the computer's, where there are both.
        java_password: the password of Java's.

    Raises:
        FolderUnavailableError: there is none of that name here.
        UsageError: there is no such store of one user.
    """
    stores = list[Store]()
    for name in dict.fromkeys(names or [SYSTEM]):
        found = [store for store in every(host, java_password) if store.name == name]
        if name == SYSTEM and found:
            if user and len(found) == 1:
                raise UsageError(
                    _("this system has no trust store of one user"),
                    fix=_("leave out --user, or name the browsers' with --store nss"),
                )
            found = [found[user]]
        if not found:
            raise FolderUnavailableError(
                _("there is no trust store {name} on this computer", name=name),
                cause=_MISSING[name],
            )
        stores += found
    return stores


_MISSING = {
    SYSTEM: _(
        "none of the known folders of anchors is here; the package ca-certificates brings one"
    ),
    NSS: _(
        "no browser of this user has a database of its own (on Windows they read Windows'); it is"
        " made when the browser is started for the first time"
    ),
    JAVA: _("there is no Java in JAVA_HOME or on the PATH"),
}
