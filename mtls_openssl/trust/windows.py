"""Windows' certificate stores, by certutil (Microsoft: certutil; appendices B and E of the guide).

Its words are in the language of Windows, so exit codes alone count. It is called by its full path:
NSS has a certutil as well.
"""

from __future__ import annotations

import dataclasses
import re

from mtls_openssl.desk import Desk
from mtls_openssl.elevation import Host
from mtls_openssl.language import _
from mtls_openssl.locate.installers import powershell, system32
from mtls_openssl.steps import Command, Ending, Kind, Outcome
from mtls_openssl.trust.certificate import Certificate
from mtls_openssl.trust.store import SYSTEM, Presence, Standing, Store, said

_CANCELLED = {0x800704C7, 1223}
"""ERROR_CANCELLED, as an HRESULT and by itself."""
_DENIED = {0x80070005, 5}
_PATIENCE = 300.0

# Nothing in it is written in the language of Windows.
_STRANGERS = (
    "[Console]::OutputEncoding = [Text.Encoding]::UTF8; "
    r"Get-ChildItem Cert:\LocalMachine\Root | Where-Object { $_.Issuer -ne $_.Subject } | "
    "ForEach-Object { $_.Thumbprint + ' ' + $_.Subject }"
)


class WindowsStore(Store):
    """The trusted roots of the computer, or of this user."""

    name = SYSTEM

    def __init__(self, host: Host, *, user: bool) -> None:
        self._user = user
        self._certutil = system32(host.machine) / "certutil.exe"
        self.needs_elevation = not user and not host.elevated
        self.asks_in_a_window = user
        if user:
            self.title = _("Windows, the roots of this user (CurrentUser\\Root)")
            self.note = _(
                "Services such as IIS do not see the roots of a user: for them, install it without"
                " --user."
            )
        else:
            self.title = _("Windows, the roots of this computer (LocalMachine\\Root)")

    def look(self, desk: Desk, certificate: Certificate) -> Standing:  # noqa: D102 - see Store
        outcome = desk.ask(self._showing(certificate))
        if outcome.finished.ending is not Ending.EXITED:
            return Standing(Presence.UNREADABLE, reason=said(outcome))
        if outcome.finished.exit:
            return Standing(Presence.ABSENT)
        if self._user:
            # A user's store shows what is in the computer's as well.
            computers = desk.ask(self._showing(certificate, user=False))
            if computers.finished.exit == 0:
                reason = _("through the roots of this computer")
                return Standing(Presence.TRUSTED, reason=reason)
        return Standing(Presence.TRUSTED, (certificate.sha1,))

    def adding(self, certificate: Certificate) -> tuple[Command, ...]:  # noqa: D102
        how = ("-user",) if self._user else ("-f",)
        return (self._changing((*how, "-addstore", "Root", certificate.name), certificate),)

    def removing(  # noqa: D102
        self, certificate: Certificate, standing: Standing
    ) -> tuple[Command, ...]:
        how = ("-user",) if self._user else ()
        return tuple(
            self._changing((*how, "-delstore", "Root", thumbprint), certificate)
            for thumbprint in standing.entries
        )

    def cause(self, outcome: Outcome) -> str:  # noqa: D102
        code = (outcome.finished.exit or 0) & 0xFFFFFFFF
        if self._user and code in _CANCELLED | _DENIED:
            return _(
                "the question that Windows asks before it changes the roots of a user was answered"
                " with No, or there was no desktop to ask it on"
            )
        if code in _DENIED:
            return _("Windows denied access; a policy of your organisation may forbid it")
        return said(outcome)

    def _showing(self, certificate: Certificate, *, user: bool | None = None) -> Command:
        how = ("-user",) if (self._user if user is None else user) else ()
        return Command(
            (*how, "-store", "Root", certificate.sha1),
            _("look whether Windows has the certificate"),
            Kind.TOOL,
            verdict=True,
            program=self._certutil,
        )

    def _changing(self, argv: tuple[str, ...], certificate: Certificate) -> Command:
        adds = "-addstore" in argv
        return Command(
            argv,
            _("add the certificate to Windows' roots")
            if adds
            else _("take it out of Windows' roots"),
            Kind.TOOL,
            reads=(certificate.name,) if adds else (),
            # A user is asked in a window first.
            limit=_PATIENCE if self._user else 60.0,
            program=self._certutil,
        )


@dataclasses.dataclass(frozen=True)
class Findings:
    """What else Windows says, for `trust status`.

    Args:
        verified: whether `certutil -verify` believes the certificate; None if it did not say.
        strangers: certificates among the computer's roots that others have signed: thumbprint
            and subject of each; None if they can't be listed.
    """

    verified: bool | None
    strangers: tuple[tuple[str, str], ...] | None


def examine(desk: Desk, certificate: Certificate, host: Host) -> Findings:
    """Ask Windows itself about a certificate, and look for the trap behind 403.16 (KB 942061)."""
    verify = desk.ask(
        Command(
            ("-verify", certificate.name),
            _("let Windows verify the certificate"),
            Kind.TOOL,
            reads=(certificate.name,),
            verdict=True,
            program=system32(host.machine) / "certutil.exe",
        ),
        folder=certificate.folder,
    )
    roots = desk.ask(
        Command(
            ("-NoProfile", "-NonInteractive", "-Command", _STRANGERS),
            _("look for certificates among the roots that are none"),
            Kind.TOOL,
            verdict=True,
            program=powershell(host.machine),
        )
    )
    exited = verify.finished.ending is Ending.EXITED
    return Findings(
        verify.finished.exit == 0 if exited else None,
        None
        if roots.problem
        else tuple(re.findall(r"^([0-9A-F]{40}) ?(.*)$", roots.finished.stdout, re.MULTILINE)),
    )
