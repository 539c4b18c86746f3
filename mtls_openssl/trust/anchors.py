"""Linux: a folder of anchors, and a program that makes the system's bundle of them.

update-ca-certificates(8) of Debian, Alpine and openSUSE; update-ca-trust(8) of Fedora and Arch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.elevation import Host
from mtls_openssl.errors import system_said
from mtls_openssl.language import _
from mtls_openssl.steps import Command, Kind
from mtls_openssl.trust.certificate import Certificate, certificates
from mtls_openssl.trust.store import SYSTEM, Presence, Standing, Store


@dataclasses.dataclass(frozen=True)
class _Way:
    """How one family of systems does it; paths below the root."""

    folder: str
    program: str
    bundle: str


_WAYS = (
    _Way(
        "etc/pki/ca-trust/source/anchors",
        "usr/bin/update-ca-trust",
        "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    ),
    _Way(
        "etc/ca-certificates/trust-source/anchors",
        "usr/bin/update-ca-trust",
        "etc/ca-certificates/extracted/tls-ca-bundle.pem",
    ),
    _Way(
        "etc/pki/trust/anchors",
        "usr/sbin/update-ca-certificates",
        "var/lib/ca-certificates/ca-bundle.pem",
    ),
    _Way(
        "usr/local/share/ca-certificates",
        "usr/sbin/update-ca-certificates",
        "etc/ssl/certs/ca-certificates.crt",
    ),
)


def here(host: Host) -> AnchorStore | None:
    """The trust store of a Linux system; None if it has none that is known."""
    root = host.machine.root
    for way in _WAYS:
        if (root / way.folder).is_dir() and (root / way.program).exists():
            return AnchorStore(way, host)
    return None


class AnchorStore(Store):
    """The trust store of a Linux system."""

    name = SYSTEM
    note = _("Programs that are running already may have to be started again to see it.")

    def __init__(self, way: _Way, host: Host) -> None:
        root = host.machine.root
        self._root = root
        self._folder = root / way.folder
        self._program = root / way.program
        self._bundle = root / way.bundle
        self.title = _("this system ({folder})", folder=self._folder)
        self.needs_elevation = not host.elevated

    def look(self, desk: Desk, certificate: Certificate) -> Standing:  # noqa: ARG002, D102
        entries, shared = self._entries(certificate)
        try:
            bundle = self._bundle.read_text("ascii", "replace")
        except FileNotFoundError:
            bundle = ""
        except OSError as error:
            reason = _("{file} can't be read: {reason}", file=self._bundle,
                       reason=system_said(error))  # fmt: skip
            return Standing(Presence.UNREADABLE, entries, reason)
        if certificate.der in certificates(bundle):
            if shared:
                reason = _("{file} has it beside others, and is left as it is", file=shared)
                return Standing(Presence.TRUSTED, entries, reason)
            if not entries:
                reason = _("by another way than {folder}", folder=self._folder)
                return Standing(Presence.TRUSTED, reason=reason)
            return Standing(Presence.TRUSTED, entries)
        if entries:
            return Standing(
                Presence.DISTRUSTED,
                entries,
                _("{file} is there, but {bundle} was not made anew since", file=entries[0],
                  bundle=self._bundle),
            )  # fmt: skip
        return Standing(Presence.ABSENT)

    def adding(self, certificate: Certificate) -> tuple[Command, ...]:  # noqa: D102
        target = self._folder / f"{certificate.label}.crt"
        return (
            Command(
                ("-m", "0644", certificate.name, str(target)),
                _("put the certificate among the anchors"),
                Kind.TOOL,
                reads=(certificate.name,),
                program=self._program_named("install"),
            ),
            self._update(),
        )

    def removing(  # noqa: D102
        self,
        certificate: Certificate,  # noqa: ARG002
        standing: Standing,
    ) -> tuple[Command, ...]:
        if not standing.entries:
            return ()
        remove = Command(
            ("-f", *standing.entries),
            _("take the certificate from the anchors"),
            Kind.TOOL,
            program=self._program_named("rm"),
        )
        return (remove, self._update())

    def _update(self) -> Command:
        return Command(
            (),
            _("make the system's bundle of its anchors"),
            Kind.TOOL,
            limit=300.0,
            program=self._program,
        )

    def _program_named(self, name: str) -> Path:
        usr = self._root / "usr" / "bin" / name
        return usr if usr.exists() else self._root / "bin" / name

    def _entries(self, certificate: Certificate) -> tuple[tuple[str, ...], str]:
        """The anchors that are the certificate and nothing else; and one that is more, if any."""
        alone, shared = list[str](), ""
        for path, content in self._files():
            found = list(certificates(content))
            if found == [certificate.der]:
                alone.append(str(path))
            elif certificate.der in found:
                shared = str(path)
        return tuple(alone), shared

    def _files(self) -> Iterator[tuple[Path, str]]:
        for path in sorted(self._folder.rglob("*")):
            try:
                if path.is_file():
                    yield path, path.read_text("ascii", "replace")
            except OSError:
                continue  # not ours to read: it is the bundle that counts
