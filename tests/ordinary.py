"""Somebody who may not do everything: what root's tests have to become."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Root may read and write everywhere, so where the tests run as root somebody else takes over.

    Such a user may be unable to read our own modules: have them imported before.
    """
    before = os.geteuid()
    os.seteuid(before or NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that an ordinary user can get to; pytest's own are for its user alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
