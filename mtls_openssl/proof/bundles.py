"""What PKCS#12 files must pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mtls_openssl import keytool
from mtls_openssl.language import Text, _, joined
from mtls_openssl.openssl import pkcs12, readers
from mtls_openssl.proof.checks import Answers, Check, not_as_asked, said
from mtls_openssl.steps import Command, Kind, Outcome


def commands(bundles: Sequence[pkcs12.Bundle], java: Path | None) -> Iterator[Command]:
    """The checks, as commands.

    Args:
        bundles: the files.
        java: keytool, if it is to be asked what Java sees in a truststore.
    """
    for bundle in bundles:
        yield Command(
            pkcs12.open_again(bundle.file, bundle.variable),
            _("prove that {file} opens with its password", file=bundle.file),
            Kind.PROOF,
            reads=(bundle.file,),
            secrets=(bundle.variable,),
            verdict=True,
        )
        if bundle.key is None and java:
            yield Command(
                keytool.listing(bundle.file),
                _("ask Java whom it would trust"),
                Kind.PROOF,
                reads=(bundle.file,),
                secrets=(bundle.variable,),
                verdict=True,
                program=java,
            )


def judged(
    answers: Answers, bundles: Sequence[pkcs12.Bundle], folder: Path, *, asked: bool
) -> Iterator[Check]:
    """Read what the checks printed.

    Args:
        answers: what came of the commands.
        bundles: the files.
        folder: where they are.
        asked: whether names and algorithms were asked for.
    """
    for bundle in bundles:
        if opened := answers.get(pkcs12.open_again(bundle.file, bundle.variable)):
            yield from _packed(opened, bundle, folder, asked=asked)
    for bundle in bundles:
        if bundle.key is None and (listed := answers.get(keytool.listing(bundle.file))):
            trusted = keytool.entries(listed.finished.stdout) == (keytool.TRUSTED,)
            words = " ".join(listed.finished.stdout.split())
            fault = "" if trusted else _("keytool said: {words}", words=words)
            yield Check(bundle.file, _("Java lists it as one certificate that it trusts"), fault)


def packed(
    outcomes: Iterable[Outcome], bundles: Sequence[pkcs12.Bundle]
) -> Mapping[str, pkcs12.Contents]:
    """What each PKCS#12 file holds that was opened again, by its name."""
    opened = {outcome.command.argv: outcome.finished for outcome in outcomes}
    return {
        bundle.file: pkcs12.parse(finished.stdout, finished.stderr)
        for bundle in bundles
        if (finished := opened.get(pkcs12.open_again(bundle.file, bundle.variable)))
        and finished.exit == 0
    }


def _claim(bundle: pkcs12.Bundle) -> Text:
    if bundle.key is None:
        return _(
            "it opens with its password, and holds the CA's certificate as one that Java trusts"
        )
    if len(bundle.certificates) == 1:
        return _(
            "it opens with its password, and holds the key and its certificate, without the root"
        )
    return _("it opens with its password, and holds the key and the chain")


def _packed(
    opened: Outcome, bundle: pkcs12.Bundle, folder: Path, *, asked: bool
) -> Iterator[Check]:
    file, claim = bundle.file, _claim(bundle)
    if opened.finished.exit != 0:
        yield Check(file, claim, said(opened))
        return
    contents = pkcs12.parse(opened.finished.stdout, opened.finished.stderr)
    expected = {pem for name in bundle.certificates for pem in _pems(folder / name)}
    fault = ""
    if {_lines(pem) for pem in contents.certificates} != expected:
        held = joined(_(" and "), bundle.certificates)
        fault = _("it does not hold {files}", files=held)
    elif contents.keys != (1 if bundle.key else 0):
        fault = _("it holds {count} keys, not none", count=contents.keys)
        if bundle.key:
            fault = _("it holds {count} keys, not one", count=contents.keys)
    elif not bundle.key and contents.trusted != len(expected):
        fault = _("it lacks the mark by which Java trusts a certificate")
    yield Check(file, claim, fault)
    if asked:
        wanted = pkcs12.as_printed(bundle.name)
        called = wanted.lower() in map(str.lower, contents.names)
        fault = "" if called else not_as_asked(contents.names, wanted)
        yield Check(file, _("it has the name asked for"), fault)
        if bundle.reader:
            claim = _("it has the algorithms that {reader} reads", reader=bundle.reader)
            yield Check(file, claim, readers.fault(contents, bundle.reader))


def _pems(file: Path) -> Iterator[str]:
    if not file.is_file():
        return
    for text in file.read_text("ascii", "replace").split("-----BEGIN CERTIFICATE-----")[1:]:
        body, end, _rest = text.partition("-----END CERTIFICATE-----")
        yield _lines(f"-----BEGIN CERTIFICATE-----{body}{end}")


def _lines(pem: str) -> str:
    return "\n".join(pem.split())
