"""Gives the CA that the original batch file made a certificate that strict validators accept.

Same key, same subject, same key identifier: whatever it has issued stays valid, and only the
certificate of the CA itself is exchanged. `case` is what is to be repaired, `remedy` how, and
`proving` what must be true before the new certificate takes the old one's place.
"""

from mtls_openssl.repair.case import Case, Leaf, examine, objections
from mtls_openssl.repair.proving import proving
from mtls_openssl.repair.remedy import advice, left_to_mend, plan

__all__ = [
    "Case",
    "Leaf",
    "advice",
    "examine",
    "left_to_mend",
    "objections",
    "plan",
    "proving",
]
