"""What can't be carried over."""

from __future__ import annotations

import dataclasses
import re

from mtls_openssl.language import Text

_LONGEST = 120
_SECRET = re.compile(
    r"(pass:|pass(?:word|wd|phrase)?[=:]"
    r"|(?<!set )[-/](?:p|pw|pass|password|storepass|keypass)[ :=]\s*)"
    r"(\"[^\"]*\"|\S+)",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Left:
    """Something in the batch file that the settings do not say.

    Args:
        line: the number of the line, from 1.
        text: the line, or the part of it.
        why: why not, and what there is instead, in a sentence.
    """

    line: int
    text: str
    why: Text


def shown(text: str) -> str:
    """A line as it can be shown: on one line, not too long, without what may be a password."""
    line = _SECRET.sub(lambda found: f"{found[1]}...", " ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
