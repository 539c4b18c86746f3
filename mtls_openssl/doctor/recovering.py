"""What brings a file back that is lost or damaged, and is somewhere else still."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.doctor.mending import conversion, path_of
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.inspection.objects import Certificate
from mtls_openssl.manifest import ROOT
from mtls_openssl.scripting import prompt


def brought_back(patient: Patient, name: str) -> str:
    """The command that brings a file back, as it was or for the same key; empty if none does.

    Args:
        patient: whose set it is.
        name: the name of the file.
    """
    spare = patient.spares.get(name, Path())
    if spare != Path():
        kept = str(spare.relative_to(patient.folder))
        copy = "copy" if sys.platform == "win32" else "cp"
        return prompt.line(copy, path_of(patient, kept), path_of(patient, name))
    return _unpacked(patient) if name == f"{ROOT}.crt" else ""


def _unpacked(patient: Patient) -> str:
    """What takes the CA's certificate out of a PKCS#12 file that has it beside its own."""
    key = patient.files[f"{ROOT}.key"].public_key
    for bundle in patient.members.bundles:
        others = list(_certificates(patient, bundle))[1:]
        if key and [one.public_key for one in others] == [key]:
            options = ["--only", "chain"]
            if patient.files[f"{ROOT}.crt"].there:
                options += ["--force"]
            password = f"{bundle}.password"
            if (patient.folder / password).is_file():
                options += ["--password-file", path_of(patient, password)]
            return conversion(patient, bundle, f"{ROOT}.crt", *options)
    return ""


def _certificates(patient: Patient, bundle: str) -> Iterator[Certificate]:
    held = patient.files[bundle].bundle
    for item in held.items if held else ():
        if isinstance(item.thing, Certificate):
            yield item.thing
