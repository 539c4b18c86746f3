"""What a code of a protocol means to a person."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Explained:
    """A code, told so that a person can act on it.

    Args:
        name: its name in the standard or the program that it is from.
        meaning: what it says, as a sentence without a full stop.
        cause: what it is usually due to.
        cure: what mends that.
    """

    name: str
    meaning: str
    cause: str
    cure: str
