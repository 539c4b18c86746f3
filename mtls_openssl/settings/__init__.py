"""What to make: every setting checked, and where each value came from.

`values` says what one value may be, `model` what they may be together, `sources` which of
profile, `mtls.toml`, environment and option decides. pydantic is imported in `model` and
`sources` and nowhere else.
"""

from collections.abc import Mapping

from mtls_openssl.manifest import Leaf, Role
from mtls_openssl.settings.model import Settings
from mtls_openssl.settings.refusals import Refusal, SettingsRefusedError
from mtls_openssl.settings.sources import Loaded, load

__all__ = [
    "Loaded", "Refusal", "Settings", "SettingsRefusedError", "leaf_in_row", "load", "one_leaf",
]  # fmt: skip


def one_leaf(given: Mapping[str, object], role: Role, settings: Settings) -> Leaf:
    """One more certificate, of values from the command line: `described.one_leaf`."""
    from mtls_openssl.settings import described  # noqa: PLC0415 - few commands need the tables

    return described.one_leaf(given, role, settings)


def leaf_in_row(
    given: Mapping[str, object], source: str, settings: Settings
) -> tuple[Leaf | None, list[Refusal]]:
    """One client of many, of values from a row of a table: `described.leaf_in_row`."""
    from mtls_openssl.settings import described  # noqa: PLC0415 - as above

    return described.leaf_in_row(given, source, settings)
