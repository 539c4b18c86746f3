"""What must be true of the new certificate before it takes the old one's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mtls_openssl.language import _, joined
from mtls_openssl.openssl import verify, x509
from mtls_openssl.proof import Check, Proving
from mtls_openssl.repair.case import (
    OLD,
    Case,
    Leaf,
    key_identifier,
    limits,
    objections,
    reading,
    strictly,
    verifying,
)
from mtls_openssl.steps import Command, Ending, Kind, Outcome


def proving(case: Case) -> Proving:
    """What must be true of the new certificate before it takes the old one's place."""
    return Proving(
        (
            *(reading(name, Kind.PROOF) for name in (OLD, "ca.crt")),
            *(_naming(name) for name in (OLD, "ca.crt")),
            *(verifying(leaf.name, Kind.PROOF, leaf.by) for leaf in case.leaves),
            *(command for leaf in case.leaves for command in strictly(leaf, Kind.PROOF)),
        ),
        lambda outcomes: _judge(case, outcomes),
    )


def _judge(case: Case, outcomes: Sequence[Outcome]) -> Iterator[Check]:
    answers = {
        outcome.command.argv: outcome
        for outcome in outcomes
        if outcome.finished.ending is Ending.EXITED
    }
    try:
        old, new = (
            x509.parse_text(answers[x509.inspect(name)].finished.stdout) for name in (OLD, "ca.crt")
        )
        names = [answers[x509.subject_der(name)].finished.stdout for name in (OLD, "ca.crt")]
    except (KeyError, ValueError):
        yield Check("ca.crt", _("it can be read back"), _("openssl did not say what it is"))
        return
    yield _same(_("its key is the old one"), old.public_key, new.public_key)
    yield _same(_("its subject is the old one, byte for byte"), *names)
    if identifier := key_identifier(old):
        yield _same(_("its key identifier is the old one"), identifier, key_identifier(new))
    yield _same(_("it certifies the same names as before"), limits(old), limits(new))
    yield Check(
        "ca.crt",
        _("it is valid no shorter than before"),
        "" if new.not_after >= old.not_after else _("it ends on {date}", date=new.not_after),
    )
    yield Check(
        "ca.crt",
        _("it has all that strict validators ask for (RFC 5280)"),
        joined("; ", objections(new)),
    )
    for leaf in case.leaves:
        yield from _still_valid(leaf, answers)


def _still_valid(leaf: Leaf, answers: Mapping[tuple[str, ...], Outcome]) -> Iterator[Check]:
    claims = {
        verifying(leaf.name, Kind.PROOF, leaf.by): _(
            "it verifies against the new certificate of its CA"
        ),
        **dict.fromkeys(strictly(leaf, Kind.PROOF), _("the strictest validators accept it")),
    }
    for command, claim in claims.items():
        if outcome := answers.get(command.argv):
            said = outcome.finished.stdout + "\n" + outcome.finished.stderr
            good = verify.is_ok(outcome.finished.stdout, leaf.name)
            yield Check(leaf.name, claim, "" if good else verify.reason(said) or said.strip())


def _same(claim: str, old: str, new: str) -> Check:
    return Check(
        "ca.crt", claim, "" if old == new else _("it was {old!r} and is {new!r}", old=old, new=new)
    )


def _naming(name: str) -> Command:
    return Command(
        x509.subject_der(name),
        _("read the subject of {file}, byte for byte", file=name),
        Kind.PROOF,
        reads=(name,),
        verdict=True,
    )
