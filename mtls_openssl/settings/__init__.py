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

__all__ = ["Loaded", "Refusal", "Settings", "SettingsRefusedError", "load", "one_leaf"]


def one_leaf(given: Mapping[str, object], role: Role, settings: Settings) -> Leaf:
    """One more certificate, of values from the command line: `described.one_leaf`."""
    from mtls_openssl.settings import described  # noqa: PLC0415 - few commands need the tables

    return described.one_leaf(given, role, settings)
