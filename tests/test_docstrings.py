"""The examples in docstrings are what the program does."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.machine import CHECKOUT

WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
    for path in (CHECKOUT / "mtls_openssl").rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_a_module_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0
