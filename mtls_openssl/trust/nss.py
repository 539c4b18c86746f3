"""Firefox and Chromium on Linux and macOS: databases of NSS, by its certutil(1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.elevation import Host
from mtls_openssl.language import Text, _
from mtls_openssl.steps import Command, Kind, Outcome
from mtls_openssl.trust import programs
from mtls_openssl.trust.certificate import Certificate, certificates
from mtls_openssl.trust.store import NSS, Presence, Standing, Store, said

# On Windows both read Windows' own store.
_PLACES = (
    ("Chromium, Chrome", ".pki/nssdb"),
    ("Chromium (snap)", "snap/chromium/current/.pki/nssdb"),
    ("Firefox", ".mozilla/firefox/*"),
    ("Firefox", ".config/mozilla/firefox/*"),
    ("Firefox (snap)", "snap/firefox/common/.mozilla/firefox/*"),
    ("Firefox (flatpak)", ".var/app/org.mozilla.firefox/.mozilla/firefox/*"),
    ("Firefox", "Library/Application Support/Firefox/Profiles/*"),
)
_HOMEBREW = ("opt/homebrew/opt/nss/bin", "usr/local/opt/nss/bin")
_NICKNAME = re.compile(r"^(.+?) +([a-zA-Z]*),[a-zA-Z]*,[a-zA-Z]* *$", re.MULTILINE)


def here(host: Host) -> Iterator[NssStore]:
    """The databases of this user's browsers."""
    if host.machine.windows or host.home is None:
        return
    certutil = programs.find(host.machine, "certutil", _HOMEBREW)
    for browser, pattern in _PLACES:
        for folder in sorted(host.home.glob(pattern)):
            if (folder / "cert9.db").is_file():
                yield NssStore(certutil, browser, folder)


class NssStore(Store):
    """The database of one browser, or of one of its profiles.

    Args:
        certutil: NSS's program; None if it is not installed.
        browser: whose it is, for people.
        folder: where the database is.
    """

    name = NSS
    note = _("A browser that is open has to be started again to see it.")

    def __init__(self, certutil: Path | None, browser: str, folder: Path) -> None:
        self._certutil = certutil
        self._database = f"sql:{folder}"
        self.title = _("{browser} ({folder})", browser=browser, folder=folder)

    def look(self, desk: Desk, certificate: Certificate) -> Standing:  # noqa: D102 - see Store
        if self._certutil is None:
            return Standing(Presence.UNREADABLE, reason=_lacking())
        listed = desk.ask(self._command(("-L",), _("list the browser's certificates")))
        if listed.problem:
            return Standing(Presence.UNREADABLE, reason=self.cause(listed))
        # Ours is looked at first, and as a rule alone.
        nicknames = dict(_NICKNAME.findall(listed.finished.stdout))
        for nickname in sorted(nicknames, key=lambda one: (one != certificate.label, one)):
            shown = desk.ask(
                self._command(("-L", "-n", nickname, "-a"), _("look which certificate this is"))
            )
            if certificate.der in certificates(shown.finished.stdout):
                believed = "C" in nicknames[nickname]
                presence = Presence.TRUSTED if believed else Presence.DISTRUSTED
                return Standing(presence, (nickname,))
        return Standing(Presence.ABSENT)

    def adding(self, certificate: Certificate) -> tuple[Command, ...]:  # noqa: D102
        return (
            self._command(
                ("-A", "-t", "C,,", "-n", certificate.label, "-a", "-i", certificate.name),
                _("trust the certificate in the browser"),
                reads=(certificate.name,),
            ),
        )

    def removing(  # noqa: D102
        self,
        certificate: Certificate,  # noqa: ARG002
        standing: Standing,
    ) -> tuple[Command, ...]:
        return tuple(
            self._command(("-D", "-n", nickname), _("take the certificate out of the browser"))
            for nickname in standing.entries
        )

    def cause(self, outcome: Outcome) -> str:  # noqa: D102
        if "SEC_ERROR_BAD_PASSWORD" in outcome.finished.stderr:
            return _(
                "a primary password protects this profile: import the certificate in the browser's"
                " own settings, where it can ask for the password"
            )
        return said(outcome)

    def _command(
        self, argv: tuple[str, ...], purpose: str, *, reads: tuple[str, ...] = ()
    ) -> Command:
        what, *rest = argv
        return Command(
            (what, "-d", self._database, *rest),
            purpose,
            Kind.TOOL,
            reads=reads,
            verdict=what == "-L",
            program=self._certutil,
        )


def _lacking() -> Text:
    return _(
        "NSS's certutil is not installed (package libnss3-tools, nss-tools or mozilla-nss-tools;"
        " brew install nss)"
    )
