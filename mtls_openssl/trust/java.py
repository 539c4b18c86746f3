"""Java's own trust store, cacerts, by keytool (JDK tool specifications)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.elevation import Host
from mtls_openssl.language import _
from mtls_openssl.locate import is_file
from mtls_openssl.steps import Command, Kind, Outcome
from mtls_openssl.trust import programs
from mtls_openssl.trust.certificate import Certificate
from mtls_openssl.trust.store import JAVA, Presence, Standing, Store, said

PASSWORD = "changeit"  # noqa: S105 - the public one that every Java comes with
_VARIABLE = "MTLS_JAVA_PASSWORD"
_KEYSTORES = ("lib/security/cacerts", "jre/lib/security/cacerts")
_ENTRY = re.compile(
    r"^(.+), \w{3} \d{1,2}, \d{4}, trustedCertEntry, *\n[^\n]*?: ([0-9A-F:]+)$", re.MULTILINE
)


def here(host: Host, password: str = PASSWORD) -> Iterator[JavaStore]:
    """The trust store of each Java: the one of JAVA_HOME, and those on the PATH."""
    keytool = "keytool.exe" if host.machine.windows else "keytool"
    named = host.machine.folder("JAVA_HOME")
    found = [named / "bin" / keytool] if named and is_file(named / "bin" / keytool) else []
    seen = set[str]()
    for program in (*found, *programs.every(host.machine, "keytool")):
        # On the PATH there may be a link; Java is where it leads.
        homes = (program.parent.parent, Path(os.path.realpath(program)).parent.parent)
        places = (home / place for home in homes for place in _KEYSTORES)
        keystore = next((place for place in places if is_file(place)), None)
        if keystore and (real := os.path.realpath(keystore)) not in seen:
            seen.add(real)
            yield JavaStore(program, keystore, password)


class JavaStore(Store):
    """The trust store of one Java.

    Args:
        keytool: the program.
        keystore: the file.
        password: of the file.
    """

    name = JAVA
    note = _("Java reads its trust store when it starts: programs have to be started again.")

    def __init__(self, keytool: Path, keystore: Path, password: str) -> None:
        self._keytool = keytool
        # By its path: -cacerts is unknown to Java 8.
        self._keystore = str(keystore)
        self.title = _("Java ({file})", file=keystore)
        self.needs_elevation = not os.access(keystore, os.W_OK)
        self.secrets = {_VARIABLE: password}

    def look(self, desk: Desk, certificate: Certificate) -> Standing:  # noqa: D102
        listed = desk.ask(
            self._command(("-list",), _("list Java's trust store")), secrets=self.secrets
        )
        if listed.problem:
            return Standing(Presence.UNREADABLE, reason=self.cause(listed))
        # Java 8 shows SHA-1, later ones SHA-256.
        ours = {certificate.sha256, bytes.fromhex(certificate.sha1).hex(":").upper()}
        entries = tuple(
            alias for alias, shown in _ENTRY.findall(listed.finished.stdout) if shown in ours
        )
        return Standing(Presence.TRUSTED if entries else Presence.ABSENT, entries)

    def adding(self, certificate: Certificate) -> tuple[Command, ...]:  # noqa: D102
        return (
            self._command(
                ("-importcert", "-noprompt", "-alias", certificate.label,
                 "-file", certificate.name),
                _("trust the certificate in Java"),
                reads=(certificate.name,),
            ),
        )  # fmt: skip

    def removing(  # noqa: D102
        self,
        certificate: Certificate,  # noqa: ARG002
        standing: Standing,
    ) -> tuple[Command, ...]:
        return tuple(
            self._command(("-delete", "-alias", alias), _("take the certificate out of Java"))
            for alias in standing.entries
        )

    def cause(self, outcome: Outcome) -> str:  # noqa: D102
        if "password was incorrect" in outcome.finished.stdout:
            return _("its password is another: name the variable that has it with"
                     " --java-password-env")  # fmt: skip
        return said(outcome)

    def _command(
        self, argv: tuple[str, ...], purpose: str, *, reads: tuple[str, ...] = ()
    ) -> Command:
        return Command(
            ("-J-Duser.language=en", *argv, "-keystore", self._keystore,
             "-storepass:env", _VARIABLE),
            purpose,
            Kind.TOOL,
            reads=reads,
            secrets=(_VARIABLE,),
            program=self._keytool,
        )  # fmt: skip
