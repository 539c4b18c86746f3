"""What the doctor says: a finding, how bad it is, and the order in which findings are told."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable

from mtls_openssl.language import Text, _


class Severity(enum.IntEnum):
    """How bad a finding is; the lower, the worse."""

    ERROR = 0
    """Somebody refuses the set, or its secrets are open."""
    WARNING = 1
    """It works, and soon or somewhere it will not."""
    NOTE = 2
    """Good to know; nothing that the set suffers from."""

    @property
    def title(self) -> Text:
        """What it is called where findings are told."""
        return _TITLES[self]


_TITLES = {
    Severity.ERROR: _("error"),
    Severity.WARNING: _("warning"),
    Severity.NOTE: _("note"),
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Args:
        code: a name for programs; it does not change.
        severity: how bad it is.
        subject: the file, or whatever else it is about.
        what: what is the matter, in one sentence.
        why: why that matters.
        mend: the one command, or the one thing to do, that mends it.
        safe: whether `--fix` does it.
    """

    code: str
    severity: Severity
    subject: str
    what: str
    why: str
    mend: str
    safe: bool = False


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings as they are told: the worst first, and of these the cause before what it causes.

    Args:
        findings: in the order in which one follows from the other.
    """
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.severity))
