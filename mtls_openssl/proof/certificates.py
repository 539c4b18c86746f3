"""What keys and certificates must pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Authority, Key, Leaf, Manifest, Role
from mtls_openssl.openssl import extensions, pkey, verify, x509
from mtls_openssl.plan.naming import is_certificate, issues, owner_of
from mtls_openssl.proof.checks import Answers, Check, equal, said
from mtls_openssl.steps import Command, Kind, Outcome

_CURVES = {"prime256v1": "P-256", "secp384r1": "P-384"}
_RANKS = {ROOT: 0, INTERMEDIATE: 1}


@dataclass(frozen=True)
class _Subject:
    """A certificate to be proven.

    Args:
        certificate: its file.
        key: the file of its key; empty if that is not there to be proven.
        options: what `verify` is told of its purpose and names; for each side of a peer.
        by: the file of the intermediate authority that issued it; empty for the root.
        passphrase: the environment variable with the pass phrase of its key; empty for none.
        asked: what was asked for; None if that is not known.
    """

    certificate: str
    key: str = ""
    options: tuple[tuple[str, ...], ...] = ((),)
    by: str = ""
    passphrase: str = ""
    asked: Authority | Leaf | None = None

    @property
    def strict(self) -> tuple[tuple[str, ...], ...]:
        """The argv of the strict check, one for each side."""
        return tuple(verify.strict(self.certificate, *one, by=self.by) for one in self.options)

    @property
    def pairing(self) -> tuple[str, ...]:
        """The argv that reads its key."""
        return pkey.public_key(self.key, passphrase=self.passphrase)


def commands(files: Sequence[str], manifest: Manifest | None) -> Iterator[Command]:
    """The checks, as openssl commands.

    Args:
        files: the files to be proven.
        manifest: what was asked for; None if that is not known.
    """
    for one in _subjects(files, manifest):
        for strict in one.strict:
            yield Command(
                strict,
                _("prove {file} to the strictest validators (RFC 5280)", file=one.certificate),
                Kind.PROOF,
                reads=tuple(dict.fromkeys(filter(None, ("ca.crt", one.by, one.certificate)))),
                verdict=True,
            )
        yield Command(
            x509.inspect(one.certificate),
            _("read {file} back", file=one.certificate),
            Kind.PROOF,
            reads=(one.certificate,),
            verdict=True,
        )
        if one.key:
            yield Command(
                one.pairing,
                _("prove that {key} and {file} belong together", key=one.key, file=one.certificate),
                Kind.PROOF,
                reads=(one.key,),
                secrets=(one.passphrase,) if one.passphrase else (),
                verdict=True,
            )


def judged(answers: Answers, files: Sequence[str], manifest: Manifest | None) -> Iterator[Check]:
    """Read what the checks printed.

    Args:
        answers: what came of the commands.
        files: as for `commands`.
        manifest: as for `commands`.
    """
    for one in _subjects(files, manifest):
        certificate = one.certificate
        if guide := answers.get(verify.chain(certificate, by=one.by)):
            yield _verified(guide, certificate, _("the CA issued it, and it is in date"))
        for strict in filter(None, map(answers.get, one.strict)):
            yield _verified(strict, certificate, _("the strictest validators accept it (RFC 5280)"))
        described = None
        if read_back := answers.get(x509.inspect(certificate)):
            described, fault = _described(read_back)
            if fault:
                yield Check(certificate, _("it can be read back"), fault)
            elif described and one.asked:
                yield from differences(certificate, described, one.asked)
        if one.key and (public := answers.get(one.pairing)):
            yield from _paired(public, certificate, described, one.key)


def differences(
    certificate: str, described: x509.Description, asked: Authority | Leaf
) -> Iterator[Check]:
    """Whether a certificate says what was asked for, check by check.

    Args:
        certificate: its file.
        described: what it says.
        asked: what it should say.
    """
    lasts = (described.not_after - described.not_before).days
    yield equal(
        certificate, _("it names whom it is for, to the letter"), described.subject, asked.subject
    )
    yield equal(certificate, _("it lasts as long as asked, in days"), lasts, asked.days)
    yield equal(
        certificate, _("its key is of the kind asked for"), str(kind_of(described)), str(asked.key)
    )
    yield equal(
        certificate,
        _("it is a CA only if it should be"),
        _values(described, extensions.BASIC_CONSTRAINTS),
        _constraints(asked),
    )
    if isinstance(asked, Authority):
        wanted = _name_constraints(asked)
        found = _values(described, extensions.NAME_CONSTRAINTS)
        yield equal(certificate, _("it certifies no other names than it should"), found, wanted)
        return
    yield equal(
        certificate,
        _("it serves both sides") if asked.peer else _("it serves its one purpose"),
        extensions.usages(described.extensions.get(extensions.EXTENDED_KEY_USAGE)),
        asked.usages,
    )
    yield equal(
        certificate,
        _("it stands for the names asked for, and for no other"),
        alternatives_of(described),
        asked.alternatives,
    )


def kind_of(described: x509.Description) -> Key | str:
    """The kind of a certificate's key, or openssl's word for a kind that is none of ours."""
    return key_of(described.key or pkey.PublicKey("unknown"))


def key_of(key: pkey.PublicKey) -> Key | str:
    """As `kind_of`, of a key alone."""
    match key.kind:
        case "RSA":
            return Key("RSA", key.bits)
        case "EC" if key.curve in _CURVES:
            return Key("EC", curve=_CURVES[key.curve])
        case "ED25519":
            return Key("ED25519")
    return f"{key.kind} {key.curve}".strip()


def alternatives_of(described: x509.Description) -> tuple[str, ...]:
    """The names that a certificate stands for, as `manifest.Leaf.alternatives` has them."""
    return extensions.alternatives(described.extensions.get(extensions.ALTERNATIVE_NAME))


def limits_of(described: x509.Description) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that an authority may certify, and those that it may not, as `Authority` has them.

    Args:
        described: what its certificate says.
    """
    limits: dict[str, list[str]] = {"Permitted:": [], "Excluded:": []}
    kind = list[str]()
    for value in _values(described, extensions.NAME_CONSTRAINTS):
        kind = limits.get(value, kind)
        if value not in limits:
            kind.append(value)
    permitted, excluded = limits.values()
    return tuple(permitted), tuple(excluded)


def _subjects(files: Sequence[str], manifest: Manifest | None) -> list[_Subject]:
    names = [owner_of(file) for file in files if is_certificate(file)]
    middle = f"{INTERMEDIATE}.crt"
    has_middle = manifest.intermediate if manifest else middle in files
    subjects = []
    for name in sorted(names, key=lambda name: _RANKS.get(name, len(_RANKS))):
        key, asked = f"{name}.key", _asked(name, manifest)
        subjects.append(
            _Subject(
                f"{name}.crt",
                key if key in files else "",
                _options(name, asked),
                middle if has_middle and not issues(name) else "",
                asked.passphrase_variable if isinstance(asked, Authority) else "",
                asked,
            )
        )
    return subjects


def _asked(name: str, manifest: Manifest | None) -> Authority | Leaf | None:
    if manifest is None:
        return None
    known: tuple[Authority | Leaf, ...] = (*manifest.authorities, *manifest.leaves)
    # An authority without a name is one that is there, whatever it says.
    return next((one for one in known if one.name == name and one.subject), None)


def _options(name: str, asked: Authority | Leaf | None) -> tuple[tuple[str, ...], ...]:
    if isinstance(asked, Leaf) and asked.peer:
        return tuple(_of_side(name, dataclasses.replace(asked, role=role)) for role in asked.roles)
    return (_of_side(name, asked),)


def _of_side(name: str, asked: Authority | Leaf | None) -> tuple[str, ...]:
    roles = {role.value: role for role in Role}
    role = asked.role if isinstance(asked, Leaf) else roles.get(name)
    if role is None:
        return ()
    purpose = ("-purpose", role.purpose)
    if role is Role.CLIENT or not isinstance(asked, Leaf):
        return purpose
    for alternative in asked.alternatives:
        kind, _colon, value = alternative.partition(":")
        if kind == "DNS":
            return (*purpose, "-verify_hostname", value.replace("*", "any", 1))
        if kind == "IP":
            return (*purpose, "-verify_ip", value)
    return purpose


def _constraints(asked: Authority | Leaf) -> tuple[str, ...]:
    if isinstance(asked, Leaf):
        return ("CA:FALSE",)
    return ("CA:TRUE",) + (() if asked.path_length is None else (f"pathlen:{asked.path_length}",))


def _name_constraints(asked: Authority) -> tuple[str, ...]:
    permitted = ("Permitted:", *asked.permitted) if asked.permitted else ()
    return permitted + (("Excluded:", *asked.excluded) if asked.excluded else ())


def _described(read_back: Outcome) -> tuple[x509.Description | None, str]:
    """What a certificate says, or why that can't be told."""
    if read_back.finished.exit:
        return None, said(read_back)
    try:
        return x509.parse_text(read_back.finished.stdout), ""
    except ValueError as error:
        return None, error.args[0]


def _paired(
    public: Outcome, certificate: str, described: x509.Description | None, key: str
) -> Iterator[Check]:
    claim = _("it belongs to {key}", key=key)
    if public.finished.exit:
        yield Check(certificate, claim, said(public))
    elif described:
        matches = public.finished.stdout.strip() == described.public_key != ""
        fault: str | Text = "" if matches else _("its public key is not that of {key}", key=key)
        yield Check(certificate, claim, fault)


def _values(described: x509.Description, name: str) -> tuple[str, ...]:
    extension = described.extensions.get(name)
    return extension.values if extension else ()


def _verified(outcome: Outcome, certificate: str, claim: str) -> Check:
    if outcome.finished.exit == 0 and verify.is_ok(outcome.finished.stdout, certificate):
        return Check(certificate, claim)
    why = verify.reason(outcome.finished.stderr + "\n" + outcome.finished.stdout)
    return Check(certificate, claim, why or said(outcome))
