"""The file of settings: is it one, and is the folder what it says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from mtls_openssl.doctor import mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.members import CONFIG
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.language import Text, _, joined


def settings(patient: Patient) -> Iterator[Finding]:
    """Whether the folder's file of settings is one."""
    error = patient.members.refusal
    if error:
        yield Finding(
            "settings",
            Severity.ERROR,
            CONFIG,
            error.what,
            _("nothing can be made in this folder until it is right"),
            error.fix or _("edit {file}", file=patient.folder / CONFIG),
        )


def undescribed(patient: Patient) -> Iterator[Finding]:
    """Whether there is a certificate that the file of settings does not know."""
    loaded = patient.members.loaded
    if loaded is None:
        return
    strangers = [name for name in patient.members.leaves if not loaded.manifest.leaf(name)]
    if strangers:
        yield Finding(
            "undescribed",
            Severity.NOTE,
            CONFIG,
            _("mtls.toml does not describe: {names}.", names=", ".join(strangers)),
            _("`apply` leaves it as it is, and does not renew it"),
            _("describe it in mtls.toml, or move its files away"),
        )


def differences(patient: Patient, known: Collection[str]) -> Iterator[Finding]:
    """Whether the folder is what the file of settings says.

    Args:
        patient: whose folder it is.
        known: the files of which something is the matter already.
    """
    found = [one for one in patient.unlike if not set(one.files) & set(known)]
    mends = _(
        "look what would be done: {command}; then the same without --dry-run",
        command=mending.ours(patient, "apply", "--dry-run"),
    )
    if changes := [one.what for one in found if one.mend is None]:
        yield _unlike(changes, mends)
    for one in found:
        if one.mend is not None:
            yield _unlike([one.what], one.mend)


def _unlike(changes: Sequence[Text], mend: str) -> Finding:
    return Finding(
        "not-as-described",
        Severity.WARNING,
        CONFIG,
        _("The folder is not what mtls.toml says: {changes}.", changes=joined(_("; "), changes)),
        _("whoever goes by mtls.toml relies on something that is not so"),
        mend,
    )
