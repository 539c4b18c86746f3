"""The guide's chapter of trouble-shooting as a program: what is the matter with a set, and why.

`members` says which files make up the set, and `patient` reads all there is, once. The
examinations are small functions that go by that alone: `computer`, `folder`, `files`,
`certificates`, `fleet`, `belonging`, `revocation`, `bundles`, `outside`, `described`, `record`.
`finding` is what they say, `closed` what they say of what may not be read, `mending` has the
commands that help, `recovering` those that bring a file back, `treatment` does what is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mtls_openssl.doctor import (
    belonging,
    bundles,
    certificates,
    computer,
    described,
    files,
    fleet,
    folder,
    outside,
    record,
    revocation,
)
from mtls_openssl.doctor.bundles import not_opened
from mtls_openssl.doctor.finding import Finding, Severity, in_order
from mtls_openssl.doctor.outside import not_trusted
from mtls_openssl.doctor.patient import Patient, Request, look, proven_log
from mtls_openssl.doctor.treatment import treat
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.plan import CHAIN
from mtls_openssl.plan.naming import owner_of

_Examination = Callable[[Patient], Iterator[Finding]]

_BEFORE_ALL: tuple[_Examination, ...] = (
    computer.openssl,
    computer.clock,
    described.settings,
    folder.unfinished,
)
_OF_THE_SET: tuple[_Examination, ...] = (
    files.presence,
    files.content,
    certificates.dates,
    certificates.authority,
    certificates.leaves,
    fleet.readable,
    fleet.whole,
    fleet.dates,
    belonging.ca_key,
    belonging.chain,
    belonging.leaf_keys,
    belonging.chain_files,
    certificates.names,
    revocation.crls,
    revocation.revoked,
    fleet.revoked,
    fleet.strangers,
)
_AROUND_IT: tuple[_Examination, ...] = (
    folder.readable,
    folder.writable,
    bundles.bundles,
    outside.nginx,
    outside.iis,
    belonging.serials,
    outside.trust,
    outside.strangers,
    certificates.outlived,
    described.undescribed,
    computer.configuration,
)
"""Each in the order in which one thing follows from another."""

_READ_BY_OTHERS = ("der", "encoding")
"""What only has to be written anew, and is read by the commands that mend others."""
_FIRST = (ROOT, INTERMEDIATE, owner_of(CHAIN))
"""Whose files those of all others are made with."""

EXAMINATIONS = len(_BEFORE_ALL) + len(_OF_THE_SET) + len(_AROUND_IT) + 2
"""How many there are, with those of the log and of what mtls.toml describes."""


def examine(patient: Patient) -> tuple[Finding, ...]:
    """All that is the matter, the worst first, and of that the cause before what it causes."""
    found = [
        *_found(patient, _BEFORE_ALL),
        *sorted(_found(patient, _OF_THE_SET), key=_rank),
        *_found(patient, _AROUND_IT),
    ]
    known = {finding.subject for finding in found}
    # What makes a file useless, or a chain stale, is why it would be made anew: that is one thing.
    told = {
        finding.subject
        for finding in found
        if (finding.severity is Severity.ERROR and not finding.safe) or finding.code == "chain-file"
    }
    return in_order([*found, *described.differences(patient, told), *record.log(patient, known)])


def _found(patient: Patient, examinations: Iterable[_Examination]) -> Iterator[Finding]:
    return (finding for examination in examinations for finding in examination(patient))


def _rank(finding: Finding) -> int:
    """What must be as it should be before something else can be mended comes before that."""
    if finding.code in _READ_BY_OTHERS:
        return -1
    owner = owner_of(finding.subject)
    return _FIRST.index(owner) if owner in _FIRST else len(_FIRST)


__all__ = [
    "EXAMINATIONS",
    "Finding",
    "Patient",
    "Request",
    "Severity",
    "examine",
    "look",
    "not_opened",
    "not_trusted",
    "proven_log",
    "treat",
]
