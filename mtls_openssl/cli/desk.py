"""How a command that looks at something gets its desk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mtls_openssl.cli.options import Choices

if TYPE_CHECKING:
    from mtls_openssl.desk import Desk


@contextlib.contextmanager
def desk(choices: Choices, purpose: str) -> Iterator[Desk]:
    """A desk as the options LOOK describe it.

    Args:
        choices: what was typed.
        purpose: the command of ours, such as `inspect`.

    Raises:
        OpensslNotFoundError: there is no openssl to use.
        FolderUnavailableError: no log can be written.
    """
    from mtls_openssl.desk import at  # noqa: PLC0415 - what a command needs, when it does
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    door = Door()
    found = find(choices["openssl"], door)
    with at(choices["out"], found, door=door, purpose=purpose, limit=choices["timeout"]) as desk:
        yield desk
