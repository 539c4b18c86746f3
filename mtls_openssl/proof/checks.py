"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import Text, _
from mtls_openssl.steps import Command, Outcome

Answers = Mapping[tuple[str, ...], Outcome]
"""What came of commands, by their arguments."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Args:
        subject: the file that it is about.
        claim: what must be true of it.
        fault: why it is not, in one sentence; empty if it is.
        mend: what mends that, where that is known.
    """

    subject: str
    claim: str
    fault: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Proving:
    """What one command of ours must prove besides what every set must pass.

    Args:
        commands: the checks, as openssl commands that run after all others.
        judge: reads what all commands of the run printed.
    """

    commands: tuple[Command, ...] = ()
    judge: Callable[[Sequence[Outcome]], Iterable[Check]] = lambda _: ()


NOTHING_BESIDES = Proving()


def equal(subject: str, claim: str, found: object, expected: object) -> Check:
    """The check that what was found is what was asked for."""
    return Check(subject, claim, "" if found == expected else not_as_asked(found, expected))


def not_as_asked(found: object, expected: object) -> Text:
    """The fault of something that is not as it was asked for."""
    return _(
        "it says {found!r}, where {wanted!r} was asked for",
        found=_plain(found),
        wanted=_plain(expected),
    )


def _plain(value: object) -> object:
    """A subject, or several names, as a person writes them."""
    if not isinstance(value, tuple):
        return value
    return ", ".join("=".join(one) if isinstance(one, tuple) else str(one) for one in value)


def said(outcome: Outcome) -> str:
    """What openssl said when it did not do what was asked."""
    lines = (outcome.finished.stderr or outcome.finished.stdout).strip().splitlines()
    return _(
        "openssl ended with exit code {code} and said: {words}",
        code=outcome.finished.exit,
        words=lines[0] if lines else _("nothing"),
    )
