"""What a start does not wait for, and that it is there as soon as anybody uses it."""

from __future__ import annotations

import subprocess
import sys

ASIDE = """
import sys
from mtls_openssl import later
later.when_used("importlib.metadata")
stand_in = sys.modules["importlib.metadata"]
"""


def told(program: str) -> str:
    """What a Python of its own says: this one has loaded the module long ago."""
    ended = subprocess.run(
        [sys.executable, "-c", ASIDE + program], capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


def test_importing_a_function_of_it_loads_nothing() -> None:
    said = told("from importlib.metadata import entry_points; print('email' in sys.modules)")

    assert said == "False"


def test_a_function_of_it_does_what_it_always_does() -> None:
    said = told("import importlib.metadata as m; print(len(m.version('typer').split('.')) > 1)")

    assert said == "True"


def test_what_raises_its_error_is_caught_by_its_error() -> None:
    said = told(
        "from importlib.metadata import PackageNotFoundError, version\n"
        "try: version('there is no such package')\n"
        "except PackageNotFoundError: print('caught')"
    )

    assert said == "caught"


def test_once_used_it_is_the_module_itself() -> None:
    said = told(
        "import importlib.metadata\n"
        "importlib.metadata.version('typer')\n"
        "print(sys.modules['importlib.metadata'] is importlib.metadata is not stand_in)"
    )

    assert said == "True"


def test_one_that_is_loaded_stays_as_it_is() -> None:
    said = told(
        "import urllib.request\n"
        "there = sys.modules['urllib.request']\n"
        "later.when_used('urllib.request')\n"
        "print(sys.modules['urllib.request'] is there is urllib.request)"
    )

    assert said == "True"
