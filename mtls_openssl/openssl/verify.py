"""`openssl verify`: check chains (openssl-verify(1), openssl-verification-options(1), step 5)."""

from __future__ import annotations

import re
from collections.abc import Sequence


def chain(certificate: str, *, by: str = "") -> tuple[str, ...]:
    """The guide's check: `certificate` was issued by the CA of this folder and is in date.

    Args:
        certificate: the file.
        by: the file of the intermediate authority that issued it; empty for the root.
    """
    return ("verify", "-CAfile", "ca.crt", *_between(by), certificate)


def strict(certificate: str, *checks: str, by: str = "") -> tuple[str, ...]:
    """The check that strict validators make, RFC 5280 to the letter.

    Args:
        certificate: the file.
        checks: further options, such as `("-purpose", "sslserver")`.
        by: as for `chain`.
    """
    return ("verify", "-x509_strict", *checks, "-CAfile", "ca.crt", *_between(by), certificate)


def strict_each(certificates: Sequence[str], *checks: str, by: str = "") -> tuple[str, ...]:
    """As `strict`, of many certificates at once; `is_ok` reads the answer for each."""
    return (
        "verify", "-x509_strict", *checks, "-CAfile", "ca.crt", *_between(by), *certificates
    )  # fmt: skip


def _between(authority: str) -> tuple[str, ...]:
    return ("-untrusted", authority) if authority else ()


def chain_at_any_time(*certificates: str, by: str = "") -> tuple[str, ...]:
    """As `chain`, of one or many, but whether they are in date does not matter.

    Args:
        certificates: the files.
        by: as for `chain`.
    """
    return ("verify", "-no_check_time", "-CAfile", "ca.crt", *_between(by), *certificates)


def issued_by(authority: str, certificates: Sequence[str]) -> tuple[str, ...]:
    """The check that an authority, a root or not, has signed each of `certificates` at any time."""
    return ("verify", "-no_check_time", "-partial_chain", "-CAfile", authority, *certificates)


def unrevoked(
    crl: str, *certificates: str, authority: str = "ca.crt", intermediate: str = ""
) -> tuple[str, ...]:
    """The check that no authority has revoked any of them, as nginx makes it with ssl_crl.

    Args:
        crl: the file with the CRL of every authority in the chain.
        certificates: the files; `is_ok` and `refused` read the answer for each.
        authority: the root.
        intermediate: the authority between the two; empty for none.
    """
    between = ("-untrusted", intermediate) if intermediate else ()
    return (
        "verify", "-crl_check", "-crl_check_all", "-CAfile", authority, *between, "-CRLfile", crl,
        *certificates,
    )  # fmt: skip


def is_ok(output: str, certificate: str) -> bool:
    """Whether `verify` said so of `certificate`: an exit code alone is not an answer."""
    return f"{certificate}: OK" in output.splitlines()


def refused(output: str) -> dict[str, str]:
    r"""What `verify` said of each of many certificates that it refused, by their files.

    >>> refused("error 10 at 0 depth lookup: expired\nerror a.crt: verification failed\n")
    {'a.crt': 'error 10 at 0 depth lookup: expired\n'}
    """
    parts = re.split(r"^error (.+): verification failed\n?", output, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[::2], strict=False))


def reasons(stdout: str, stderr: str, certificates: Sequence[str]) -> list[str]:
    """Why `verify` refused each of many certificates; empty where it did not.

    Args:
        stdout: what it printed.
        stderr: what it printed on standard error.
        certificates: the files, as it was given them.
    """
    said, rest = refused(stderr), stderr.rpartition(": verification failed\n")[2]
    words = [said.get(name, rest) for name in certificates]
    return [
        "" if is_ok(stdout, name) else reason(one) or " ".join(one.split()) or "?"
        for name, one in zip(certificates, words, strict=True)
    ]


def reason(output: str) -> str:
    """Why `verify` refused, in openssl's own words; empty if it gave none.

    >>> reason("error 10 at 0 depth lookup: certificate has expired")
    'certificate has expired'
    """
    return "; ".join(dict.fromkeys(words for _, words in faults(output)))


def faults(output: str) -> list[tuple[int, str]]:
    """What `verify` objected to: how far above the certificate itself (0), and in which words.

    >>> faults("error 92 at 1 depth lookup: CA cert does not include key usage extension")
    [(1, 'CA cert does not include key usage extension')]
    """
    found = re.findall(r"^error \d+ at (\d+) depth lookup: ?(.+)$", output, re.MULTILINE)
    return [(int(depth), words) for depth, words in found]
