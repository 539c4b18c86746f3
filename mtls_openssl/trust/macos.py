"""macOS' keychains, by security(1)."""

from __future__ import annotations

from mtls_openssl.desk import Desk
from mtls_openssl.elevation import Host
from mtls_openssl.language import _
from mtls_openssl.steps import Command, Kind
from mtls_openssl.trust.certificate import Certificate
from mtls_openssl.trust.store import SYSTEM, Presence, Standing, Store, said

_PATIENCE = 300.0


class KeychainStore(Store):
    """The System keychain, or the login keychain of this user."""

    name = SYSTEM

    def __init__(self, host: Host, *, user: bool) -> None:
        root = host.machine.root
        self._user = user
        self._security = root / "usr" / "bin" / "security"
        home = host.home or root
        self._keychain = str(
            home / "Library" / "Keychains" / "login.keychain-db"
            if user
            else root / "Library" / "Keychains" / "System.keychain"
        )
        self.title = _("macOS, the keychain {path}", path=self._keychain)
        self.needs_elevation = not user and not host.elevated
        self.asks_in_a_window = user

    def look(self, desk: Desk, certificate: Certificate) -> Standing:  # noqa: D102 - see Store
        listed = desk.ask(
            self._command(("find-certificate", "-a", "-Z", self._keychain), _("list the keychain"))
        )
        if listed.problem:
            return Standing(Presence.UNREADABLE, reason=said(listed))
        if certificate.sha1 not in listed.finished.stdout:
            return Standing(Presence.ABSENT)
        believed = desk.ask(
            self._command(
                ("verify-cert", "-l", "-L", "-c", certificate.name),
                _("let macOS verify the certificate"),
                certificate,
            ),
            folder=certificate.folder,
        )
        presence = Presence.DISTRUSTED if believed.problem else Presence.TRUSTED
        return Standing(presence, (certificate.sha1,))

    def adding(self, certificate: Certificate) -> tuple[Command, ...]:  # noqa: D102
        domain = () if self._user else ("-d",)
        return (
            self._command(
                ("add-trusted-cert", *domain, "-r", "trustRoot", "-k", self._keychain,
                 certificate.name),
                _("trust the certificate"),
                certificate,
            ),
        )  # fmt: skip

    def removing(  # noqa: D102
        self, certificate: Certificate, standing: Standing
    ) -> tuple[Command, ...]:
        domain = () if self._user else ("-d",)
        deleting = tuple(
            self._command(
                ("delete-certificate", "-Z", thumbprint, self._keychain),
                _("take the certificate out of the keychain"),
            )
            for thumbprint in standing.entries
        )
        if standing.presence is not Presence.TRUSTED:
            return deleting  # there are no trust settings of it
        trusting = self._command(
            ("remove-trusted-cert", *domain, certificate.name), _("trust it no longer"), certificate
        )
        return (trusting, *deleting)

    def _command(
        self, argv: tuple[str, ...], purpose: str, certificate: Certificate | None = None
    ) -> Command:
        return Command(
            argv,
            purpose,
            Kind.TOOL,
            reads=(certificate.name,) if certificate else (),
            verdict=argv[0] in {"find-certificate", "verify-cert"},
            # macOS asks for a password, or a finger, in a window.
            limit=_PATIENCE,
            program=self._security,
        )
