"""What to make: every setting checked, and where each value came from.

`values` says what one value may be, `model` what they may be together, `sources` which of
profile, `mtls.toml`, environment and option decides. pydantic is imported in `model` and
`sources` and nowhere else.
"""

from mtls_openssl.settings.model import Settings
from mtls_openssl.settings.refusals import Refusal, SettingsRefusedError
from mtls_openssl.settings.sources import Loaded, load

__all__ = ["Loaded", "Refusal", "Settings", "SettingsRefusedError", "load"]
