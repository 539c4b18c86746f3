"""The checks that a finished set must pass before anything is called done.

They are openssl commands of their own, run and logged as the others, and what they print is read
here and held against what was asked for. An exit code alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _
from mtls_openssl.manifest import Manifest
from mtls_openssl.openssl import dhparam as dh
from mtls_openssl.openssl import pkcs12
from mtls_openssl.proof import bundles as bundling
from mtls_openssl.proof import certificates
from mtls_openssl.proof.checks import NOTHING_BESIDES, Check, Proving, said
from mtls_openssl.steps import Command, Ending, Kind, Outcome

__all__ = ["NOTHING_BESIDES", "Check", "Proof", "Proving"]


@dataclass(frozen=True)
class Proof:
    """What is to be proven of the files of a set.

    Args:
        files: the files.
        manifest: what was asked for; None for a set that we did not make, of which only what
            holds for every set is asked.
        bundles: the PKCS#12 files among them.
        java: keytool, which is asked what Java sees in a truststore, if it is there.
    """

    files: tuple[str, ...]
    manifest: Manifest | None
    bundles: tuple[pkcs12.Bundle, ...] = ()
    java: Path | None = None

    @property
    def commands(self) -> tuple[Command, ...]:
        """The checks, as openssl commands."""
        checks = [
            *certificates.commands(self.files, self.manifest),
            *bundling.commands(self.bundles, self.java),
        ]
        if dh.FILE in self.files:
            purpose = _("prove that the modulus is a safe prime")
            checks.append(
                Command(dh.check(), purpose, Kind.PROOF, reads=(dh.FILE,), verdict=True, limit=600)
            )
        return tuple(checks)

    def judge(self, outcomes: Iterable[Outcome], folder: Path) -> tuple[Check, ...]:
        """Read what the checks printed.

        Args:
            outcomes: of the run, in any order; other commands than checks are passed over.
            folder: where the files are.

        Returns:
            Every check that was made, passed or not.
        """
        # One that was ended because another had failed says nothing about what it looked at.
        answers = {
            outcome.command.argv: outcome
            for outcome in outcomes
            if outcome.finished.ending is Ending.EXITED
        }
        asked = self.manifest is not None
        checks = [
            *certificates.judged(answers, self.files, self.manifest),
            *bundling.judged(answers, self.bundles, folder, asked=asked),
        ]
        if dh_checked := answers.get(dh.check()):
            fault = "" if dh_checked.finished.exit == 0 else said(dh_checked)
            checks.append(Check(dh.FILE, _("its modulus is a safe prime"), fault))
        return tuple(checks)

    def packed(self, outcomes: Iterable[Outcome]) -> Mapping[str, pkcs12.Contents]:
        """What each PKCS#12 file holds that was opened again, by its name."""
        return bundling.packed(outcomes, self.bundles)
