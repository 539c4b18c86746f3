"""Whether the files of a set, as they would be, belong together."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

from mtls_openssl.inspection.objects import Certificate, fingerprint
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.proof import Check
from mtls_openssl.restore.record import Record
from mtls_openssl.restore.shelf import BETWEEN, CA, Set, Shelf

CHAIN = "chain.crt"
_LEAF_CHAIN = ".chain.crt"
_BUNDLE = ".p12"
_BESIDE = (".p12.password",)


@dataclasses.dataclass(frozen=True)
class Result:
    """What would come out of a restore.

    Args:
        before: the set as it is.
        after: the set as it would be.
        changed: the names of the files that would not be what they are.
    """

    before: Set
    after: Set
    changed: Collection[str]


def checks(shelf: Shelf, record: Record, result: Result) -> Iterator[Check | Text]:
    """What must be true of a set that is restored.

    A fault that is there already, between files that stay as they are, is not looked for.

    Args:
        shelf: where files are read.
        record: what the log knows.
        result: what would come out.

    Yields:
        Every check, passed or not; and in a sentence what could not be checked.
    """
    yield from _readable(shelf, result)
    yield from _pairs(shelf, record, result)
    yield from _issued(shelf, result)
    yield from _chains(shelf, result)
    yield from _bundles(shelf, record, result)


def owner(name: str, files: Collection[str]) -> str:
    """Whose file it is: the stem of the certificate that a file was made from; empty for nobody's.

    Args:
        name: a PKCS#12 file, its password, or a chain.
        files: the names of all files of the set.
    """
    if name == CHAIN:
        return INTERMEDIATE
    if name.partition(".")[0] == "truststore":
        return ROOT
    if not name.endswith((_BUNDLE, *_BESIDE, _LEAF_CHAIN)):
        return ""
    stems = [one.removesuffix(".crt") for one in files if is_certificate(one)]
    return max((stem for stem in stems if name.startswith(f"{stem}.")), key=len, default="")


def is_certificate(name: str) -> bool:
    """Whether a file is a certificate's own, and not a chain's."""
    return name.endswith(".crt") and name != CHAIN and not name.endswith(_LEAF_CHAIN)


def is_bundle(name: str) -> bool:
    """Whether a file is a PKCS#12 file by its name."""
    return name.endswith(_BUNDLE)


def password_of(name: str) -> str:
    """The PKCS#12 file that a file has the password of; empty if it is no such file."""
    return name.removesuffix(".password") if name.endswith(_BESIDE) else ""


def _readable(shelf: Shelf, result: Result) -> Iterator[Check]:
    for name in sorted(result.changed):
        if name in result.after and name.endswith((".crt", ".key")):
            damage = shelf.damage(result.after[name])
            yield Check(name, _("it can be read back"), damage)


def _pairs(shelf: Shelf, record: Record, result: Result) -> Iterator[Check | Text]:
    for name in filter(is_certificate, sorted(result.after)):
        key_name = f"{name.removesuffix('.crt')}.key"
        if key_name not in result.after or not {name, key_name} & set(result.changed):
            continue
        certificate = shelf.certificate(result.after[name])
        key = shelf.key(result.after[key_name])
        if certificate is None or key is None:
            continue
        claim = _("it belongs to {key}", key=key_name)
        if key.public_key:
            fault = _("its public key is not that of {key}", key=key_name)
            yield Check(name, claim, "" if key.public_key == certificate.public_key else fault)
            continue
        ours, theirs = (shelf.digest(result.after[one]) for one in (name, key_name))
        if record.comes_from(ours, theirs):
            yield Check(name, claim)
        else:
            yield _(
                "{key} has a password that was not given: whether it is the key of {file} is not"
                " known.",
                key=key_name,
                file=name,
            )


def _issued(shelf: Shelf, result: Result) -> Iterator[Check | Text]:
    authorities = {CA, BETWEEN} & set(result.changed)
    names = [name for name in sorted(result.after) if is_certificate(name) and name != CA]
    concerned = [name for name in names if authorities or name in result.changed]
    if concerned and CA not in result.after:
        yield _("There is no {file} that the certificates could be held against.", file=CA)
        return
    for name in concerned:
        if shelf.certificate(result.after[name]) is None:
            continue  # told already
        fault = shelf.objection(name, result.after)
        if fault and not _is_of_the_set(shelf, name, result):
            yield _("{file} was not issued by this CA, and is no part of the set.", file=name)
            continue
        yield Check(name, _("the CA that will be there issued it"), fault)


def _is_of_the_set(shelf: Shelf, name: str, result: Result) -> bool:
    """Whether a certificate that the CA did not issue should have been issued by it."""
    if name in result.changed and f"{name.removesuffix('.crt')}.key" in result.after:
        return True
    known = name in result.before and CA in result.before
    return known and not shelf.objection(name, result.before)


def _chains(shelf: Shelf, result: Result) -> Iterator[Check]:
    for name, path in sorted(result.after.items()):
        parts: tuple[str, ...] = ()
        if name == CHAIN:
            parts = (BETWEEN, CA)
        elif name.endswith(_LEAF_CHAIN):
            parts = (f"{name.removesuffix(_LEAF_CHAIN)}.crt", BETWEEN)
        if not parts or not {name, *parts} & set(result.changed):
            continue
        wanted = [shelf.certificate(result.after.get(part)) for part in parts]
        held = [fingerprint(one.pem) for one in shelf.holding(path).certificates]
        expected = [fingerprint(one.pem) for one in wanted if one]
        fault = ""
        if held != expected or not all(wanted):
            fault = _("it does not hold {files}", files=" + ".join(parts))
        yield Check(name, _("it is the chain of what will be there"), fault)


def _bundles(shelf: Shelf, record: Record, result: Result) -> Iterator[Check | Text]:
    for name in filter(is_bundle, sorted(result.changed)):
        certificate_name = f"{owner(name, result.after)}.crt"
        path, beside = result.after.get(name), result.after.get(certificate_name)
        certificate = shelf.certificate(beside)
        if path is None or beside is None or certificate is None:
            continue
        if fits(shelf, record, name, result.after):
            fault = ""
        elif record.knows(shelf.digest(path)):
            fault = _("it was packed from another {file}", file=certificate_name)
        elif why := shelf.locked(path):
            yield _("{file} was not opened: {why}.", file=name, why=why)
            continue
        else:
            fault = _holds(shelf, name, certificate, result.after)
        yield Check(name, _("it holds {file}", file=certificate_name), fault)


def fits(shelf: Shelf, record: Record, name: str, files: Set) -> bool:
    """Whether it is on record that a PKCS#12 file was packed from a certificate of the set."""
    certificate = files.get(f"{owner(name, files)}.crt")
    if certificate is None:
        return False
    return record.comes_from(shelf.digest(files[name]), shelf.digest(certificate))


def _holds(shelf: Shelf, name: str, certificate: Certificate, files: Set) -> str:
    held = {fingerprint(one.pem) for one in shelf.holding(files[name]).certificates}
    if fingerprint(certificate.pem) in held:
        return ""
    return _("it does not hold {files}", files=f"{owner(name, files)}.crt")
