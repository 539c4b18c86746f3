"""What a request that we made, and a certificate for a key of somebody else, must pass besides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mtls_openssl.language import Text, _
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl import pkey, req, x509
from mtls_openssl.plan import Wanted
from mtls_openssl.proof import Check, Proving
from mtls_openssl.proof.certificates import key_of
from mtls_openssl.proof.checks import Answers, equal, said
from mtls_openssl.signing.granting import Grant
from mtls_openssl.steps import Command, Ending, Kind, Outcome

_OURS = frozenset(
    {
        ext.BASIC_CONSTRAINTS, ext.KEY_USAGE, ext.EXTENDED_KEY_USAGE, ext.ALTERNATIVE_NAME,
        ext.SUBJECT_KEY_IDENTIFIER, ext.AUTHORITY_KEY_IDENTIFIER, "X509v3 CRL Distribution Points",
        "Authority Information Access",
    }
)  # fmt: skip
"""The extensions that a certificate of ours may have."""


def of_request(wanted: Wanted, *, key: bool = True) -> Proving:
    """What must be true of a request that was made.

    Args:
        wanted: what was to be made.
        key: whether its key is here to be held against it.
    """
    leaf = wanted.leaf
    file = leaf.request_file
    reading, checking = req.describe(file), req.check(file)
    pairing = pkey.public_key(leaf.key_file, passphrase=wanted.passphrase)
    commands = [
        _proof(reading, _("read {file} back", file=file), file),
        _proof(checking, _("prove that {file} is signed with its own key", file=file), file),
    ]
    if key:
        purpose = _("prove that {key} and {file} belong together", key=leaf.key_file, file=file)
        secrets = (wanted.passphrase,) if wanted.encrypted else ()
        commands.append(_proof(pairing, purpose, leaf.key_file, secrets=secrets))

    def judge(outcomes: Sequence[Outcome]) -> Iterator[Check]:
        answers = _answers(outcomes)
        if reading not in answers or checking not in answers:
            return
        checked = answers[checking].finished
        right = req.is_ok(f"{checked.stdout}\n{checked.stderr}")
        claim = _("it is signed with its own key")
        yield Check(file, claim, "" if right else said(answers[checking]))
        try:
            described = req.parse(answers[reading].finished.stdout)
        except ValueError as error:
            yield Check(file, _("it can be read back"), str(error))
            return
        yield equal(
            file, _("it names whom it is for, to the letter"), described.subject, leaf.subject
        )
        yield equal(
            file, _("its key is of the kind asked for"), str(key_of(described.key)), str(leaf.key)
        )
        yield equal(
            file,
            _("it asks for the names that it should, and for no other"),
            ext.alternatives(described.extensions.get(ext.ALTERNATIVE_NAME)),
            leaf.alternatives,
        )
        yield equal(
            file,
            _("it asks for the one side that it should"),
            ext.usages(described.extensions.get(ext.EXTENDED_KEY_USAGE)),
            wanted.usages,
        )
        if key and (public := answers.get(pairing)):
            yield _same_key(file, described.public_key, public.finished.stdout, leaf.key_file)

    return Proving(tuple(commands), judge)


def of_certificates(grants: Sequence[Grant]) -> Proving:
    """What must be true of certificates for the keys of others, besides what holds for all."""
    checking = {grant.leaf.name: req.check(grant.leaf.request_file) for grant in grants}
    purpose = _("prove that the request is signed with the key that is certified")
    commands = tuple(
        _proof(checking[grant.leaf.name], purpose, grant.leaf.request_file) for grant in grants
    )

    def judge(outcomes: Sequence[Outcome]) -> Iterator[Check]:
        answers = _answers(outcomes)
        for grant in grants:
            yield from _certified(grant, answers, checking[grant.leaf.name])

    return Proving(commands, judge)


def _certified(grant: Grant, answers: Answers, checking: tuple[str, ...]) -> Iterator[Check]:
    leaf = grant.leaf
    file, request = leaf.certificate_file, leaf.request_file
    read = answers.get(x509.inspect(file))
    if read is None or read.finished.exit or checking not in answers:
        return  # a fault of its own says so
    described = x509.parse_text(read.finished.stdout)
    checked = answers[checking].finished
    right = req.is_ok(f"{checked.stdout}\n{checked.stderr}")
    claim = _("the request is signed with its own key")
    yield Check(request, claim, "" if right else said(answers[checking]))
    yield _same_key(file, described.public_key, grant.asked.public_key, str(grant.asked.path))
    strange = sorted(set(described.extensions) - _OURS)
    fault: str | Text = _("it has {names}", names=", ".join(strange)) if strange else ""
    yield Check(file, _("it has no extension that nobody has granted"), fault)


def _proof(
    argv: tuple[str, ...], purpose: str, *reads: str, secrets: tuple[str, ...] = ()
) -> Command:
    return Command(argv, purpose, Kind.PROOF, reads=reads, secrets=secrets, verdict=True)


def _answers(outcomes: Sequence[Outcome]) -> Answers:
    return {
        outcome.command.argv: outcome
        for outcome in outcomes
        if outcome.finished.ending is Ending.EXITED
    }


def _same_key(file: str, found: str, wanted: str, whose: str) -> Check:
    fault: str | Text = ""
    if not found or found.strip() != wanted.strip():
        fault = _("its public key is not that of {key}", key=whose)
    return Check(file, _("it belongs to {key}", key=whose), fault)
