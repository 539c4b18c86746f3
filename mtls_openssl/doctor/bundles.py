"""The PKCS#12 files: do they open, do they hold what is in the folder, and who can read them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from mtls_openssl.doctor import mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import File, Patient
from mtls_openssl.inspection.objects import Bundle, Certificate, Key, fingerprint
from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import Role
from mtls_openssl.openssl import readers

_FIRST_TO_READ_AES = 16299
"""The build of Windows 10 1709, of which Windows Server 2019 was made (openssl.readers)."""


def bundles(patient: Patient) -> Iterator[Finding]:
    """Whether each bundle is of use."""
    for name in patient.members.bundles:
        file = patient.files[name]
        if file.bundle and name in patient.request.passwords:
            yield from _examined(patient, file, file.bundle)


def not_opened(patient: Patient) -> tuple[Text, ...]:
    """What could not be looked at without a password, a sentence each."""
    locked = [
        f"{name}.key"
        for name in patient.members.authorities
        if (key := patient.files[f"{name}.key"].key) and key.protection and not key.public_key
    ]
    return tuple(
        _("{file} was not opened: its password was not given.", file=name)
        for name in (*locked, *patient.members.bundles)
        if name not in patient.request.passwords and not patient.files[name].trouble
    )


def _examined(patient: Patient, file: File, bundle: Bundle) -> Iterator[Finding]:
    owner = patient.members.bundles[file.name]
    again = mending.packed_again(patient, file.name)

    def finding(code: str, severity: Severity, what: Text, why: Text, mend: str = "") -> Finding:
        return Finding(code, severity, file.name, what, why, mend or again)

    if bundle.wrong:
        yield finding(
            "p12-password",
            Severity.ERROR,
            _("{file} does not open with the password that was given.", file=file.name),
            _("nobody can import it without its own"),
        )
        return
    inside = {
        fingerprint(item.thing.pem) for item in bundle.items if isinstance(item.thing, Certificate)
    }
    leaf, ca = patient.files[f"{owner}.crt"], patient.files["ca.crt"]
    if not any(isinstance(item.thing, Key) for item in bundle.items):
        yield finding(
            "p12-key",
            Severity.ERROR,
            _("{file} holds no private key.", file=file.name),
            _("who imports it can prove nothing with the certificate"),
        )
    elif leaf.fingerprint and leaf.fingerprint not in inside:
        yield finding(
            "p12-stale",
            Severity.ERROR,
            _("{file} holds another certificate than {leaf}.", file=file.name, leaf=leaf.name),
            _("it was packed before {leaf} was made anew", leaf=leaf.name),
        )
    elif (
        patient.members.leaves[owner] is Role.CLIENT
        and ca.fingerprint
        and ca.fingerprint not in inside
    ):
        yield finding(
            "p12-ca",
            Severity.WARNING,
            _("{file} holds another certificate of the CA than ca.crt.", file=file.name),
            _("who imports it goes on with the old one"),
        )
    yield from _legible(patient, file, bundle, again)


def _legible(patient: Patient, file: File, bundle: Bundle, again: str) -> Iterator[Finding]:
    reader = patient.request.reader or _this_windows()
    if not reader or bundle.contents is None:
        return
    _can, blind = readers.who(bundle.contents)
    blind = tuple(one for one in blind if one.profile == reader)
    if blind:
        yield Finding(
            "p12-reader",
            Severity.ERROR if patient.request.reader else Severity.WARNING,
            file.name,
            _("{file} can't be read by: {who}.", file=file.name,
              who=joined("; ", (one.name for one in blind))),
            _("they say that the password is wrong, and mean the algorithms"),
            f"{again} --for {reader}"
            if " p12" in again
            else mending.ours(patient, "p12", patient.members.bundles[file.name], "--for", reader),
        )  # fmt: skip


def _this_windows() -> str:
    if sys.platform == "win32" and sys.getwindowsversion().build < _FIRST_TO_READ_AES:
        return "windows2016"
    return ""
